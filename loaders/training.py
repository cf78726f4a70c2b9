from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import ByKey, Grouped, Loader, ManyByKey, loader
from loaders.page import Key, Sort
from models import (
    COUNTING,
    Account,
    Certificate,
    CertificateRequirement,
    CertificateStatus,
    Course,
    CourseArticle,
    CourseStatus,
    CourseVersion,
    QuizAnswer,
    QuizAttempt,
    QuizAttemptStatus,
    QuizChoice,
    QuizOption,
    QuizQuestion,
    QuizRelease,
    is_counting,
)
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_COURSE = Sort("newest", (Key(Course.id, descending=True),))
NEWEST_QUIZ_ATTEMPT = Sort("newest", (Key(QuizAttempt.id, descending=True),))
NEWEST_CERTIFICATE = Sort("newest", (Key(Certificate.id, descending=True),))

TAKER = tuple[int, int]
"""An account and a course."""


@dataclass(frozen=True, slots=True)
class CourseFigures:
    """How the staff have fared with a course."""

    passed: int = 0
    failed: int = 0
    open: int = 0
    certified: int = 0
    renewal_due: int = 0
    expired: int = 0


@dataclass(frozen=True, slots=True)
class CountedTries:
    """When somebody's attempts at a course began, the oldest first, and when they were released last."""

    started: Sequence[datetime] = ()
    released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CourseResult:
    """An attempt with who made it, and the certificate it brought."""

    name: str
    number: int
    attempt: QuizAttempt
    certificate: Certificate | None


def select_courses(status: CourseStatus | None) -> AnySelect:
    statement = select(Course)
    return statement if status is None else statement.where(Course.status == status)


