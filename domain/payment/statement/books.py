"""The shop's books of what providers state: attempts captured, refunds paid by them, fees and disputes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, case, cast, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.payment.fees import dispute_fee_reference
from domain.payment.refund_postings import is_paid_out_of
from domain.payment.refund_reports import RENEWED_REFERENCE
from domain.payment.statement.entries import Period
from models import (
    Dispute,
    DisputeStatus,
    LedgerAccount,
    Money,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Refund,
    RefundStatus,
    StatementEntry,
    StatementKind,
)
from models.sql.types import AnyColumn, AnyExpression, AnySelect

PAID = aliased(Payment)
"""The payments that an attempt brought: the one it was made for, and one of what was too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedRow:
    """What the shop has booked under a reference of a statement."""

    reference: str
    fee_references: tuple[str, ...]
    """Under which its fees are posted; a new one under the first."""
    order_id: int
    payment_id: int
    amount: Money
    """As a statement has it: negative for money that leaves the shop's account."""
    status: StrEnum
    is_missing: bool = False
    """Whether the shop knows it, but has not booked the money."""
    is_up_to_end: bool = False
    """Whether only what was booked by the end of the period counts, not what was booked later."""
    moments: tuple[datetime, ...] = ()
    """The first and the last moment at which the provider may have done it; empty where any day is right."""


async def find_booked(
    session: AsyncSession, period: Period, subject: StatementKind, references: Sequence[str]
) -> Mapping[str, BookedRow]:
    """What is booked under references of a statement: the shop's own, or the provider's."""
    find = {
        StatementKind.PAYMENT: find_attempts,
        StatementKind.REFUND: find_refunds,
        StatementKind.FEE: find_charged_attempts,
        StatementKind.DISPUTE: find_disputes,
    }[subject]
    return {row.reference: row for row in await find(session, period, references)} if references else {}


async def find_attempts(
    session: AsyncSession, period: Period, references: Sequence[str]
) -> Sequence[BookedRow]:
    """Attempts by these references, with all that they brought."""
    attempt, known = PaymentAttempt, set(references)
    named = or_(attempt.reference.in_(references), attempt.provider_reference.in_(references))
    rows = await session.execute(
        select(attempt, Payment.order_id, captured_by_attempt())
        .join(Payment, Payment.id == attempt.payment_id)
        .where(Payment.method == period.method, named)
    )
    return [
        BookedRow(
            reference=found.reference if found.reference in known else found.provider_reference or "",
            fee_references=(found.reference,),
            order_id=order_id,
            payment_id=found.payment_id,
            amount=found.money(int(captured)),
            status=found.status,
            is_missing=not captured,
            moments=(found.created_at, found.captured_at) if found.captured_at else (),
        )
        for found, order_id, captured in rows
    ]


def captured_by_attempt() -> AnyExpression:
    """Minor units captured by the attempt of a row, all its payments together."""
    captured = func.coalesce(func.sum(PAID.captured_amount), 0)
    return select(captured).where(PAID.attempt_reference == PaymentAttempt.reference).scalar_subquery()


async def find_refunds(
    session: AsyncSession, period: Period, references: Sequence[str]
) -> Sequence[BookedRow]:
    """Refunds by these references; where one is that of an attempt, all refunds of that together."""
    first_names = {first_reference_of(reference) for reference in references}
    named = or_(Refund.reference.in_(first_names), Refund.provider_reference.in_(references))
    rows = await session.execute(
        select(Refund, is_paid_out_of(LedgerAccount.PROVIDER))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.method == period.method, named)
    )
    booked = [
        book_refund(refund, reference, is_paid=is_paid)
        for refund, is_paid in rows
        for reference in references
        if refund.reference == first_reference_of(reference) or refund.provider_reference == reference
    ]
    rest = set(references) - {row.reference for row in booked}
    return [*booked, *await find_refunded_attempts(session, period, list(rest))] if rest else booked


def first_reference_of(reference: str) -> str:
    """The reference that a refund was sent under first."""
    renewed = RENEWED_REFERENCE.fullmatch(reference)
    return renewed["reference"] if renewed else reference


def book_refund(refund: Refund, reference: str, *, is_paid: bool) -> BookedRow:
    """A refund under a reference; one that was given up brings nothing, nor does the shop's bank."""
    is_last = reference in {refund.sent_reference, refund.provider_reference}
    is_booked = is_last and (is_paid or refund.status is RefundStatus.PENDING)
    return BookedRow(
        reference=reference,
        fee_references=(refund.sent_reference if is_last else reference,),
        order_id=refund.order_id,
        payment_id=refund.payment_id,
        amount=-refund.total,
        status=refund.status,
        is_missing=not is_booked,
        moments=(refund.created_at, refund.settled_at) if refund.settled_at else (),
    )


