"""Attempts at a quiz: begun, answered, handed in, and ended by themselves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, Path, WrongState, collect_refusals
from domain.state import move, transition_table
from domain.training.certificates import clean_reason, issue_certificate
from domain.training.course import WITHOUT_KEY, find_version
from domain.training.grading import (
    GradedOption,
    GradedQuestion,
    best_score_of,
    credit_of,
    is_passed,
    keys_of_options,
    score_of,
)
from models import (
    STAFF,
    Account,
    Course,
    CourseStatus,
    CourseVersion,
    QuestionKind,
    QuizAnswer,
    QuizAttempt,
    QuizAttemptStatus,
    QuizChoice,
    QuizOption,
    QuizQuestion,
    QuizRelease,
)
from models.sql.types import AnySelect
from models.sql.upsert import upsert_into

S = QuizAttemptStatus
TRANSITIONS = transition_table(
    S.OPEN,
    {
        S.OPEN: {S.PASSED, S.FAILED, S.CANCELLED},
        S.PASSED: set(),
        S.FAILED: set(),
        S.CANCELLED: set(),
    },
)


@dataclass(frozen=True, slots=True)
class AnswerDraft:
    """The answer to the question at a place in the quiz: the keys of options, as the attempt shows them."""

    number: int
    choices: Sequence[str]


async def begin_attempt(session: AsyncSession, course_id: int, *, seed: str, cause: Cause) -> QuizAttempt:
    """Begin an attempt at the quiz of a course, or go on with the one that is open.

    LimitReached when all tries of the period are used; a manager can release more.
    """
    course = await session.get(Course, course_id, with_for_update={"read": True}, populate_existing=True)
    if course is None or course.status is not CourseStatus.PUBLISHED:
        raise NotFound("course", field=("course_id",))
    # who is locked cannot take the last try twice
    await session.get_one(Account, cause.person, with_for_update=WITHOUT_KEY, populate_existing=True)
    attempt = await find_open_attempt(session, course_id, cause.person)
    if attempt is not None and attempt.due_at > cause.now:
        return attempt
    if attempt is not None:
        await grade_attempt(session, attempt, now=cause.now)
    edition = await find_version(session, course_id, course.published_number)
    if edition is None:
        raise NotFound("course", field=("course_id",))
    await refuse_without_tries(session, edition, cause)
    questions = await load_questions(session, edition.id)
    attempt = QuizAttempt(
        course_id=course_id,
        course_version_id=edition.id,
        account_id=cause.person,
        status=S.OPEN,
        seed=seed,
        started_at=cause.now,
        due_at=cause.now + timedelta(minutes=edition.minutes),
        best_score=best_score_of(questions),
    )
    session.add(attempt)
    await session.flush()
    return attempt


async def find_open_attempt(session: AsyncSession, course_id: int, account_id: int) -> QuizAttempt | None:
    statement = select(QuizAttempt).where(
        QuizAttempt.course_id == course_id,
        QuizAttempt.account_id == account_id,
        QuizAttempt.status == S.OPEN,
    )
    return await session.scalar(statement.with_for_update().execution_options(populate_existing=True))


async def refuse_without_tries(session: AsyncSession, edition: CourseVersion, cause: Cause) -> None:
    """Refuse an attempt beyond the tries of the period, with the moment from which on there is one again."""
    attempts = select(QuizAttempt.started_at).where(
        QuizAttempt.course_id == edition.course_id,
        QuizAttempt.account_id == cause.person,
        QuizAttempt.status != S.CANCELLED,
    )
    releases = select(func.max(QuizRelease.released_at)).where(
        QuizRelease.course_id == edition.course_id, QuizRelease.account_id == cause.person
    )
    free_at = next_try_at(
        (await session.scalars(attempts.order_by(QuizAttempt.started_at))).all(),
        released_at=await session.scalar(releases),
        tries=edition.tries,
        period=timedelta(days=edition.period_days),
        now=cause.now,
    )
    if free_at > cause.now:
        raise LimitReached(
            "You have used all {limit} tries. Try again later, or ask a manager to release one.",
            limit=edition.tries,
            field=("course_id",),
            retry_after_seconds=(free_at - cause.now).total_seconds(),
        )


def next_try_at(
    started: Sequence[datetime],
    *,
    released_at: datetime | None,
    tries: int,
    period: timedelta,
    now: datetime,
) -> datetime:
    """From when another attempt can begin, after those that began then; `now` where that is at once.

    What began before the last release is not counted.
    """
    counted = [at for at in started if at > now - period and (released_at is None or at > released_at)]
    return counted[-tries] + period if len(counted) >= tries else now


async def answer_question(
    session: AsyncSession, attempt_id: int, answer: AnswerDraft, *, cause: Cause
) -> QuizAttempt:
    """Keep the answer to one question of one's own open attempt; the last one counts."""
    attempt = await lock_own_attempt(session, attempt_id, cause.person)
    if attempt.status is not S.OPEN or attempt.due_at <= cause.now:
        raise WrongState("This attempt has ended.", field=("id",))
    await keep_answers(session, attempt, [answer], (), now=cause.now)
    return attempt


