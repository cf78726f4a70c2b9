"""Courses with a small quiz of all four kinds, attempts and certificates."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.training import (
    AnswerDraft,
    CourseDraft,
    CourseTerms,
    OptionDraft,
    QuestionDraft,
    begin_attempt,
    hand_in,
    publish_course,
    save_course,
)
from domain.training.grading import keys_of_options
from models import (
    Account,
    Article,
    Certificate,
    Course,
    QuestionKind,
    QuizAttempt,
    QuizOption,
    QuizQuestion,
    Role,
)
from tests.factories.account import create_account
from tests.factories.knowledge import NOW, create_article

QUESTIONS = (
    QuestionDraft(
        QuestionKind.SINGLE,
        "How long can goods be returned without a reason?",
        "The law gives seven days.",
        [OptionDraft("Seven days", is_correct=True), OptionDraft("Thirty days"), OptionDraft("One day")],
        translations={"zh-CN": {"prompt": "无理由退货期限是多久？", "explanation": "法律规定为七天。"}},
    ),
    QuestionDraft(
        QuestionKind.MULTIPLE,
        "Which goods are excluded?",
        "What is made to order, and what is perishable.",
        [
            OptionDraft("Made to order", is_correct=True),
            OptionDraft("Perishable", is_correct=True),
            OptionDraft("Books"),
            OptionDraft("Shoes"),
        ],
    ),
    QuestionDraft(
        QuestionKind.ORDERING,
        "In which order is a return handled?",
        "Goods are inspected before money goes back.",
        [OptionDraft("Apply"), OptionDraft("Agree"), OptionDraft("Send back"), OptionDraft("Refund")],
    ),
    QuestionDraft(
        QuestionKind.CASE,
        "What do you decide?",
        "The window ends with the seventh day after the arrival.",
        [OptionDraft("Agree", is_correct=True), OptionDraft("Refuse")],
        situation="Somebody applies on the seventh day.",
        points=2,
    ),
)
"""Five points in all."""
TERMS = CourseTerms(pass_percent=80, tries=2, period_days=7, minutes=30, valid_days=100, renew_days=14)

RIGHT: Mapping[int, Sequence[str]] = {
    1: ["Seven days"],
    2: ["Made to order", "Perishable"],
    3: ["Apply", "Agree", "Send back", "Refund"],
    4: ["Agree"],
}
"""Number of a question -> the texts of its right options."""


def course_draft(
    article: Article,
    *,
    title: str = "The law of returns",
    terms: CourseTerms = TERMS,
    questions: Sequence[QuestionDraft] = QUESTIONS,
) -> CourseDraft:
    return CourseDraft(title, "What the law says about returns.", [article.id], questions, terms)


async def create_course(
    session: AsyncSession,
    *,
    title: str = "The law of returns",
    article: Article | None = None,
    terms: CourseTerms = TERMS,
    published: bool = True,
    now: datetime = NOW,
) -> Course:
    """A course about one article, published by default."""
    article = article or await create_article(session, now=now)
    draft = course_draft(article, title=title, terms=terms)
    course = await save_course(session, None, draft, version=None, cause=Cause(now))
    if published:
        await publish_course(session, course.id, version=None, renew=False, cause=Cause(now))
    return course


async def create_learner(session: AsyncSession, *, disabled: bool = False) -> Account:
    return await create_account(session, role=Role.SUPPORT, name="Chen Li", disabled=disabled)


async def begin(
    session: AsyncSession, course: Course, account: Account, *, now: datetime = NOW, seed: str = "seed"
) -> QuizAttempt:
    return await begin_attempt(session, course.id, seed=seed, cause=Cause(now, account.id))


async def write_answers(
    session: AsyncSession, attempt: QuizAttempt, texts: Mapping[int, Sequence[str]]
) -> list[AnswerDraft]:
    """Answers that name options by their texts, as this attempt has their keys."""
    rows = await session.execute(
        select(QuizQuestion.position, QuizOption.id, QuizOption.text)
        .join(QuizOption, QuizOption.question_id == QuizQuestion.id)
        .where(QuizQuestion.course_version_id == attempt.course_version_id)
    )
    options: dict[int, dict[str, int]] = {}
    for number, option_id, text in rows:
        options.setdefault(number, {})[text] = option_id
    answers = []
    for number, chosen in texts.items():
        keys = {id: key for key, id in keys_of_options(list(options[number].values()), attempt.seed).items()}
        answers.append(AnswerDraft(number, [keys[options[number][text]] for text in chosen]))
    return answers


async def take(
    session: AsyncSession,
    course: Course,
    account: Account,
    *,
    answers: Mapping[int, Sequence[str]] = RIGHT,
    now: datetime = NOW,
) -> QuizAttempt:
    """An attempt that is begun and handed in at once, all right by default."""
    attempt = await begin(session, course, account, now=now)
    drafts = await write_answers(session, attempt, answers)
    return await hand_in(session, attempt.id, drafts, cause=Cause(now, account.id))


async def certify(
    session: AsyncSession, course: Course, account: Account, *, now: datetime = NOW
) -> Certificate:
    """The certificate of somebody who passes at once."""
    attempt = await take(session, course, account, now=now)
    return (await session.scalars(select(Certificate).where(Certificate.attempt_id == attempt.id))).one()
