"""Certificates: issued, asked to be renewed when what was learned changes, and ended when their time is over.

What is due is found by comparing rows, not told by events: however an article or a course comes to change,
whoever learned it earlier is asked again.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.cause import Cause
from domain.errors import Invalid, NotFound
from domain.state import move, transition_table
from models import (
    COUNTING,
    Article,
    Certificate,
    CertificateStatus,
    Course,
    CourseArticle,
    CourseVersion,
    QuizAttempt,
)
from models.sql.types import AnySelect

S = CertificateStatus
TRANSITIONS = transition_table(
    S.VALID,
    {
        S.VALID: {S.RENEWAL_DUE, S.RENEWED, S.EXPIRED, S.REVOKED},
        S.RENEWAL_DUE: {S.RENEWED, S.EXPIRED, S.LAPSED, S.REVOKED},
        S.RENEWED: set(),
        S.EXPIRED: set(),
        S.LAPSED: set(),
        S.REVOKED: set(),
    },
)

EXPIRY_NOTICE_BEFORE = timedelta(days=14)
"""How long before a certificate expires its holder is told."""
RENEWAL_NOTICE_BEFORE = timedelta(days=3)
"""How long before the deadline whoever was asked again is reminded."""
REASON_LIMIT = 500


async def issue_certificate(
    session: AsyncSession, attempt: QuizAttempt, edition: CourseVersion, *, now: datetime
) -> Certificate:
    """The certificate of an attempt that has passed, in place of the one that its holder had."""
    former = await session.scalar(
        select(Certificate)
        .where(
            Certificate.account_id == attempt.account_id,
            Certificate.course_id == attempt.course_id,
            Certificate.status.in_(COUNTING),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if former is not None:
        end_certificate(former, S.RENEWED, now)
        former.notice_at = None
        await session.flush()
    expires_at = None if edition.valid_days is None else now + timedelta(days=edition.valid_days)
    certificate = Certificate(
        course_id=attempt.course_id,
        course_version_id=attempt.course_version_id,
        account_id=attempt.account_id,
        attempt_id=attempt.id,
        status=S.VALID,
        learned_at=attempt.started_at,
        issued_at=now,
        expires_at=expires_at,
        notice_at=remind_at(now, expires_at, EXPIRY_NOTICE_BEFORE),
    )
    session.add(certificate)
    await session.flush()
    return certificate


def remind_at(now: datetime, ends_at: datetime | None, before: timedelta) -> datetime | None:
    """When somebody is told of an end; None where that is at once, or never."""
    return ends_at - before if ends_at is not None and ends_at - before > now else None


def end_certificate(certificate: Certificate, status: CertificateStatus, at: datetime) -> None:
    """End a locked certificate; its holder is told."""
    move(certificate, status, TRANSITIONS)
    certificate.ended_at = certificate.notice_at = at


def changed_articles() -> AnySelect:
    """The articles of a certificate's version that have changed since they were learned, in any language."""
    taught = aliased(CourseArticle)
    return (
        select(Article.id)
        .join(taught, or_(Article.id == taught.article_id, Article.original_id == taught.article_id))
        .where(
            taught.course_version_id == Certificate.course_version_id,
            Article.substance_changed_at > Certificate.learned_at,
        )
        .correlate(Certificate)
    )


def changed_course() -> AnySelect:
    """The course of a certificate, where a version that all must learn was published since."""
    return (
        select(Course.id)
        .where(Course.id == Certificate.course_id, Course.renewal_since > Certificate.learned_at)
        .correlate(Certificate)
    )


def needs_renewal() -> ColumnElement[bool]:
    """Whether what was learned for a certificate has changed since."""
    return or_(exists(changed_articles()), exists(changed_course()))


def select_renewals(now: datetime) -> AnySelect:
    """The ids of certificates whose holders are to be asked again, and have not been."""
    # `now` decides nothing here: what has changed has changed
    return (
        select(Certificate.id).where(Certificate.status == S.VALID, needs_renewal()).order_by(Certificate.id)
    )


async def ask_for_renewal(session: AsyncSession, certificate_id: int, *, cause: Cause) -> None:
    """Ask the holder of a certificate to pass again by a deadline, until which it counts; once."""
    certificate = await lock_certificate(session, certificate_id)
    if certificate.status is not S.VALID:
        return
    found = (
        await session.execute(
            select(
                needs_renewal(),
                changed_articles().order_by(Article.substance_changed_at.desc()).limit(1).scalar_subquery(),
            ).where(Certificate.id == certificate_id)
        )
    ).one()
    needed, article_id = found
    if not needed:
        return
    days = await session.scalar(
        select(CourseVersion.renew_days)
        .join(Course, Course.id == CourseVersion.course_id)
        .where(Course.id == certificate.course_id, CourseVersion.number == Course.published_number)
    )
    move(certificate, S.RENEWAL_DUE, TRANSITIONS)
    certificate.changed_article_id = article_id
    certificate.renew_by = cause.now + timedelta(days=days or 0)
    certificate.notice_at = cause.now


def deadline_of(certificate: Certificate) -> datetime | None:
    """When a certificate that counts ends by itself: its time is over, or it was not renewed."""
    ends = [at for at in (certificate.expires_at, certificate.renew_by) if at is not None]
    return min(ends, default=None)


def select_ended(now: datetime) -> AnySelect:
    """The ids of certificates that count and whose time is over."""
    is_over = or_(Certificate.expires_at <= now, Certificate.renew_by <= now)
    return select(Certificate.id).where(Certificate.status.in_(COUNTING), is_over).order_by(Certificate.id)


async def end_overdue_certificate(session: AsyncSession, certificate_id: int, *, now: datetime) -> None:
    """Note that the time of a certificate is over; once, and not while it counts."""
    certificate = await lock_certificate(session, certificate_id)
    ends_at = deadline_of(certificate)
    if certificate.status not in COUNTING or ends_at is None or ends_at > now:
        return
    end_certificate(certificate, S.EXPIRED if ends_at == certificate.expires_at else S.LAPSED, ends_at)
    certificate.notice_at = now


async def revoke_certificate(
    session: AsyncSession, certificate_id: int, *, reason: str, cause: Cause
) -> Certificate:
    """Take a certificate back, for a reason that its holder reads."""
    text = clean_reason(reason)
    certificate = await lock_certificate(session, certificate_id)
    end_certificate(certificate, S.REVOKED, cause.now)
    certificate.revoked_by_id, certificate.reason = cause.by, text
    return certificate


async def revoke_all(session: AsyncSession, course_id: int, *, cause: Cause) -> None:
    """Take back all certificates of a course that count."""
    ended = update(Certificate).where(Certificate.course_id == course_id, Certificate.status.in_(COUNTING))
    values = {
        "status": S.REVOKED,
        "ended_at": cause.now,
        "notice_at": cause.now,
        "revoked_by_id": cause.by,
    }
    await session.execute(ended.values(values).execution_options(synchronize_session=False))


def clean_reason(reason: str) -> str:
    text = reason.strip()
    if not 1 <= len(text) <= REASON_LIMIT:
        raise Invalid("Write 1 to {limit} characters.", limit=REASON_LIMIT, field=("reason",))
    return text


async def lock_certificate(session: AsyncSession, certificate_id: int) -> Certificate:
    certificate = await session.get(Certificate, certificate_id, with_for_update=True, populate_existing=True)
    if certificate is None:
        raise NotFound("certificate", field=("id",))
    return certificate