async def hand_in(
    session: AsyncSession, attempt_id: int, answers: Sequence[AnswerDraft], *, cause: Cause
) -> QuizAttempt:
    """Hand in one's own attempt, with answers to questions or with those that were kept; it is graded once.

    What comes after the time was over does not count: then it is graded with what was kept.
    """
    attempt = await lock_own_attempt(session, attempt_id, cause.person)
    if attempt.status is not S.OPEN:
        return attempt
    if attempt.due_at > cause.now:
        await keep_answers(session, attempt, answers, ("answers",), now=cause.now)
        attempt.handed_in_at = cause.now
    await grade_attempt(session, attempt, now=cause.now)
    return attempt


def select_overdue_attempts(now: datetime) -> AnySelect:
    """The ids of open attempts whose time is over, the longest due first."""
    overdue = select(QuizAttempt.id).where(QuizAttempt.status == S.OPEN, QuizAttempt.due_at <= now)
    return overdue.order_by(QuizAttempt.due_at)


async def end_overdue_attempt(session: AsyncSession, attempt_id: int, *, now: datetime) -> None:
    """Grade an attempt whose time is over with the answers that were kept; nothing happens to any other."""
    attempt = await lock_attempt(session, attempt_id)
    if attempt.status is S.OPEN and attempt.due_at <= now:
        await grade_attempt(session, attempt, now=now)


async def grade_attempt(session: AsyncSession, attempt: QuizAttempt, *, now: datetime) -> None:
    """End a locked attempt: credit each answer, and issue the certificate of one that has passed."""
    edition = await session.get_one(CourseVersion, attempt.course_version_id)
    questions = await load_questions(session, attempt.course_version_id)
    chosen = await load_choices(session, attempt.id)
    credits = {question.id: credit_of(question, chosen.get(question.id, ())) for question in questions}
    answers = select(QuizAnswer).where(QuizAnswer.attempt_id == attempt.id)
    for answer in await session.scalars(answers.execution_options(populate_existing=True)):
        answer.credit = credits[answer.question_id]
    attempt.score = score_of(questions, credits)
    attempt.ended_at = min(now, attempt.due_at)
    passed = is_passed(attempt.score, attempt.best_score, edition.pass_percent)
    move(attempt, S.PASSED if passed else S.FAILED, TRANSITIONS)
    await session.flush()
    if passed:
        await issue_certificate(session, attempt, edition, now=attempt.ended_at)


async def keep_answers(
    session: AsyncSession,
    attempt: QuizAttempt,
    answers: Sequence[AnswerDraft],
    path: Path,
    *,
    now: datetime,
) -> None:
    """Keep answers of a locked attempt in place of former ones; `path` is where they stand in the input."""
    questions = await load_questions(session, attempt.course_version_id)
    kept: dict[int, Sequence[int]] = {}
    with collect_refusals() as check:
        for index, answer in enumerate(answers):
            field: Path = (*path, index) if path else ()
            if not 1 <= answer.number <= len(questions):
                check.add(NotFound("question", field=(*field, "number")))
                continue
            question = questions[answer.number - 1]
            if question.id in kept:
                check.add(Invalid("Answer each question once.", field=(*field, "number")))
                continue
            with check:
                kept[question.id] = read_choices(question, answer, attempt.seed, (*field, "choices"))
    if not kept:
        return
    await session.execute(
        delete(QuizChoice)
        .where(QuizChoice.attempt_id == attempt.id, QuizChoice.question_id.in_(kept))
        .execution_options(synchronize_session=False)
    )
    rows = [{"attempt_id": attempt.id, "question_id": id, "answered_at": now} for id in kept]
    stored = upsert_into(session, QuizAnswer).values(rows)
    await session.execute(
        stored.on_conflict_do_update(
            index_elements=["attempt_id", "question_id"], set_={"answered_at": stored.excluded.answered_at}
        )
    )
    session.add_all(
        QuizChoice(attempt_id=attempt.id, question_id=id, option_id=option_id, position=position)
        for id, options in kept.items()
        for position, option_id in enumerate(options, start=1)
    )
    await session.flush()


