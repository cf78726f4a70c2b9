"""Courses of articles with a quiz, who has passed which, and what only those may do who have."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.aftersales import TicketType
from models.base import Base, Id, Translations
from models.money import CurrencyCode, Money

IS_OPEN_ATTEMPT = text("status = 'OPEN'")
COUNTS = text("status IN ('VALID', 'RENEWAL_DUE')")
IS_DRAFT = text("published_at IS NULL")


class CourseStatus(StrEnum):
    """Whether a course can be taken."""

    DRAFT = "DRAFT"
    """It has never been published."""
    PUBLISHED = "PUBLISHED"
    """The staff can take it."""
    WITHDRAWN = "WITHDRAWN"
    """It is not taken any more, and its certificates do not count."""


class QuestionKind(StrEnum):
    """How a question of a quiz is answered."""

    SINGLE = "SINGLE"
    """One option is right."""
    MULTIPLE = "MULTIPLE"
    """One or more options are right."""
    ORDERING = "ORDERING"
    """All options are brought into their right order."""
    CASE = "CASE"
    """A case is described, and one of the decisions is right."""


class QuizAttemptStatus(StrEnum):
    """Where an attempt at a quiz stands."""

    OPEN = "OPEN"
    """It is being answered."""
    PASSED = "PASSED"
    """It reached the pass mark."""
    FAILED = "FAILED"
    """It did not reach the pass mark."""
    CANCELLED = "CANCELLED"
    """The course was withdrawn meanwhile: it does not count as a try."""


class CertificateStatus(StrEnum):
    """Whether a certificate counts."""

    VALID = "VALID"
    """It counts."""
    RENEWAL_DUE = "RENEWAL_DUE"
    """What was learned has changed: it counts until the day by which the quiz is passed again."""
    RENEWED = "RENEWED"
    """The quiz was passed again: a newer certificate counts."""
    EXPIRED = "EXPIRED"
    """Its time is over."""
    LAPSED = "LAPSED"
    """What was learned had changed, and the quiz was not passed again in time."""
    REVOKED = "REVOKED"
    """A manager took it back, or its course was withdrawn."""


class CertificateSubject(StrEnum):
    """What a certificate can be required for."""

    TICKETS = "TICKETS"
    """To be given tickets of a type, and to decide them."""
    REFUNDS = "REFUNDS"
    """To approve or give refunds above an amount."""


class Course(Base):
    """Articles to be learned, and the quiz about them; its text is that of its newest version."""

    __tablename__ = "courses"

    id: Mapped[Id]
    status: Mapped[CourseStatus] = mapped_column(index=True)
    title: Mapped[str]
    translations: Mapped[Translations]
    version: Mapped[int]
    """One higher with each change."""
    draft_number: Mapped[int | None]
    """The version that is being written; None where there is none."""
    published_number: Mapped[int | None]
    """The version that is taken; None before the first one."""
    renewal_since: Mapped[datetime | None]
    """Since when a version is published that everybody must learn anew."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class CourseVersion(Base):
    """One version of a course with its terms; it does not change once it is published."""

    __tablename__ = "course_versions"
    __table_args__ = (
        UniqueConstraint("course_id", "number"),
        CheckConstraint("pass_percent BETWEEN 1 AND 100", name="pass_percent"),
        Index(
            "ix_course_versions_draft",
            "course_id",
            unique=True,
            sqlite_where=IS_DRAFT,
            postgresql_where=IS_DRAFT,
        ),
    )

    id: Mapped[Id]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    number: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    translations: Mapped[Translations]
    pass_percent: Mapped[int]
    tries: Mapped[int]
    """How many attempts may begin within `period_days`."""
    period_days: Mapped[int]
    minutes: Mapped[int]
    """How long an attempt may take."""
    valid_days: Mapped[int | None]
    """How long a certificate counts; None for good."""
    renew_days: Mapped[int]
    """How long who is asked again has time to pass."""
    author_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class CourseArticle(Base):
    """An article that a version of a course teaches: the first one of its translations."""

    __tablename__ = "course_articles"

    course_version_id: Mapped[int] = mapped_column(ForeignKey("course_versions.id"), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id"), primary_key=True, index=True)
    position: Mapped[int]


class QuizQuestion(Base):
    """A question of the quiz of one version of a course."""

    __tablename__ = "quiz_questions"
    __table_args__ = (UniqueConstraint("course_version_id", "position"),)

    id: Mapped[Id]
    course_version_id: Mapped[int] = mapped_column(ForeignKey("course_versions.id"))
    position: Mapped[int]
    """Its place in the quiz, from 1 on."""
    kind: Mapped[QuestionKind]
    situation: Mapped[str | None]
    """The case that is to be decided."""
    prompt: Mapped[str]
    explanation: Mapped[str]
    """Why the right answer is right."""
    points: Mapped[int]
    translations: Mapped[Translations]


class QuizOption(Base):
    """An option of a question; in an ordering, `position` is its right place."""

    __tablename__ = "quiz_options"
    __table_args__ = (UniqueConstraint("question_id", "position"),)

    id: Mapped[Id]
    question_id: Mapped[int] = mapped_column(ForeignKey("quiz_questions.id"))
    position: Mapped[int]
    text: Mapped[str]
    is_correct: Mapped[bool]
    translations: Mapped[Translations]


class QuizAttempt(Base):
    """One attempt of somebody at the quiz of a version of a course."""

    __tablename__ = "quiz_attempts"
    __table_args__ = (
        Index(
            "ix_quiz_attempts_open",
            "account_id",
            "course_id",
            unique=True,
            sqlite_where=IS_OPEN_ATTEMPT,
            postgresql_where=IS_OPEN_ATTEMPT,
        ),
        Index(
            "ix_quiz_attempts_due_at",
            "due_at",
            sqlite_where=IS_OPEN_ATTEMPT,
            postgresql_where=IS_OPEN_ATTEMPT,
        ),
        Index("ix_quiz_attempts_course_id_account_id", "course_id", "account_id"),
    )

    id: Mapped[Id]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    course_version_id: Mapped[int] = mapped_column(ForeignKey("course_versions.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    status: Mapped[QuizAttemptStatus]
    seed: Mapped[str]
    """A random text that the order of its options follows from."""
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When it ends by itself."""
    ended_at: Mapped[datetime | None]
    handed_in_at: Mapped[datetime | None]
    """None where it ended by itself."""
    score: Mapped[int | None]
    """The sum of the credit of its answers times the points of their questions; None while it is open."""
    best_score: Mapped[int]
    """The score of right answers only."""


class QuizAnswer(Base):
    """The answer to one question in an attempt."""

    __tablename__ = "quiz_answers"

    attempt_id: Mapped[int] = mapped_column(ForeignKey("quiz_attempts.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("quiz_questions.id"), primary_key=True)
    answered_at: Mapped[datetime]
    credit: Mapped[int | None]
    """How right it is, in percent; None until the attempt has ended."""


class QuizChoice(Base):
    """An option that an answer names, at its place among those it names."""

    __tablename__ = "quiz_choices"

    attempt_id: Mapped[int] = mapped_column(ForeignKey("quiz_attempts.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("quiz_questions.id"), primary_key=True)
    option_id: Mapped[int] = mapped_column(ForeignKey("quiz_options.id"), primary_key=True)
    position: Mapped[int]


class QuizRelease(Base):
    """A manager lets somebody try again: what they tried before is not counted any more."""

    __tablename__ = "quiz_releases"
    __table_args__ = (Index("ix_quiz_releases_course_id_account_id", "course_id", "account_id"),)

    id: Mapped[Id]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    released_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    released_at: Mapped[datetime]
    reason: Mapped[str]


class Certificate(Base):
    """Somebody has passed the quiz of a course."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("attempt_id"),
        Index(
            "ix_certificates_counting",
            "account_id",
            "course_id",
            unique=True,
            sqlite_where=COUNTS,
            postgresql_where=COUNTS,
        ),
        Index("ix_certificates_course_id_status", "course_id", "status"),
        Index("ix_certificates_notice_at", "notice_at"),
    )

    id: Mapped[Id]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    course_version_id: Mapped[int] = mapped_column(ForeignKey("course_versions.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("quiz_attempts.id"))
    status: Mapped[CertificateStatus]
    learned_at: Mapped[datetime]
    """When its attempt began: what changed later was not learned."""
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """When its time is over; None where it counts for good."""
    renew_by: Mapped[datetime | None]
    """By when the quiz is to be passed again; None where nothing has changed."""
    changed_article_id: Mapped[int | None] = mapped_column(ForeignKey("articles.id"))
    """The article that has changed; None where the course has."""
    ended_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str | None]
    """Why it was revoked."""
    notice_at: Mapped[datetime | None]
    """When its holder is told next what has become of it, or that it expires soon."""


COUNTING = (CertificateStatus.VALID, CertificateStatus.RENEWAL_DUE)


def is_counting(now: datetime) -> ColumnElement[bool]:
    """Whether a certificate counts: not after its time, also before the timer has noted that."""
    return (
        Certificate.status.in_(COUNTING)
        & or_(Certificate.expires_at.is_(None), Certificate.expires_at > now)
        & or_(Certificate.renew_by.is_(None), Certificate.renew_by > now)
    )


class CertificateRequirement(Base):
    """What only those may do who hold the certificate of a course."""

    __tablename__ = "certificate_requirements"
    __table_args__ = (
        CheckConstraint(
            "(subject = 'TICKETS' AND ticket_type IS NOT NULL AND currency IS NULL AND amount IS NULL) OR "
            "(subject = 'REFUNDS' AND ticket_type IS NULL AND currency IS NOT NULL AND amount IS NOT NULL)",
            name="subject",
        ),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    """What it is about and its course: there is one requirement of each."""
    subject: Mapped[CertificateSubject]
    ticket_type: Mapped[TicketType | None]
    currency: Mapped[CurrencyCode | None]
    amount: Mapped[int | None] = mapped_column(BigInteger)
    """Refunds of more minor units than this need it."""
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    version: Mapped[int]
    updated_at: Mapped[datetime]

    @property
    def refunds_above(self) -> Money | None:
        """The amount above which refunds need it; None for tickets."""
        if self.currency is None or self.amount is None:
            return None
        return Money(self.amount, self.currency)
