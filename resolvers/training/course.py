"""Courses: listed, read and written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import strawberry

from domain.training import discard_course_draft, publish_course, save_course, withdraw_course
from domain.training.attempts import next_try_at
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.training import NEWEST_COURSE, CourseFigures, CourseResult, load_results, select_courses
from models import Article, Certificate, Course, CourseStatus, CourseVersion, QuizOption, QuizQuestion
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.training import CourseSaveInput
from resolvers.knowledge.article import visible_article
from resolvers.knowledge.suggestion import is_published
from resolvers.paging import query_page
from text.csv_cells import write_csv

CSV_LIMIT = 10_000
"""Attempts in one file: the newest ones."""

CSV_COLUMNS = (
    "name",
    "version",
    "status",
    "score_percent",
    "started_at",
    "ended_at",
    "certificate",
    "issued_at",
    "expires_at",
)


@dataclass(frozen=True, slots=True)
class TranslatedTexts:
    """The texts of something in another language."""

    language: str
    title: str | None = None
    description: str | None = None
    prompt: str | None = None
    situation: str | None = None
    explanation: str | None = None
    text: str | None = None


async def courses(
    info: Info, status: CourseStatus | None = None, page: PageRequest = FIRST_PAGE
) -> Page[Course]:
    """Courses, the newest first; all but clerks see the published ones only.

    status: only with this status
    """
    shown = status if writes_courses(info) else CourseStatus.PUBLISHED
    return await query_page(info, select_courses(shown), NEWEST_COURSE, page)


async def course(info: Info, id: strawberry.ID) -> Course | None:
    """One course; null when it does not exist or is not published.

    id: the course
    """
    return await find_course(info, row_id(id, "Course"))


async def find_course(info: Info, course_id: int) -> Course | None:
    """The course, if this viewer may see it."""
    if not info.context.viewer.may(Permission.TRAINING_TAKE):
        return None
    found = await info.context.load.course.load(course_id)
    if found is None or found.status is CourseStatus.PUBLISHED or writes_courses(info):
        return found
    return None


def writes_courses(info: Info) -> bool:
    return info.context.viewer.may(Permission.TRAINING_EDIT)


async def course_content(info: Info, id: strawberry.ID, number: int | None = None) -> CourseVersion | None:
    """All of a version of a course, with the right answers, for those who write courses.

    id: the course
    number: the version; left out, the draft, else what is published
    """
    found = await info.context.load.course.load(row_id(id, "Course"))
    if found is None:
        return None
    chosen = number or found.draft_number or found.published_number
    return await info.context.load.course_version_by_number.load((found.id, chosen or 0))


async def course_save(info: Info, input: CourseSaveInput) -> Course:
    """Writes the draft of a course, or of a new one: what is published stays until `coursePublish`."""
    context = info.context
    course_id = row_id(input.id, "Course") if input.id is not None else None
    draft = input.draft()
    async with context.transaction() as session:
        return await save_course(
            session, course_id, draft, version=input.changed_version(), cause=context.cause
        )


async def course_publish(
    info: Info, id: strawberry.ID, version: int | None = None, renew: bool = False
) -> Course:
    """Publishes the draft of a course; attempts that have begun go on with the version they began on.

    id: the course
    version: the version you have read; CONFLICT when somebody changed it since
    renew: ask all who hold its certificate to pass again
    """
    context, course_id = info.context, row_id(id, "Course")
    async with context.transaction() as session:
        return await publish_course(session, course_id, version=version, renew=renew, cause=context.cause)


async def course_draft_discard(info: Info, id: strawberry.ID) -> Course:
    """Drops the draft beside a published version.

    id: the course
    """
    async with info.context.transaction() as session:
        return await discard_course_draft(session, row_id(id, "Course"), cause=info.context.cause)


async def course_withdraw(info: Info, id: strawberry.ID) -> Course:
    """Lets nobody take a course any more: open attempts end uncounted, and its certificates are revoked.
    CONFLICT while something requires its certificate.

    id: the course
    """
    async with info.context.transaction() as session:
        return await withdraw_course(session, row_id(id, "Course"), cause=info.context.cause)


async def published(courses: Sequence[Course], info: Info) -> Sequence[CourseVersion | None]:
    """What is taken now; null before it is published."""
    return await versions_of([(each.id, each.published_number) for each in courses], info)


async def draft(courses: Sequence[Course], info: Info) -> Sequence[CourseVersion | None]:
    """What is being written; null where nothing is, and for all who do not write courses."""
    if not writes_courses(info):
        return [None] * len(courses)
    return await versions_of([(each.id, each.draft_number) for each in courses], info)


async def versions_of(keys: Sequence[tuple[int, int | None]], info: Info) -> Sequence[CourseVersion | None]:
    """The versions with these numbers, None where there is no number."""
    load = info.context.load.course_version_by_number
    numbered = [(id, number) for id, number in keys if number is not None]
    found = dict(zip(numbered, await load.load_many(numbered), strict=True))
    return [None if number is None else found[id, number] for id, number in keys]


async def articles(versions: Sequence[CourseVersion], info: Info) -> Sequence[Sequence[Article]]:
    """What it teaches, in their order and, where there is one, in the viewer's language."""
    load = info.context.load
    taught = await load.course_articles.load_many([each.id for each in versions])
    ids = list(dict.fromkeys(row.article_id for rows in taught for row in rows))
    originals = await load.article.load_many(ids)
    groups = await load.article_translations.load_many(ids)
    shown = {
        id: choose_translation([original, *group] if original else group, info)
        for id, original, group in zip(ids, originals, groups, strict=True)
    }
    return [[found for row in rows if (found := shown[row.article_id])] for rows in taught]