def read_choices(question: GradedQuestion, answer: AnswerDraft, seed: str, field: Path) -> Sequence[int]:
    """The options that the keys of an answer stand for; none leave a question open again."""
    keys = keys_of_options([option.id for option in question.options], seed)
    chosen = [keys.get(choice) for choice in answer.choices]
    found = [id for id in chosen if id is not None]
    if len(found) < len(chosen) or len(set(found)) < len(found):
        raise Invalid("Name options of this question, each once.", field=field)
    if question.kind is QuestionKind.ORDERING and found and len(found) < len(keys):
        raise Invalid("Bring all options into their order.", field=field)
    if question.kind in {QuestionKind.SINGLE, QuestionKind.CASE} and len(found) > 1:
        raise Invalid("Name one option.", field=field)
    return found


async def load_questions(session: AsyncSession, course_version_id: int) -> Sequence[GradedQuestion]:
    """The questions of a version of a course, in their order."""
    questions = await session.scalars(
        select(QuizQuestion)
        .where(QuizQuestion.course_version_id == course_version_id)
        .order_by(QuizQuestion.position)
    )
    options = await session.scalars(
        select(QuizOption)
        .join(QuizQuestion, QuizQuestion.id == QuizOption.question_id)
        .where(QuizQuestion.course_version_id == course_version_id)
        .order_by(QuizOption.position)
    )
    by_question: defaultdict[int, list[GradedOption]] = defaultdict(list)
    for option in options:
        graded = GradedOption(option.id, option.position, option.is_correct)
        by_question[option.question_id].append(graded)
    return [GradedQuestion(row.id, row.kind, row.points, by_question[row.id]) for row in questions]


async def load_choices(session: AsyncSession, attempt_id: int) -> Mapping[int, Sequence[int]]:
    """The options that an attempt names for each question, in their order."""
    rows = await session.execute(
        select(QuizChoice.question_id, QuizChoice.option_id)
        .where(QuizChoice.attempt_id == attempt_id)
        .order_by(QuizChoice.question_id, QuizChoice.position)
    )
    chosen: defaultdict[int, list[int]] = defaultdict(list)
    for question_id, option_id in rows:
        chosen[question_id].append(option_id)
    return chosen


async def release_tries(
    session: AsyncSession, course_id: int, account_id: int, *, reason: str, cause: Cause
) -> Course:
    """Let somebody of the staff try again at once: what they tried before is not counted any more."""
    with collect_refusals() as check:
        text = check.value(clean_reason, "", reason)
        course = await session.get(Course, course_id)
        if course is None:
            check.add(NotFound("course", field=("course_id",)))
        account = await session.get(Account, account_id, with_for_update=WITHOUT_KEY)
        if account is None or account.role not in STAFF:
            check.add(NotFound("account", field=("account_id",)))
    session.add(
        QuizRelease(
            course_id=course_id,
            account_id=account_id,
            released_by_id=cause.person,
            released_at=cause.now,
            reason=text,
        )
    )
    await session.flush()
    return await session.get_one(Course, course_id)


async def lock_own_attempt(session: AsyncSession, attempt_id: int, account_id: int) -> QuizAttempt:
    """One's own attempt; NotFound for any other."""
    attempt = await lock_attempt(session, attempt_id)
    if attempt.account_id != account_id:
        raise NotFound("quiz attempt", field=("id",))
    return attempt


async def lock_attempt(session: AsyncSession, attempt_id: int) -> QuizAttempt:
    attempt = await session.get(QuizAttempt, attempt_id, with_for_update=True, populate_existing=True)
    if attempt is None:
        raise NotFound("quiz attempt", field=("id",))
    return attempt