async def find_refunded_attempts(
    session: AsyncSession, period: Period, references: Sequence[str]
) -> Sequence[BookedRow]:
    """Attempts by their references, with what their provider has paid back of them until the period ended."""
    back = func.coalesce(func.sum(Refund.amount), 0)
    refunded = (
        select(back)
        .join(PAID, PAID.id == Refund.payment_id)
        .where(PAID.attempt_reference == PaymentAttempt.reference, is_paid_out_of(LedgerAccount.PROVIDER))
        .where(Refund.settled_at < period.ends_at)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(PaymentAttempt, Payment.order_id, refunded)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(Payment.method == period.method, PaymentAttempt.reference.in_(references))
    )
    return [
        BookedRow(
            reference=attempt.reference,
            fee_references=(attempt.reference,),
            order_id=order_id,
            payment_id=attempt.payment_id,
            amount=attempt.money(-int(amount)),
            status=attempt.status,
            is_missing=not amount,
            is_up_to_end=True,
        )
        for attempt, order_id, amount in rows
    ]


async def find_charged_attempts(
    session: AsyncSession, period: Period, references: Sequence[str]
) -> Sequence[BookedRow]:
    """Attempts by these references, for fees in lines of their own: those of their refunds included."""
    rows = await find_attempts(session, period, references)
    refunds = await session.execute(
        select(PAID.attempt_reference, Refund)
        .join(PAID, PAID.id == Refund.payment_id)
        .where(PAID.attempt_reference.in_([row.fee_references[0] for row in rows]))
        .order_by(Refund.id)
    )
    by_attempt: dict[str, list[str]] = {}
    for attempt_reference, refund in refunds:
        by_attempt.setdefault(attempt_reference or "", []).append(refund.sent_reference)
    return [
        BookedRow(
            reference=row.reference,
            fee_references=(*row.fee_references, *by_attempt.get(row.fee_references[0], [])),
            order_id=row.order_id,
            payment_id=row.payment_id,
            amount=row.amount,
            status=row.status,
        )
        for row in rows
    ]


async def find_disputes(
    session: AsyncSession, period: Period, references: Sequence[str]
) -> Sequence[BookedRow]:
    rows = await session.scalars(
        select(Dispute).where(Dispute.method == period.method, Dispute.reference.in_(references))
    )
    return [
        BookedRow(
            reference=dispute.reference,
            fee_references=(dispute_fee_reference(dispute.method, dispute.reference),),
            order_id=dispute.order_id,
            payment_id=dispute.payment_id,
            amount=dispute.money(0) if dispute.status is DisputeStatus.WON else -dispute.total,
            status=dispute.status,
        )
        for dispute in rows
    ]


def select_unstated(period: Period, subject: StatementKind, after: int) -> AnySelect:
    """Select what is booked in a period, after a row id, and that no statement has."""
    booked = SELECT_BOOKED[subject](period.method)
    entry = StatementEntry
    stated = exists().where(
        entry.method == period.method,
        entry.form == period.form,
        entry.kind == subject,
        entry.reference.in_(booked.names),
    )
    return booked.statement.where(booked.row_id > after, period.contains(booked.moment), ~stated).order_by(
        booked.row_id
    )


@dataclass(frozen=True, slots=True)
class BookedSelect:
    """A statement that selects what is booked, and the columns by which it is narrowed."""

    statement: AnySelect
    row_id: AnyColumn
    moment: AnyColumn
    names: Sequence[AnyColumn]


def select_captures(method: PaymentMethod) -> BookedSelect:
    attempt, captured = PaymentAttempt, captured_by_attempt()
    statement = (
        select(
            attempt.id,
            attempt.reference,
            Payment.order_id,
            captured.label("amount"),
            attempt.currency,
            attempt.captured_at.label("happened_at"),
        )
        .join(Payment, Payment.id == attempt.payment_id)
        .where(Payment.method == method, captured > 0)
    )
    names = [attempt.reference, attempt.provider_reference]
    return BookedSelect(statement, attempt.id, attempt.captured_at, names)


def select_refunds(method: PaymentMethod) -> BookedSelect:
    """Those that the provider has paid: others were transferred by the shop's own bank."""
    statement = (
        select(
            Refund.id,
            Refund.reference,
            Refund.order_id,
            (-Refund.amount).label("amount"),
            Refund.currency,
            Refund.settled_at.label("happened_at"),
        )
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.method == method, is_paid_out_of(LedgerAccount.PROVIDER))
    )
    renewed = Refund.reference.concat("-").concat(cast(Refund.renewals + 1, String))
    sent_reference: AnyExpression = case((Refund.renewals > 0, renewed), else_=Refund.reference)
    names: list[AnyColumn] = [sent_reference, Refund.provider_reference, Payment.attempt_reference]
    return BookedSelect(statement, Refund.id, Refund.settled_at, names)


def select_disputes(method: PaymentMethod) -> BookedSelect:
    amount = case((Dispute.status == DisputeStatus.WON, 0), else_=-Dispute.amount).label("amount")
    statement = select(
        Dispute.id,
        Dispute.reference,
        Dispute.order_id,
        amount,
        Dispute.currency,
        Dispute.created_at.label("happened_at"),
    ).where(Dispute.method == method)
    return BookedSelect(statement, Dispute.id, Dispute.created_at, [Dispute.reference])


SELECT_BOOKED = {
    StatementKind.PAYMENT: select_captures,
    StatementKind.REFUND: select_refunds,
    StatementKind.DISPUTE: select_disputes,
}
