"""What only those may do who hold a certificate: be given tickets of a type, approve large refunds.

Managers always may: a certificate that expires never locks the shop.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, Invalid, NotFound, Path, collect_refusals
from domain.training.course import WITHOUT_KEY
from domain.versions import check_version
from models import (
    GRANTS,
    Account,
    Certificate,
    CertificateRequirement,
    CertificateSubject,
    Course,
    CourseStatus,
    Money,
    Permission,
    TicketType,
    is_counting,
)
from models.sql.types import AnyAttribute
from text.messages import Localized

WORK: Mapping[CertificateSubject, Permission] = {
    CertificateSubject.TICKETS: Permission.TICKET_HANDLE,
    CertificateSubject.REFUNDS: Permission.REFUND,
}
"""What it takes besides the certificate."""


class CertificateRequired(DomainError):
    code = ErrorCode.CERTIFICATE_REQUIRED

    def __init__(self, title: Localized, *, field: Path) -> None:
        super().__init__("This takes the certificate of the course {title}.", title=title, field=field)


class NobodyCertified(DomainError):
    code = ErrorCode.NOBODY_CERTIFIED

    def __init__(self) -> None:
        super().__init__(
            "Nobody who could do it holds this certificate: until somebody does, only managers could.",
            field=("force",),
        )


@dataclass(frozen=True, slots=True)
class GuardedTask:
    """What somebody is about to do: handle a ticket of a type, or give a refund."""

    ticket_type: TicketType | None = None
    refund: Money | None = None

    @property
    def subject(self) -> CertificateSubject:
        return CertificateSubject.REFUNDS if self.ticket_type is None else CertificateSubject.TICKETS

    def concerns(self) -> ColumnElement[bool]:
        """Whether a requirement is about it."""
        if self.refund is None:
            return CertificateRequirement.ticket_type == self.ticket_type
        return (CertificateRequirement.currency == self.refund.currency) & (
            CertificateRequirement.amount < self.refund.minor
        )


@dataclass(frozen=True, slots=True)
class RequirementDraft:
    """A requirement: of one ticket type, or of refunds above an amount."""

    course_id: int
    ticket_type: TicketType | None = None
    limit: Money | None = None

    @property
    def subject(self) -> CertificateSubject:
        return CertificateSubject.REFUNDS if self.ticket_type is None else CertificateSubject.TICKETS

    @property
    def key(self) -> str:
        about = (
            self.ticket_type.value if self.ticket_type else self.limit.currency.value if self.limit else ""
        )
        return f"{self.subject.value}:{about}:{self.course_id}"


async def require_certificate(
    session: AsyncSession, account_id: int, task: GuardedTask, *, now: datetime, field: Path = ()
) -> None:
    """Raise CertificateRequired where one of the staff lacks a certificate that something takes."""
    for course, holders in (await load_holders(session, task, now=now)).items():
        if account_id not in holders:
            raise CertificateRequired(Localized.of(course.title, course.translations, "title"), field=field)


async def holders_of(
    session: AsyncSession, task: GuardedTask, account_ids: Collection[int], *, now: datetime
) -> set[int]:
    """Those of these accounts who may do something: all where nothing is required for it."""
    allowed = set(account_ids)
    for holders in (await load_holders(session, task, now=now)).values():
        allowed &= holders
    return allowed


async def load_holders(
    session: AsyncSession, task: GuardedTask, *, now: datetime
) -> Mapping[Course, frozenset[int]]:
    """The courses that something takes, each with the accounts that may do it by its certificate, and with
    those of managers."""
    required = (
        select(Course)
        .join(CertificateRequirement, CertificateRequirement.course_id == Course.id)
        .where(task.concerns())
        .order_by(Course.id)
    )
    courses = {course.id: course for course in (await session.scalars(required)).unique()}
    if not courses:
        return {}
    managers = await session.scalars(select(Account.id).where(is_active(Permission.TRAINING_MANAGE)))
    by_course = dict.fromkeys(courses, frozenset(managers))
    rows = await session.execute(
        select(Certificate.course_id, Certificate.account_id)
        .join(Account, Account.id == Certificate.account_id)
        .where(Certificate.course_id.in_(courses), is_counting(now), is_active(WORK[task.subject]))
    )
    for course_id, account_id in rows:
        by_course[course_id] |= {account_id}
    return {courses[course_id]: holders for course_id, holders in by_course.items()}


def is_certified(ticket_type: AnyAttribute, now: datetime) -> ColumnElement[bool]:
    """Whether the account of a statement may handle its tickets, as far as certificates go."""
    holds = (
        select(Certificate.id)
        .where(
            Certificate.course_id == CertificateRequirement.course_id,
            Certificate.account_id == Account.id,
            is_counting(now),
        )
        .correlate(CertificateRequirement, Account)
    )
    lacks = select(CertificateRequirement.id).where(
        CertificateRequirement.ticket_type == ticket_type, ~holds.exists()
    )
    managers = [role for role, granted in GRANTS.items() if Permission.TRAINING_MANAGE in granted]
    return Account.role.in_(managers) | ~lacks.correlate(Account, ticket_type.class_).exists()


def is_active(permission: Permission) -> ColumnElement[bool]:
    """Whether an account is in use and has a permission."""
    roles = [role for role, granted in GRANTS.items() if permission in granted]
    return Account.disabled_at.is_(None) & Account.role.in_(roles)


async def save_requirement(
    session: AsyncSession,
    requirement_id: int | None,
    draft: RequirementDraft,
    *,
    version: int | None,
    force: bool,
    cause: Cause,
) -> CertificateRequirement:
    """Require a certificate, or change the amount above which one is; one that exists already is changed.

    NobodyCertified, unless forced, where nobody could do it but managers.
    """
    if (draft.ticket_type is None) is (draft.limit is None):
        raise Invalid("Name a type of tickets or an amount of refunds.", field=("ticket_type",))
    if draft.limit is not None and draft.limit.minor < 0:
        raise Invalid("The amount is 0 or more.", field=("refunds_above",))
    # the course is locked so that it is not withdrawn meanwhile, and so that nobody adds the same
    course = await session.get(Course, draft.course_id, with_for_update=WITHOUT_KEY, populate_existing=True)
    with collect_refusals() as check:
        if course is None or course.status is not CourseStatus.PUBLISHED:
            check.add(NotFound("course", field=("course_id",)))
    if not force:
        await refuse_without_holders(session, draft, now=cause.now)
    row = await find_requirement(session, requirement_id, draft)
    if row is None:
        row = CertificateRequirement(version=0)
        session.add(row)
    else:
        check_version(row, version)
    row.key, row.subject, row.ticket_type = draft.key, draft.subject, draft.ticket_type
    row.currency = draft.limit.currency if draft.limit else None
    row.amount = draft.limit.minor if draft.limit else None
    row.course_id, row.version, row.updated_at = draft.course_id, row.version + 1, cause.now
    await session.flush()
    return row


async def find_requirement(
    session: AsyncSession, requirement_id: int | None, draft: RequirementDraft
) -> CertificateRequirement | None:
    """The requirement that is changed: the one of this id, which stays about the same, or of the same."""
    statement = select(CertificateRequirement).where(CertificateRequirement.key == draft.key)
    row = await session.scalar(statement.with_for_update().execution_options(populate_existing=True))
    if requirement_id is not None and (row is None or row.id != requirement_id):
        raise NotFound("certificate requirement", field=("id",))
    return row


async def refuse_without_holders(session: AsyncSession, draft: RequirementDraft, *, now: datetime) -> None:
    holder = (
        select(Certificate.id)
        .join(Account, Account.id == Certificate.account_id)
        .where(Certificate.course_id == draft.course_id, is_counting(now), is_active(WORK[draft.subject]))
    )
    if await session.scalar(holder.limit(1)) is None:
        raise NobodyCertified


async def remove_requirement(session: AsyncSession, requirement_id: int) -> CertificateRequirement:
    """Require a certificate no more."""
    row = await session.get(CertificateRequirement, requirement_id, with_for_update=True)
    if row is None:
        raise NotFound("certificate requirement", field=("id",))
    await session.delete(row)
    return row
