"""Attempts at quizzes: begun, answered, handed in, and what learners see of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.training import AnswerDraft, answer_question, begin_attempt, hand_in, release_tries
from domain.training.grading import keys_of_options
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.training import NEWEST_QUIZ_ATTEMPT, select_attempts
from models import (
    Course,
    QuestionKind,
    QuizAttempt,
    QuizAttemptStatus,
    QuizOption,
    QuizQuestion,
)
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.training import QuizAnswerInput
from resolvers.paging import query_page


@dataclass(frozen=True, slots=True)
class AskedOption:
    """An option as an attempt shows it; its key says nothing about the order in which it was written."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as an attempt shows it, without what is right."""

    number: int
    kind: QuestionKind
    situation: str | None
    prompt: str
    points: int
    options: Sequence[AskedOption]
    choices: Sequence[str]


@dataclass(frozen=True, slots=True)
class AnswerReview:
    """How an answer was graded."""

    number: int
    credit_percent: int
    points: int
    right_choices: Sequence[str]
    explanation: str


async def quiz_attempts(
    info: Info,
    course_id: strawberry.ID | None = None,
    account_id: strawberry.ID | None = None,
    status: QuizAttemptStatus | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[QuizAttempt]:
    """Attempts at quizzes, the newest first: the viewer's own, for managers all.

    course_id: only at this course
    account_id: only of this account
    status: only with this status
    """
    statement = select_attempts(
        course_id=row_id(course_id, "Course", field=("course_id",)) if course_id else None,
        account_id=visible_account(info, account_id),
        status=status,
    )
    return await query_page(info, statement, NEWEST_QUIZ_ATTEMPT, page)


def visible_account(info: Info, account_id: strawberry.ID | None) -> int | None:
    """The account whose training is listed: the viewer's own, and for managers any, or None for all."""
    if not info.context.viewer.may(Permission.TRAINING_MANAGE):
        return info.context.viewer.id
    return row_id(account_id, "Account", field=("account_id",)) if account_id else None


async def find_quiz_attempt(info: Info, attempt_id: int) -> QuizAttempt | None:
    """The attempt, if it is the viewer's own or they see all."""
    if not info.context.viewer.may(Permission.TRAINING_TAKE):
        return None
    found = await info.context.load.quiz_attempt.load(attempt_id)
    return found if found is not None and is_visible(info, found.account_id) else None


def is_visible(info: Info, account_id: int) -> bool:
    viewer = info.context.viewer
    return viewer.owns(account_id) or viewer.may(Permission.TRAINING_MANAGE)


async def quiz_start(info: Info, course_id: strawberry.ID) -> QuizAttempt:
    """Begins an attempt at the quiz of a course, or goes on with the one that is open. It ends by itself when
    its time is over. LIMIT_REACHED, with the seconds until the next try, when all tries are used.

    course_id: the course
    """
    context, course_row_id = info.context, row_id(course_id, "Course", field=("course_id",))
    seed = context.shop.secrets.new_token()
    async with context.transaction() as session:
        return await begin_attempt(session, course_row_id, seed=seed, cause=context.cause)


async def quiz_answer_save(info: Info, id: strawberry.ID, number: int, choices: list[str]) -> QuizAttempt:
    """Keeps the answer to one question of one's open attempt: what is kept is graded when the time is over.

    id: the attempt
    number: the number of the question
    choices: the keys of options; for an ordering all, in their order; none take the answer back
    """
    answer = AnswerDraft(number, choices)
    async with info.context.transaction() as session:
        return await answer_question(session, row_id(id, "QuizAttempt"), answer, cause=info.context.cause)


async def quiz_submit(
    info: Info,
    id: strawberry.ID,
    answers: list[QuizAnswerInput] = [],  # noqa: B006 - read only
) -> QuizAttempt:
    """Hands in one's attempt, which is graded at once. Handing in again changes nothing; answers that come
    when the time is over do not count.

    id: the attempt
    answers: answers that were not kept yet, each question once
    """
    drafts = [AnswerDraft(each.number, each.choices) for each in answers]
    async with info.context.transaction() as session:
        return await hand_in(session, row_id(id, "QuizAttempt"), drafts, cause=info.context.cause)


async def quiz_release(
    info: Info, course_id: strawberry.ID, account_id: strawberry.ID, reason: str
) -> Course:
    """Lets one of the staff try a quiz again at once: what they tried before is not counted any more.

    course_id: the course
    account_id: who may try again
    reason: why
    """
    context = info.context
    course_row_id = row_id(course_id, "Course", field=("course_id",))
    account_row_id = row_id(account_id, "Account", field=("account_id",))
    async with context.transaction() as session:
        return await release_tries(session, course_row_id, account_row_id, reason=reason, cause=context.cause)


async def number(attempts: Sequence[QuizAttempt], info: Info) -> Sequence[int]:
    """The version of the course that it was begun on."""
    found = await info.context.load.course_version.load_many([each.course_version_id for each in attempts])
    return [version.number if version else 0 for version in found]


def score_percent(root: QuizAttempt) -> int | None:
    """How much of it was right, rounded down; null while it is open."""
    return None if root.score is None else root.score * 100 // root.best_score


async def asked_questions(attempts: Sequence[QuizAttempt], info: Info) -> Sequence[Sequence[AskedQuestion]]:
    """Its questions, with options in an order of its own and the answers that are kept; not what is right."""
    load = info.context.load
    questions, options = await load_content(attempts, info)
    choices = await load.quiz_choices.load_many([each.id for each in attempts])
    return [
        [
            ask_question(
                question,
                options[question.id],
                attempt,
                [c.option_id for c in chosen if c.question_id == question.id],
                info,
            )
            for question in asked
        ]
        for attempt, asked, chosen in zip(attempts, questions, choices, strict=True)
    ]


async def load_content(
    attempts: Sequence[QuizAttempt], info: Info
) -> tuple[Sequence[Sequence[QuizQuestion]], dict[int, Sequence[QuizOption]]]:
    """The questions of each attempt, and the options of all of them by question."""
    load = info.context.load
    questions = await load.quiz_questions.load_many([each.course_version_id for each in attempts])
    ids = list(dict.fromkeys(question.id for asked in questions for question in asked))
    options = await load.quiz_options.load_many(ids)
    return questions, dict(zip(ids, options, strict=True))


def ask_question(
    question: QuizQuestion,
    options: Sequence[QuizOption],
    attempt: QuizAttempt,
    chosen: Sequence[int],
    info: Info,
) -> AskedQuestion:
    viewer = info.context.viewer_of(info)
    keys = keys_of_options([option.id for option in options], attempt.seed)
    by_id = {option.id: option for option in options}
    return AskedQuestion(
        number=question.position,
        kind=question.kind,
        situation=None
        if question.situation is None
        else viewer.translate(question.translations, "situation", question.situation),
        prompt=viewer.translate(question.translations, "prompt", question.prompt),
        points=question.points,
        options=[
            AskedOption(key, viewer.translate(by_id[id].translations, "text", by_id[id].text))
            for key, id in keys.items()
        ],
        choices=name_options(chosen, keys),
    )


def name_options(option_ids: Sequence[int], keys: dict[str, int]) -> Sequence[str]:
    names = {id: key for key, id in keys.items()}
    return [names[id] for id in option_ids]


async def review(attempts: Sequence[QuizAttempt], info: Info) -> Sequence[Sequence[AnswerReview] | None]:
    """How each answer was graded, what is right and why; null until it has been handed in or has ended."""
    graded = [each for each in attempts if each.score is not None]
    questions, options = await load_content(graded, info)
    answers = await info.context.load.quiz_answers.load_many([each.id for each in graded])
    viewer = info.context.viewer_of(info)
    reviews = {
        attempt.id: [
            review_answer(
                question,
                options[question.id],
                attempt,
                {answer.question_id: answer.credit or 0 for answer in given}.get(question.id, 0),
                viewer.translate(question.translations, "explanation", question.explanation),
            )
            for question in asked
        ]
        for attempt, asked, given in zip(graded, questions, answers, strict=True)
    }
    return [reviews.get(each.id) for each in attempts]


def review_answer(
    question: QuizQuestion,
    options: Sequence[QuizOption],
    attempt: QuizAttempt,
    credit: int,
    explanation: str,
) -> AnswerReview:
    keys = keys_of_options([option.id for option in options], attempt.seed)
    ordered = question.kind is QuestionKind.ORDERING
    right = [option.id for option in options if ordered or option.is_correct]
    named = name_options(right, keys)
    return AnswerReview(
        question.position, credit, question.points, named if ordered else sorted(named), explanation
    )
