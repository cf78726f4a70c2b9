"""Courses and their quizzes: written, tried, graded, renewed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, DomainError, Invalid, LimitReached, NotFound
from domain.training import (
    AnswerDraft,
    CourseDraft,
    CourseTerms,
    OptionDraft,
    QuestionDraft,
    answer_question,
    hand_in,
    publish_course,
    release_tries,
    save_course,
    withdraw_course,
)
from domain.training.grading import (
    GradedOption,
    GradedQuestion,
    credit_of,
    is_passed,
    keys_of_options,
    shuffle_options,
)
from events.shop import Shop
from events.training import TRAINING
from models import (
    Certificate,
    CertificateStatus,
    CourseVersion,
    QuestionKind,
    QuizAttempt,
    QuizAttemptStatus,
)
from tests.factories.account import create_account
from tests.factories.knowledge import NOW, create_article
from tests.factories.training import (
    QUESTIONS,
    RIGHT,
    begin,
    course_draft,
    create_course,
    create_learner,
    take,
    write_answers,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
K, S = QuestionKind, QuizAttemptStatus


def question(kind: QuestionKind, *right: bool) -> GradedQuestion:
    """A question whose options have the ids 1, 2, ... in the order in which they were written."""
    options = [GradedOption(place, place, is_correct) for place, is_correct in enumerate(right, start=1)]
    return GradedQuestion(1, kind, 1, options)


@pytest.mark.parametrize(
    ("chosen", "credit"),
    [((), 0), ((1,), 33), ((1, 2), 66), ((1, 2, 3), 100), ((1, 2, 4), 33), ((1, 4), 0), ((4, 5), 0)],
)
def test_credit_for_several_options_is_right_less_wrong_rounded_down(
    chosen: Sequence[int], credit: int
) -> None:
    assert credit_of(question(K.MULTIPLE, True, True, True, False, False), chosen) == credit


def test_naming_everything_is_worth_nothing_and_an_order_is_worth_its_pairs() -> None:
    half = question(K.MULTIPLE, True, True, False, False)
    order = question(K.ORDERING, *[False] * 4)

    assert credit_of(half, (1, 2, 3, 4)) == 0
    assert credit_of(order, (1, 2, 3, 4)) == 100
    assert credit_of(order, (2, 1, 3, 4)) == 66
    assert credit_of(order, (4, 3, 2, 1)) == 0
    assert credit_of(order, (1, 2, 3)) == 0
    assert sum(credit_of(order, each) for each in permutations((1, 2, 3, 4))) == 100 + 3 * 66 + 5 * 33


@pytest.mark.parametrize("kind", [K.SINGLE, K.CASE])
def test_one_option_is_right_or_it_is_not(kind: QuestionKind) -> None:
    asked = question(kind, False, True, False)

    assert [credit_of(asked, chosen) for chosen in ((2,), (1,), ())] == [100, 0, 0]


def test_the_pass_mark_is_exact() -> None:
    assert is_passed(400, 500, 80)
    assert not is_passed(399, 500, 80)


def test_options_are_in_one_order_for_each_attempt_and_in_others_for_others() -> None:
    ids = list(range(10, 18))
    orders = {tuple(shuffle_options(ids, f"seed {number}")) for number in range(20)}

    assert shuffle_options(ids, "seed") == shuffle_options(ids[::-1], "seed")
    assert sorted(shuffle_options(ids, "seed")) == ids
    assert len(orders) == 20
    assert list(keys_of_options(ids, "seed")) == list("ABCDEFGH")


async def test_all_that_is_wrong_in_a_course_is_refused_at_once_and_nothing_is_saved(
    session: AsyncSession,
) -> None:
    wrong = QuestionDraft(
        K.SINGLE, " ", "Why.", [OptionDraft("Yes", is_correct=True), OptionDraft("No", is_correct=True)]
    )
    draft = CourseDraft("", "About.", [7, 7], [wrong], CourseTerms(pass_percent=0, tries=21))

    with pytest.raises(DomainError) as refused:
        await save_course(session, None, draft, version=None, cause=Cause(NOW))

    assert [".".join(map(str, each.field)) for each in refused.value.each] == [
        "title",
        "pass_percent",
        "tries",
        "article_ids",
        "questions.0.prompt",
        "questions.0.options",
        "article_ids.0",
        "article_ids.1",
    ]
    assert await session.scalar(select(func.count(CourseVersion.id))) == 0


@pytest.mark.parametrize(
    "kind_and_right",
    [(K.SINGLE, 0), (K.CASE, 2), (K.MULTIPLE, 0), (K.ORDERING, 1)],
)
async def test_each_kind_of_question_has_as_many_right_options_as_it_can(
    session: AsyncSession, kind_and_right: tuple[QuestionKind, int]
) -> None:
    kind, right = kind_and_right
    options = [OptionDraft(f"Option {place}", is_correct=place < right) for place in range(3)]
    situation = "A case." if kind is K.CASE else None
    article = await create_article(session)
    draft = course_draft(article, questions=[QuestionDraft(kind, "What?", "So.", options, situation)])

    with pytest.raises(Invalid) as refused:
        await save_course(session, None, draft, version=None, cause=Cause(NOW))

    assert refused.value.field == ("questions", 0, "options")


async def test_a_course_is_not_published_before_its_articles_are(session: AsyncSession) -> None:
    article = await create_article(session, title="Returns", published=False)
    course = await create_course(session, article=article, published=False)

    with pytest.raises(Invalid, match="Returns"):
        await publish_course(session, course.id, version=None, renew=False, cause=Cause(NOW))


async def test_a_draft_leaves_what_is_published_and_an_attempt_keeps_its_version(
    session: AsyncSession,
) -> None:
    article = await create_article(session)
    course, learner = await create_course(session, article=article), await create_learner(session)
    attempt = await begin(session, course, learner)
    draft = course_draft(article, title="Returns, second edition", questions=QUESTIONS[:1])
    await save_course(session, course.id, draft, version=course.version, cause=Cause(NOW))
    assert (course.title, course.published_number, course.draft_number) == ("The law of returns", 1, 2)
    with pytest.raises(Conflict):
        await save_course(session, course.id, draft, version=course.version - 1, cause=Cause(NOW))

    await publish_course(session, course.id, version=course.version, renew=False, cause=Cause(NOW))
    answers = await write_answers(session, attempt, RIGHT)
    await hand_in(session, attempt.id, answers, cause=Cause(NOW, learner.id))

    assert (course.title, course.published_number, course.draft_number) == (
        "Returns, second edition",
        2,
        None,
    )
    edition = await session.get_one(CourseVersion, attempt.course_version_id)
    assert (edition.number, attempt.status, attempt.score, attempt.best_score) == (1, S.PASSED, 500, 500)


async def test_an_attempt_is_graded_with_partial_credit_and_what_was_kept_counts_at_its_end(
    shop: Shop, session: AsyncSession
) -> None:
    course, learner = await create_course(session, now=shop.clock()), await create_learner(session)
    attempt = await begin(session, course, learner, now=shop.clock() - HOUR)
    some = {2: ["Made to order"], 3: ["Agree", "Apply", "Send back", "Refund"], 4: ["Agree"]}
    for each in await write_answers(session, attempt, some):
        await answer_question(session, attempt.id, each, cause=Cause(attempt.started_at, learner.id))
    await session.commit()

    await asyncio.gather(*(TRAINING[0].act(shop, attempt.id) for _ in range(2)))

    attempt = await session.get_one(QuizAttempt, attempt.id)
    assert (attempt.status, attempt.score) == (S.FAILED, 50 + 66 + 2 * 100)
    assert (attempt.ended_at, attempt.handed_in_at) == (attempt.due_at, None)


@pytest.mark.parametrize(
    "answers",
    [
        [AnswerDraft(1, ["A", "B"])],
        [AnswerDraft(1, ["D"])],
        [AnswerDraft(2, ["A", "A"])],
        [AnswerDraft(3, ["A", "B", "C"])],
        [AnswerDraft(5, ["A"])],
        [AnswerDraft(0, ["A"])],
        [AnswerDraft(1, ["A"]), AnswerDraft(1, ["B"])],
    ],
)
async def test_answers_that_fit_no_question_are_refused_and_the_attempt_stays_open(
    session: AsyncSession, answers: Sequence[AnswerDraft]
) -> None:
    course, learner = await create_course(session), await create_learner(session)
    attempt = await begin(session, course, learner)

    with pytest.raises((Invalid, NotFound)):
        await hand_in(session, attempt.id, answers, cause=Cause(NOW, learner.id))

    assert (attempt.status, attempt.handed_in_at) == (S.OPEN, None)


async def test_an_attempt_of_somebody_else_is_like_one_that_does_not_exist(session: AsyncSession) -> None:
    course, learner = await create_course(session), await create_learner(session)
    attempt = await begin(session, course, learner)
    other = await create_learner(session)

    for attempt_id in (attempt.id, 999_999):
        with pytest.raises(NotFound):
            await hand_in(session, attempt_id, [], cause=Cause(NOW, other.id))
    assert attempt.status is S.OPEN


async def test_tries_are_limited_until_the_first_is_a_period_ago_or_a_manager_releases_more(
    session: AsyncSession,
) -> None:
    course, learner = await create_course(session), await create_learner(session)
    manager = await create_account(session)
    for after in (0 * DAY, 2 * DAY):
        await take(session, course, learner, answers={}, now=NOW + after)

    with pytest.raises(LimitReached) as refused:
        await begin(session, course, learner, now=NOW + 3 * DAY)
    await release_tries(
        session, course.id, learner.id, reason="A call came.", cause=Cause(NOW + 3 * DAY, manager.id)
    )
    again = await begin(session, course, learner, now=NOW + 3 * DAY + HOUR)
    other = await create_learner(session)
    await take(session, course, other, answers={}, now=NOW)
    await take(session, course, other, answers={}, now=NOW)
    later = await begin(session, course, other, now=NOW + 7 * DAY)

    assert refused.value.retry_after_seconds == (4 * DAY).total_seconds()
    assert again.status is later.status is S.OPEN


async def test_the_last_try_is_not_taken_twice(shop: Shop, session: AsyncSession) -> None:
    course, learner = await create_course(session), await create_learner(session)
    await take(session, course, learner, answers={})
    await session.commit()

    async def begin_once(number: int) -> int:
        async with shop.database.writes.begin() as another:
            return (await begin(another, course, learner, now=NOW + HOUR, seed=f"tab {number}")).id

    begun = await asyncio.gather(*(begin_once(number) for number in range(6)))

    assert len(set(begun)) == 1
    assert await session.scalar(select(func.count(QuizAttempt.id))) == 2


async def test_who_hands_in_twice_at_once_has_one_certificate(shop: Shop, session: AsyncSession) -> None:
    course, learner = await create_course(session), await create_learner(session)
    attempt = await begin(session, course, learner)
    right = await write_answers(session, attempt, RIGHT)
    await session.commit()

    async def submit(answers: Sequence[AnswerDraft]) -> QuizAttemptStatus:
        async with shop.database.writes.begin() as another:
            return (await hand_in(another, attempt.id, answers, cause=Cause(NOW, learner.id))).status

    ends = await asyncio.gather(submit(right), submit(right), submit(right))
    later = await submit([])

    assert [*ends, later] == [S.PASSED] * 4
    assert await session.scalar(select(func.count(Certificate.id))) == 1


async def test_a_course_that_is_withdrawn_while_somebody_hands_in_leaves_no_certificate_that_counts(
    shop: Shop, session: AsyncSession
) -> None:
    course, learner = await create_course(session), await create_learner(session)
    attempt = await begin(session, course, learner)
    right = await write_answers(session, attempt, RIGHT)
    await session.commit()

    async def withdraw() -> None:
        async with shop.database.writes.begin() as another:
            await withdraw_course(another, course.id, cause=Cause(NOW))

    async def submit() -> None:
        async with shop.database.writes.begin() as another:
            await hand_in(another, attempt.id, right, cause=Cause(NOW, learner.id))

    await asyncio.gather(withdraw(), submit())

    statuses = set(await session.scalars(select(Certificate.status)))
    assert statuses <= {CertificateStatus.REVOKED}