def select_attempts(
    *, course_id: int | None, account_id: int | None, status: QuizAttemptStatus | None
) -> AnySelect:
    """The attempts of a list; everything given must hold."""
    statement = select(QuizAttempt)
    for column, value in (
        (QuizAttempt.course_id, course_id),
        (QuizAttempt.account_id, account_id),
        (QuizAttempt.status, status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return statement


def select_certificates(
    *, course_id: int | None, account_id: int | None, status: CertificateStatus | None
) -> AnySelect:
    """The certificates of a list; everything given must hold."""
    statement = select(Certificate)
    for column, value in (
        (Certificate.course_id, course_id),
        (Certificate.account_id, account_id),
        (Certificate.status, status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return statement


async def list_requirements(reads: Reads) -> Sequence[CertificateRequirement]:
    async with reads() as session:
        statement = select(CertificateRequirement).order_by(CertificateRequirement.id)
        return (await session.scalars(statement)).all()


async def load_holders_of_courses(
    reads: Reads, course_ids: Sequence[int], now: datetime
) -> Mapping[int, Sequence[Account]]:
    """The accounts in use whose certificate of a course counts, by course and by name."""
    statement = (
        select(Certificate.course_id, Account)
        .join(Account, Account.id == Certificate.account_id)
        .where(Certificate.course_id.in_(course_ids), is_counting(now), Account.disabled_at.is_(None))
        .order_by(Account.name, Account.id)
    )
    by_course: defaultdict[int, list[Account]] = defaultdict(list)
    async with reads() as session:
        for course_id, account in await session.execute(statement):
            by_course[course_id].append(account)
    return by_course


async def load_results(reads: Reads, course_id: int, *, limit: int) -> Sequence[CourseResult]:
    """The newest attempts at a course, each with who made it and what it brought."""
    statement = (
        select(Account.name, CourseVersion.number, QuizAttempt, Certificate)
        .join(Account, Account.id == QuizAttempt.account_id)
        .join(CourseVersion, CourseVersion.id == QuizAttempt.course_version_id)
        .outerjoin(Certificate, Certificate.attempt_id == QuizAttempt.id)
        .where(QuizAttempt.course_id == course_id)
        .order_by(QuizAttempt.id.desc())
        .limit(limit)
        .select_from(QuizAttempt)
    )
    async with reads() as session:
        return [CourseResult(*row) for row in await session.execute(statement)]


class CourseById(ByKey[int, Course]):
    key = Course.id


class CourseVersionById(ByKey[int, CourseVersion]):
    key = CourseVersion.id


class CourseVersionByNumber(Loader[tuple[int, int], CourseVersion | None]):
    """The version of a course with a number."""

    async def answer(self, keys: list[tuple[int, int]]) -> list[CourseVersion | None]:
        async with self.reads() as session:
            statement = select(CourseVersion).where(
                tuple_(CourseVersion.course_id, CourseVersion.number).in_(keys)
            )
            found = {(row.course_id, row.number): row for row in await session.scalars(statement)}
        return [found.get(key) for key in keys]


class CourseArticlesByVersion(ManyByKey[int, CourseArticle]):
    key = CourseArticle.course_version_id
    order_by = CourseArticle.position


class QuestionsByVersion(ManyByKey[int, QuizQuestion]):
    key = QuizQuestion.course_version_id
    order_by = QuizQuestion.position


class OptionsByQuestion(ManyByKey[int, QuizOption]):
    key = QuizOption.question_id
    order_by = QuizOption.position


class AnswersByAttempt(ManyByKey[int, QuizAnswer]):
    key = QuizAnswer.attempt_id
    order_by = QuizAnswer.question_id


class ChoicesByAttempt(ManyByKey[int, QuizChoice]):
    key = QuizChoice.attempt_id
    order_by = (QuizChoice.question_id, QuizChoice.position)


class QuizAttemptById(ByKey[int, QuizAttempt]):
    key = QuizAttempt.id


class CertificateById(ByKey[int, Certificate]):
    key = Certificate.id


class CertificateByAttempt(ByKey[int, Certificate]):
    key = Certificate.attempt_id


class RequirementById(ByKey[int, CertificateRequirement]):
    key = CertificateRequirement.id


class CertificateByTaker(Loader[TAKER, Certificate | None]):
    """The newest certificate that an account has of a course."""

    async def answer(self, keys: list[TAKER]) -> list[Certificate | None]:
        async with self.reads() as session:
            statement = (
                select(Certificate)
                .where(tuple_(Certificate.account_id, Certificate.course_id).in_(keys))
                .order_by(Certificate.id)
            )
            found = {(row.account_id, row.course_id): row for row in await session.scalars(statement)}
        return [found.get(key) for key in keys]


class TriesByTaker(Loader[TAKER, CountedTries]):
    """The attempts of an account at a course that can count, and their last release."""

    async def answer(self, keys: list[TAKER]) -> list[CountedTries]:
        attempts = (
            select(QuizAttempt.account_id, QuizAttempt.course_id, QuizAttempt.started_at)
            .where(tuple_(QuizAttempt.account_id, QuizAttempt.course_id).in_(keys))
            .where(QuizAttempt.status != QuizAttemptStatus.CANCELLED)
            .order_by(QuizAttempt.started_at)
        )
        releases = (
            select(QuizRelease.account_id, QuizRelease.course_id, func.max(QuizRelease.released_at))
            .where(tuple_(QuizRelease.account_id, QuizRelease.course_id).in_(keys))
            .group_by(QuizRelease.account_id, QuizRelease.course_id)
        )
        started: defaultdict[TAKER, list[datetime]] = defaultdict(list)
        async with self.reads() as session:
            for account_id, course_id, at in await session.execute(attempts):
                started[account_id, course_id].append(at)
            released = {(account, course): at for account, course, at in await session.execute(releases)}
        return [CountedTries(started[key], released.get(key)) for key in keys]


class FiguresByCourse(Grouped[int, CourseFigures]):
    """How the staff have fared with each course: two statements for all."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, CourseFigures]:
        attempts = (
            select(
                QuizAttempt.course_id,
                *(
                    func.count(case((QuizAttempt.status == status, QuizAttempt.id)))
                    for status in (QuizAttemptStatus.PASSED, QuizAttemptStatus.FAILED, QuizAttemptStatus.OPEN)
                ),
            )
            .where(QuizAttempt.course_id.in_(keys))
            .group_by(QuizAttempt.course_id)
        )
        certificates = (
            select(
                Certificate.course_id,
                func.count(case((Certificate.status.in_(COUNTING), Certificate.id))),
                func.count(case((Certificate.status == CertificateStatus.RENEWAL_DUE, Certificate.id))),
                func.count(case((is_missing_one(), Certificate.account_id)).distinct()),
            )
            .where(Certificate.course_id.in_(keys))
            .group_by(Certificate.course_id)
        )
        by_attempts = {course_id: counts for course_id, *counts in await session.execute(attempts)}
        by_certificates = {course_id: counts for course_id, *counts in await session.execute(certificates)}
        return {
            course_id: CourseFigures(
                *by_attempts.get(course_id, (0, 0, 0)), *by_certificates.get(course_id, (0, 0, 0))
            )
            for course_id in keys
        }

    def default(self) -> CourseFigures:
        return CourseFigures()


def is_missing_one() -> ColumnElement[bool]:
    """Whether a certificate's time is over and its holder has none that counts."""
    other = aliased(Certificate)
    has_another = exists().where(
        other.account_id == Certificate.account_id,
        other.course_id == Certificate.course_id,
        other.status.in_(COUNTING),
    )
    is_over = Certificate.status.in_((CertificateStatus.EXPIRED, CertificateStatus.LAPSED))
    return is_over & ~has_another


class TrainingLoaders:
    course = loader(CourseById)
    course_version = loader(CourseVersionById)
    course_version_by_number = loader(CourseVersionByNumber)
    course_articles = loader(CourseArticlesByVersion)
    quiz_questions = loader(QuestionsByVersion)
    quiz_options = loader(OptionsByQuestion)
    quiz_answers = loader(AnswersByAttempt)
    quiz_choices = loader(ChoicesByAttempt)
    quiz_attempt = loader(QuizAttemptById)
    certificate = loader(CertificateById)
    certificate_of_attempt = loader(CertificateByAttempt)
    certificate_of_taker = loader(CertificateByTaker)
    certificate_requirement = loader(RequirementById)
    tries_of_taker = loader(TriesByTaker)
    course_figures = loader(FiguresByCourse)
