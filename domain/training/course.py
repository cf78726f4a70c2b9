"""Courses: written as drafts, published in versions, withdrawn."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, Invalid, NotFound, WrongState, collect_refusals
from domain.state import move, transition_table
from domain.training.certificates import revoke_all
from domain.training.course_text import CourseDraft, QuestionDraft, check_course
from domain.versions import check_version
from models import (
    Article,
    ArticleStatus,
    CertificateRequirement,
    Course,
    CourseArticle,
    CourseStatus,
    CourseVersion,
    QuizAttempt,
    QuizAttemptStatus,
    QuizOption,
    QuizQuestion,
    Translations,
)

TRANSITIONS = transition_table(
    CourseStatus.DRAFT,
    {
        CourseStatus.DRAFT: {CourseStatus.PUBLISHED, CourseStatus.WITHDRAWN},
        CourseStatus.PUBLISHED: {CourseStatus.WITHDRAWN},
        CourseStatus.WITHDRAWN: {CourseStatus.PUBLISHED},
    },
)

WITHOUT_KEY = {"key_share": True}
"""A lock that lets rows of others, such as certificates, still refer to the row."""


async def save_course(
    session: AsyncSession, course_id: int | None, draft: CourseDraft, *, version: int | None, cause: Cause
) -> Course:
    """Write the draft of a course, or of a new one: what is published stays as it is.

    Conflict unless `version` is the current one.
    """
    course = await lock_course(session, course_id) if course_id is not None else None
    if course is not None:
        check_version(course, version)
    with collect_refusals() as check:
        with check:
            check_course(draft)
        article_ids = await find_articles(session, draft.article_ids, check.add)
    if course is None:
        course = new_course(draft, cause)
        session.add(course)
        await session.flush()
    else:
        course.version, course.updated_at = course.version + 1, cause.now
    await write_draft(session, course, draft, article_ids, cause=cause)
    return course


def new_course(draft: CourseDraft, cause: Cause) -> Course:
    return Course(
        status=CourseStatus.DRAFT,
        title=draft.title.strip(),
        translations=strip_texts(draft.translations),
        version=1,
        created_at=cause.now,
        updated_at=cause.now,
    )


async def find_articles(
    session: AsyncSession, article_ids: Sequence[int], refuse: Callable[[NotFound], None]
) -> Sequence[int]:
    """The first ones of the translations of these articles; refuses each that there is not."""
    rows = await session.execute(select(Article.id, Article.original_id).where(Article.id.in_(article_ids)))
    first_ids = {id: original_id or id for id, original_id in rows}
    for index, article_id in enumerate(article_ids):
        if article_id not in first_ids:
            refuse(NotFound("article", field=("article_ids", index)))
    return list(dict.fromkeys(first_ids[id] for id in article_ids if id in first_ids))


async def write_draft(
    session: AsyncSession, course: Course, draft: CourseDraft, article_ids: Sequence[int], *, cause: Cause
) -> None:
    """Let the draft of a locked course hold exactly this."""
    edition = await find_draft(session, course)
    if edition is None:
        course.draft_number = (course.published_number or 0) + 1
        edition = CourseVersion(course_id=course.id, number=course.draft_number, created_at=cause.now)
        session.add(edition)
    else:
        await delete_content(session, edition.id)
    edition.title, edition.description = draft.title.strip(), draft.description.strip()
    edition.translations, edition.author_id = strip_texts(draft.translations), cause.by
    terms = draft.terms
    edition.pass_percent, edition.tries, edition.period_days = (
        terms.pass_percent,
        terms.tries,
        terms.period_days,
    )
    edition.minutes, edition.valid_days, edition.renew_days = (
        terms.minutes,
        terms.valid_days,
        terms.renew_days,
    )
    if course.published_number is None:
        course.title, course.translations = edition.title, edition.translations
    await session.flush()
    for position, article_id in enumerate(article_ids, start=1):
        session.add(CourseArticle(course_version_id=edition.id, article_id=article_id, position=position))
    for position, question in enumerate(draft.questions, start=1):
        await write_question(session, edition.id, position, question)
    await session.flush()


async def write_question(
    session: AsyncSession, course_version_id: int, position: int, draft: QuestionDraft
) -> None:
    question = QuizQuestion(
        course_version_id=course_version_id,
        position=position,
        kind=draft.kind,
        situation=draft.situation.strip() if draft.situation is not None else None,
        prompt=draft.prompt.strip(),
        explanation=draft.explanation.strip(),
        points=draft.points,
        translations=strip_texts(draft.translations),
    )
    session.add(question)
    await session.flush()
    for place, option in enumerate(draft.options, start=1):
        session.add(
            QuizOption(
                question_id=question.id,
                position=place,
                text=option.text.strip(),
                is_correct=option.is_correct,
                translations=strip_texts(option.translations),
            )
        )


async def delete_content(session: AsyncSession, course_version_id: int) -> None:
    """Delete the articles and questions of a draft, which no attempt refers to."""
    questions = select(QuizQuestion.id).where(QuizQuestion.course_version_id == course_version_id)
    for statement in (
        delete(QuizOption).where(QuizOption.question_id.in_(questions)),
        delete(QuizQuestion).where(QuizQuestion.course_version_id == course_version_id),
        delete(CourseArticle).where(CourseArticle.course_version_id == course_version_id),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))


async def publish_course(
    session: AsyncSession, course_id: int, *, version: int | None, renew: bool, cause: Cause
) -> Course:
    """Publish the draft of a course; a withdrawn one without a draft is published again as it was.

    With `renew`, all who hold a certificate are asked to pass again; attempts that have begun go on as they
    are.
    """
    course = await lock_course(session, course_id)
    check_version(course, version)
    draft = await find_draft(session, course)
    if course.status is CourseStatus.PUBLISHED and draft is None:
        raise WrongState("This course has no draft to publish.", field=("id",))
    if draft is None and course.published_number is None:
        raise WrongState("This course has no draft to publish.", field=("id",))
    if course.status is not CourseStatus.PUBLISHED:
        move(course, CourseStatus.PUBLISHED, TRANSITIONS)
    await refuse_unpublished_articles(session, course, draft)
    if draft is not None:
        if renew and course.published_number is not None:
            course.renewal_since = cause.now
        draft.published_at = cause.now
        course.published_number, course.draft_number = draft.number, None
        course.title, course.translations = draft.title, draft.translations
    course.withdrawn_at = None
    course.version, course.updated_at = course.version + 1, cause.now
    await session.flush()
    return course


async def refuse_unpublished_articles(
    session: AsyncSession, course: Course, draft: CourseVersion | None
) -> None:
    """Refuse a course that teaches what the staff cannot read."""
    number = draft.number if draft is not None else course.published_number
    missing = await session.scalar(
        select(Article.title)
        .join(CourseArticle, CourseArticle.article_id == Article.id)
        .join(CourseVersion, CourseVersion.id == CourseArticle.course_version_id)
        .where(CourseVersion.course_id == course.id, CourseVersion.number == number)
        .where((Article.status != ArticleStatus.PUBLISHED) | Article.archived_at.is_not(None))
        .order_by(CourseArticle.position)
        .limit(1)
    )
    if missing is not None:
        raise Invalid("Publish the article {title} first.", title=missing, field=("id",))


async def discard_course_draft(session: AsyncSession, course_id: int, *, cause: Cause) -> Course:
    """Drop the draft beside a published version."""
    course = await lock_course(session, course_id)
    draft = await find_draft(session, course)
    if draft is None or course.published_number is None:
        raise WrongState("This course has no draft beside what is published.", field=("id",))
    await delete_content(session, draft.id)
    await session.delete(draft)
    course.draft_number = None
    course.version, course.updated_at = course.version + 1, cause.now
    await session.flush()
    return course


async def withdraw_course(session: AsyncSession, course_id: int, *, cause: Cause) -> Course:
    """Let nobody take a course any more: attempts that have begun end as if they had not been made, and its
    certificates do not count any more.

    Conflict while something requires its certificate.
    """
    course = await lock_course(session, course_id)
    required = select(CertificateRequirement.id).where(CertificateRequirement.course_id == course_id)
    if await session.scalar(required.limit(1)) is not None:
        raise Conflict("Its certificate is required: change that first.", field=("id",))
    move(course, CourseStatus.WITHDRAWN, TRANSITIONS)
    course.withdrawn_at = cause.now
    course.version, course.updated_at = course.version + 1, cause.now
    await session.flush()
    open_attempts = update(QuizAttempt).where(
        QuizAttempt.course_id == course_id, QuizAttempt.status == QuizAttemptStatus.OPEN
    )
    await session.execute(
        open_attempts.values(status=QuizAttemptStatus.CANCELLED, ended_at=cause.now).execution_options(
            synchronize_session=False
        )
    )
    await revoke_all(session, course_id, cause=cause)
    return course


async def lock_course(session: AsyncSession, course_id: int) -> Course:
    course = await session.get(Course, course_id, with_for_update=WITHOUT_KEY, populate_existing=True)
    if course is None:
        raise NotFound("course", field=("id",))
    return course


async def find_draft(session: AsyncSession, course: Course) -> CourseVersion | None:
    if course.draft_number is None:
        return None
    return await find_version(session, course.id, course.draft_number)


async def find_version(session: AsyncSession, course_id: int, number: int | None) -> CourseVersion | None:
    """The version of a course with a number."""
    statement = select(CourseVersion).where(
        CourseVersion.course_id == course_id, CourseVersion.number == number
    )
    return await session.scalar(statement)


def strip_texts(translations: Mapping[str, Mapping[str, str]]) -> Translations:
    return {tag: {name: text.strip() for name, text in texts.items()} for tag, texts in translations.items()}
