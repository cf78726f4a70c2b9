"""Applying what a provider reports of a refund: repeated, late and out of order it has one outcome."""

import re
from datetime import timedelta
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import RefundAbnormal
from domain.ledger import refresh_payment_status, write_posting
from domain.order import reopen_order
from domain.outbox import record
from domain.payment.provider_reports import PaymentMismatch
from domain.payment.refund import (
    WITHOUT_TRANSFER,
    fail_refund,
    lock_refund,
    refund_posting_key,
    settle_refund,
)
from domain.payment.states import REFUND_TRANSITIONS
from domain.state import move
from models import (
    LedgerAccount,
    LedgerEntry,
    Order,
    Payment,
    PaymentMethod,
    Posting,
    PostingKind,
    Refund,
    RefundOutcome,
    RefundReport,
    RefundStatus,
    RefundTarget,
)
from text.characters import clean_text

QUERY_EVERY = timedelta(days=1)
"""How often at least a provider is asked about a refund."""
JITTER = 0.2
"""The part of a wait by which it differs from one refund to the next."""
DOUBLINGS_LIMIT = 16
FAILURE_LIMIT = 500
"""Characters kept of what a provider says."""

LEFT_UNPAID = (RefundStatus.FAILED, RefundStatus.ABNORMAL)

RENEWED_REFERENCE = re.compile(r"(?P<reference>.+-R\d+)-\d+")


def delay_before_query(refund_id: int, queries: int, *, first: timedelta) -> timedelta:
    """How long to wait before the question after `queries` others; refunds of one moment are spread.

    `first` for the first question, twice as long each further time.
    """
    wait: timedelta = min(first * (1 << min(queries, DOUBLINGS_LIMIT)), QUERY_EVERY)
    digest = blake2b(f"{refund_id}:{queries}".encode(), digest_size=2).digest()
    return wait * (1 - JITTER * int.from_bytes(digest) / 0xFFFF)


async def report_refund(
    session: AsyncSession,
    report: RefundReport,
    *,
    method: PaymentMethod,
    retry_after: timedelta,
    query_after: timedelta,
    cause: Cause,
) -> RefundStatus:
    """Bring a refund to what its provider reports; returns its status afterwards.

    PaymentMismatch for another refund, amount or currency, for one that is not to be paid, and for one that
    was paid in another way already. What comes about a reference that was given up only counts where the
    money was paid after all.
    """
    order, refund, current = await find_reported_refund(session, report, method)
    if refund.status in WITHOUT_TRANSFER:
        raise PaymentMismatch(f"refund {refund.reference} is {refund.status}")
    succeeded = report.outcome is RefundOutcome.SUCCEEDED
    if not current and not (succeeded and refund.status in LEFT_UNPAID):
        return refund.status
    if await is_paid_by_shop(session, refund):
        # A late word of what came back later is no second payment.
        if succeeded and not refund.returns:
            raise PaymentMismatch(f"refund {refund.reference} was paid by the shop")
        return refund.status
    await follow_report(
        session, order, refund, report, retry_after=retry_after, query_after=query_after, cause=cause
    )
    return refund.status


async def follow_report(
    session: AsyncSession,
    order: Order,
    refund: Refund,
    report: RefundReport,
    *,
    retry_after: timedelta,
    query_after: timedelta,
    cause: Cause,
) -> None:
    """Change a refund of a locked order as its provider reports."""
    reason = clean_text(report.reason or report.outcome)[:FAILURE_LIMIT]
    match report.outcome:
        case RefundOutcome.SUCCEEDED:
            await settle_reported_refund(session, refund, report, cause=cause)
        case RefundOutcome.ABNORMAL:
            await end_abnormally(session, order, refund, reason, cause=cause)
        case RefundOutcome.FAILED if refund.status is RefundStatus.SUCCEEDED:
            await end_abnormally(session, order, refund, reason, cause=cause)
        case RefundOutcome.FAILED if refund.status is RefundStatus.PENDING:
            await fail_refund(
                session, refund.id, reason=reason, retry_after=retry_after, cause=cause, renew=True
            )
        case RefundOutcome.PENDING if refund.status is RefundStatus.PENDING:
            refund.provider_reference = report.provider_reference or refund.provider_reference
            ask_at = cause.now + delay_before_query(refund.id, refund.queries, first=query_after)
            refund.query_at = min(refund.query_at or ask_at, ask_at)


async def find_reported_refund(
    session: AsyncSession, report: RefundReport, method: PaymentMethod
) -> tuple[Order, Refund, bool]:
    """The locked order, the refund, and whether the report names its last reference."""
    renewed = RENEWED_REFERENCE.fullmatch(report.reference)
    reference = renewed["reference"] if renewed else report.reference
    refund_id = await session.scalar(select(Refund.id).where(Refund.reference == reference))
    if refund_id is None:
        raise PaymentMismatch(f"no refund {report.reference}")
    order, refund = await lock_refund(session, refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    if payment.method is not method:
        raise PaymentMismatch(f"refund {report.reference} is not of {method}")
    if report.amount is not None and report.amount != refund.total:
        raise PaymentMismatch(f"refund {report.reference} is of {refund.total}, not {report.amount}")
    return order, refund, report.reference == refund.sent_reference


async def is_paid_by_shop(session: AsyncSession, refund: Refund) -> bool:
    """Whether the shop pays or has paid it itself, so that what its provider fails to do does not count."""
    if refund.target is RefundTarget.STORE_CREDIT:
        return True
    if refund.status is not RefundStatus.SUCCEEDED:
        return False
    paid_out_of = await session.scalar(
        select(LedgerEntry.account)
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(Posting.key == refund_posting_key(refund), LedgerEntry.amount < 0)
    )
    return paid_out_of is not LedgerAccount.PROVIDER


async def settle_reported_refund(
    session: AsyncSession, refund: Refund, report: RefundReport, *, cause: Cause
) -> None:
    # What came back was paid once already: a late word of that is not a second payment.
    if refund.status is RefundStatus.ABNORMAL and refund.returns:
        return
    name = report.provider_reference or refund.provider_reference or report.reference
    await settle_refund(session, refund.id, provider_reference=name, cause=cause)


async def end_abnormally(
    session: AsyncSession, order: Order, refund: Refund, reason: str, *, cause: Cause
) -> None:
    """Leave a refund of a locked order to the staff; the books take back what had been paid."""
    if refund.status is RefundStatus.ABNORMAL:
        return
    returned = refund.status is RefundStatus.SUCCEEDED
    move(refund, RefundStatus.ABNORMAL, REFUND_TRANSITIONS)
    refund.failure = reason
    refund.query_at, refund.retry_at = None, None
    if returned:
        refund.returns, refund.settled_at = refund.returns + 1, None
        await write_posting(
            session,
            order_id=order.id,
            payment_id=refund.payment_id,
            kind=PostingKind.REFUND_RETURNED,
            amount=refund.total,
            key=f"refund-returned:{refund.reference}:{refund.returns}",
            now=cause.now,
        )
        await refresh_payment_status(session, order)
        await reopen_order(session, order, cause=cause)
    abnormal = RefundAbnormal(order, refund_id=refund.id, ticket_id=refund.ticket_id, reason=reason)
    record(session, abnormal, cause)