def choose_translation(group: Sequence[Article], info: Info) -> Article | None:
    """Of the translations of an article, the one in the viewer's language, else the first that is read."""
    readable = [each for each in group if is_published(each) and visible_article(info, each)]
    primary = info.context.viewer_of(info).language.partition("-")[0].lower()
    same = (each for each in readable if each.language.partition("-")[0].lower() == primary)
    return next(same, readable[0] if readable else None)


async def question_count(versions: Sequence[CourseVersion], info: Info) -> Sequence[int]:
    """How many questions its quiz has."""
    found = await info.context.load.quiz_questions.load_many([each.id for each in versions])
    return [len(questions) for questions in found]


async def my_certificate(courses: Sequence[Course], info: Info) -> Sequence[Certificate | None]:
    """The viewer's newest certificate of it, whether it counts or not; null where they have none."""
    account_id = info.context.viewer.id
    load = info.context.load.certificate_of_taker
    return await load.load_many([(account_id, each.id) for each in courses])


async def next_attempt_at(courses: Sequence[Course], info: Info) -> Sequence[datetime | None]:
    """From when the viewer can begin an attempt: a moment that has passed where that is now; null where the
    course is not taken."""
    load, account_id, now = info.context.load, info.context.viewer.id, info.context.now
    versions = await published(courses, info)
    tries = await load.tries_of_taker.load_many([(account_id, each.id) for each in courses])
    return [
        next_try_at(
            counted.started,
            released_at=counted.released_at,
            tries=version.tries,
            period=timedelta(days=version.period_days),
            now=now,
        )
        if version is not None and each.status is CourseStatus.PUBLISHED
        else None
        for each, version, counted in zip(courses, versions, tries, strict=True)
    ]


async def figures(courses: Sequence[Course], info: Info) -> Sequence[CourseFigures | None]:
    """How the staff have fared with it; null for all but managers."""
    if not info.context.viewer.may(Permission.TRAINING_MANAGE):
        return [None] * len(courses)
    return await info.context.load.course_figures.load_many([each.id for each in courses])


async def course_results_csv(info: Info, course_id: strawberry.ID) -> str:
    """Who has tried a course when, and what came of it, as a CSV file: the newest 10,000 attempts.

    course_id: the course
    """
    found = row_id(course_id, "Course", field=("course_id",))
    results = await load_results(info.context.shop.database.reads, found, limit=CSV_LIMIT)
    return write_csv(CSV_COLUMNS, map(csv_row, results))


def csv_row(result: CourseResult) -> Sequence[str]:
    attempt, certificate = result.attempt, result.certificate
    score = "" if attempt.score is None else str(attempt.score * 100 // attempt.best_score)
    moments = [attempt.started_at, attempt.ended_at]
    brought = [certificate.issued_at, certificate.expires_at] if certificate else [None, None]
    return [
        result.name,
        str(result.number),
        attempt.status.value,
        score,
        *map(write_moment, moments),
        certificate.status.value if certificate else "",
        *map(write_moment, brought),
    ]


def write_moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")


def translations(root: CourseVersion | QuizQuestion | QuizOption) -> list[TranslatedTexts]:
    """Its texts in other languages."""
    return [TranslatedTexts(language, **texts) for language, texts in sorted(root.translations.items())]
