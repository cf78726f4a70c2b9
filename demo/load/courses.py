"""Loading the courses of the staff, with some who have passed them and one whose certificate has expired."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content, CourseContent
from demo.content.kinds import QuestionContent
from domain.cause import Cause
from domain.training import (
    AnswerDraft,
    CourseDraft,
    OptionDraft,
    QuestionDraft,
    RequirementDraft,
    begin_attempt,
    end_overdue_certificate,
    hand_in,
    publish_course,
    save_course,
    save_requirement,
)
from domain.training.attempts import load_questions
from domain.training.grading import keys_of_options
from events.shop import Shop
from models import (
    Account,
    Article,
    Certificate,
    Course,
    QuestionKind,
    QuizAttempt,
    Role,
)

LONG_AGO = timedelta(days=400)
"""When those passed whose certificates have expired: they count for a year."""


async def load_courses(shop: Shop, content: Content) -> None:
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        rows = await session.execute(select(Article.slug, Article.id))
        articles = {row.slug: row.id for row in rows}
        staff = {account.role: account for account in await session.scalars(select(Account))}
        by = Cause(now, staff[Role.CATALOGUE].id)
        for each in content.courses:
            course = await save_course(session, None, draft_course(each, articles), version=None, cause=by)
            await publish_course(session, course.id, version=None, renew=False, cause=by)
            for role in each.passed_by:
                await pass_quiz(shop, session, course, staff[role], at=now)
            for role in each.expired_for:
                certificate = await pass_quiz(shop, session, course, staff[role], at=now - LONG_AGO)
                await expire(session, certificate, now=now)
            await require(session, each, course, Cause(now, staff[Role.MANAGER].id))


def draft_course(content: CourseContent, articles: Mapping[str, int]) -> CourseDraft:
    return CourseDraft(
        content.title,
        content.description,
        [articles[slug] for slug in content.articles],
        [draft_question(each) for each in content.questions],
        translations={"en": {"title": content.en.title, "description": content.en.description}},
    )


def draft_question(content: QuestionContent) -> QuestionDraft:
    english = {"prompt": content.en.prompt, "explanation": content.en.explanation}
    if content.en.situation is not None:
        english["situation"] = content.en.situation
    return QuestionDraft(
        content.kind,
        content.prompt,
        content.explanation,
        [
            OptionDraft(text, place in content.right, {"en": {"text": translation}})
            for place, (text, translation) in enumerate(
                zip(content.options, content.en.options, strict=True), start=1
            )
        ],
        content.situation,
        content.points,
        {"en": english},
    )


async def pass_quiz(
    shop: Shop, session: AsyncSession, course: Course, account: Account, *, at: datetime
) -> Certificate:
    """The certificate of somebody who answers everything right."""
    cause = Cause(at, account.id)
    attempt = await begin_attempt(session, course.id, seed=shop.secrets.new_token(), cause=cause)
    await hand_in(session, attempt.id, await write_right_answers(session, attempt), cause=cause)
    return (await session.scalars(select(Certificate).where(Certificate.attempt_id == attempt.id))).one()


async def write_right_answers(session: AsyncSession, attempt: QuizAttempt) -> list[AnswerDraft]:
    answers = []
    for number, question in enumerate(await load_questions(session, attempt.course_version_id), start=1):
        keys = keys_of_options([option.id for option in question.options], attempt.seed)
        names = {option_id: key for key, option_id in keys.items()}
        is_ordering = question.kind is QuestionKind.ORDERING
        right = [names[option.id] for option in question.options if is_ordering or option.is_correct]
        answers.append(AnswerDraft(number, right))
    return answers


async def expire(session: AsyncSession, certificate: Certificate, *, now: datetime) -> None:
    """End a certificate whose time was over long ago, of which nobody is told any more."""
    await end_overdue_certificate(session, certificate.id, now=now)
    certificate.notice_at = None


async def require(session: AsyncSession, content: CourseContent, course: Course, cause: Cause) -> None:
    """Let tickets or refunds take the certificate of a course, where the content says so."""
    limit = content.required_above
    for draft in (
        RequirementDraft(course.id, content.required_for) if content.required_for else None,
        RequirementDraft(course.id, limit=limit) if limit is not None else None,
    ):
        if draft is not None:
            await save_requirement(session, None, draft, version=None, force=False, cause=cause)
