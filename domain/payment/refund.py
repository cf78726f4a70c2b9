"""Requesting, settling, failing and retrying refunds; each payment is refunded by its own method."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound
from domain.events import (
    OrderCancelled,
    RefundApprovalNeeded,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
)
from domain.ledger import net_sales, refresh_payment_status, write_posting
from domain.money import apportion
from domain.order import lock_order, reopen_order, settle_order
from domain.outbox import record
from domain.payment.approval_limit import needs_approval
from domain.payment.bonus import plan_bonuses
from domain.payment.refund_target import target_of
from domain.payment.states import REFUND_TRANSITIONS
from domain.state import move
from models import (
    Event,
    LedgerAccount,
    Money,
    Order,
    Payment,
    PostingKind,
    Refund,
    RefundStatus,
    RefundTarget,
    Subject,
)
from text.characters import clean_text

REFUND_ATTEMPTS_LIMIT = 6
"""After so many refusals of the provider only staff can transfer the money."""

QUERY_AFTER = timedelta(hours=12)
"""When a provider is first asked about a refund it has not answered: after the relay gives up sending it."""

WITHOUT_TRANSFER = frozenset({RefundStatus.WAITING, RefundStatus.DECLINED})
"""Not to be paid, or not yet."""


async def request_refund(
    session: AsyncSession,
    order: Order,
    amount: Money,
    *,
    ticket_id: int | None = None,
    target: RefundTarget = RefundTarget.ORIGINAL,
    reason: str,
    cause: Cause,
) -> list[Refund]:
    """Request the refund of an amount of a locked order, apportioned to its payments by what is left of each.

    It reduces what is refundable at once, so that no amount is refunded twice; a reaction sends it to the
    providers. Invalid unless positive and in the order's currency; LimitReached above what is refundable.
    """
    payments = await find_captured_payments(session, order)
    remaining = [payment.refundable_amount for payment in payments]
    left = order.money(sum(remaining))
    check_amount(amount, left)
    shares = zip(payments, apportion(amount.minor, remaining), strict=True)
    parts = [(payment, share) for payment, share in shares if share]
    return await create_refunds(
        session, order, parts, ticket_id=ticket_id, target=target, reason=reason, cause=cause
    )


def check_amount(amount: Money, left: Money) -> None:
    """Refuse an amount that is not positive, in another currency, or more than is left to be refunded."""
    require_same_currency(amount, left)
    if amount.minor <= 0:
        raise Invalid("A refund is more than nothing.", field=("amount",))
    if amount.minor > left.minor:
        raise LimitReached("At most {left} can be refunded.", left=left, field=("amount",))


async def refund_payment(
    session: AsyncSession, order: Order, payment: Payment, *, reason: str, cause: Cause
) -> list[Refund]:
    """Request the refund of all that is left of one captured payment of a locked order."""
    left = payment.refundable_amount
    return await create_refunds(session, order, [(payment, left)], reason=reason, cause=cause) if left else []


async def refund_everything(
    session: AsyncSession,
    order: Order,
    *,
    target: RefundTarget = RefundTarget.ORIGINAL,
    reason: str,
    cause: Cause,
) -> list[Refund]:
    """Request the refund of everything that was captured for a locked order and not refunded yet."""
    payments = await find_captured_payments(session, order)
    parts = [(payment, payment.refundable_amount) for payment in payments]
    parts = [(payment, share) for payment, share in parts if share]
    if not parts:
        return []
    return await create_refunds(session, order, parts, target=target, reason=reason, cause=cause)


async def refund_cancelled_order(
    session: AsyncSession, order: Order, *, target: RefundTarget, reason: str, cause: Cause
) -> list[Refund]:
    """Request the refund of all that is left of a locked, cancelled order; whoever cancelled it has asked."""
    refunds = await refund_everything(session, order, target=target, reason=reason, cause=cause)
    canceller_id = await session.scalar(
        select(Event.actor_id)
        .where(Event.subject == Subject.ORDER, Event.subject_id == order.id)
        .where(Event.name == OrderCancelled.name)
        .limit(1)
    )
    for refund in refunds:
        refund.requested_by_id = canceller_id
    return refunds


async def settle_refund(
    session: AsyncSession,
    refund_id: int,
    *,
    provider_reference: str,
    cause: Cause,
    out_of: LedgerAccount = LedgerAccount.PROVIDER,
) -> Refund:
    """Record that a refund was paid to the customer; a repetition changes nothing.

    `out_of` is the ledger account the money leaves. The order ends with it when nothing else is open.
    """
    order, refund = await lock_refund(session, refund_id)
    if refund.status is RefundStatus.SUCCEEDED:
        return refund
    move(refund, RefundStatus.SUCCEEDED, REFUND_TRANSITIONS)
    refund.provider_reference, refund.settled_at = provider_reference, cause.now
    refund.retry_at, refund.query_at, refund.failure = None, None, None
    await write_posting(
        session,
        order_id=order.id,
        payment_id=refund.payment_id,
        kind=PostingKind.REFUNDED,
        amount=refund.total,
        key=refund_posting_key(refund),
        now=cause.now,
        credit=out_of,
    )
    await refresh_payment_status(session, order)
    record(session, RefundSucceeded(order, refund_id=refund.id, ticket_id=refund.ticket_id), cause)
    await settle_order(session, order, cause=cause)
    return refund


def refund_posting_key(refund: Refund) -> str:
    """The key of the posting that pays a refund; another one after its money has come back."""
    return f"refunded:{refund.reference}" + (f":{refund.returns}" if refund.returns else "")


async def fail_refund(
    session: AsyncSession,
    refund_id: int,
    *,
    reason: str,
    retry_after: timedelta,
    cause: Cause,
    renew: bool = False,
) -> Refund:
    """Record that the provider refused a refund; with `renew` it is sent under a new reference.

    It is retried after `retry_after`, and after twice as long each further time; never again after
    REFUND_ATTEMPTS_LIMIT refusals.
    """
    order, refund = await lock_refund(session, refund_id)
    if refund.status is not RefundStatus.PENDING:
        return refund
    move(refund, RefundStatus.FAILED, REFUND_TRANSITIONS)
    refund.attempts += 1
    reason = clean_text(reason)  # the provider's
    refund.failure = reason
    final = refund.attempts >= REFUND_ATTEMPTS_LIMIT
    refund.retry_at = None if final else cause.now + retry_after * 2 ** (refund.attempts - 1)
    refund.query_at = None
    if renew:
        refund.renewals, refund.provider_reference = refund.renewals + 1, None
    record(
        session, RefundFailed(order, refund_id=refund.id, ticket_id=refund.ticket_id, reason=reason), cause
    )
    return refund


async def retry_refund(session: AsyncSession, refund_id: int, *, cause: Cause) -> bool:
    """Request a failed refund again; False, and nothing changed, when it is not due."""
    order, refund = await lock_refund(session, refund_id)
    if refund.status is not RefundStatus.FAILED or refund.retry_at is None or refund.retry_at > cause.now:
        return False
    move(refund, RefundStatus.PENDING, REFUND_TRANSITIONS)
    refund.retry_at = None
    refund.query_at, refund.queries = cause.now, 0
    record_refund_request(session, order, [refund], cause=cause)
    return True


async def refundable_amount(session: AsyncSession, order: Order) -> Money:
    """What was captured for an order and not refunded yet, or requested to be."""
    payments = await find_captured_payments(session, order)
    return order.money(sum(payment.refundable_amount for payment in payments))


async def create_refunds(
    session: AsyncSession,
    order: Order,
    parts: Sequence[tuple[Payment, int]],
    *,
    ticket_id: int | None = None,
    target: RefundTarget = RefundTarget.ORIGINAL,
    reason: str,
    cause: Cause,
) -> list[Refund]:
    """Create a refund for each (payment, minor units) and credit as much to the order's sales.

    A completed order opens again until they are settled. What takes the order's refunds that nobody has
    approved above the limit waits for a second person, whoever or whatever asks for it: it is credited when
    it is approved, and is not refundable once more meanwhile.
    """
    total = sum(share for _, share in parts)
    bonuses = await plan_bonuses(session, parts, ticket_id=ticket_id, target=target)
    waits = await needs_approval(session, order, total + sum(bonuses))
    await reopen_order(session, order, cause=cause)
    count = await session.scalar(select(func.count(Refund.id)).where(Refund.order_id == order.id)) or 0
    refunds = [
        Refund(
            order_id=order.id,
            payment_id=payment.id,
            ticket_id=ticket_id,
            status=RefundStatus.WAITING if waits else RefundStatus.PENDING,
            target=target_of(payment, target),
            currency=order.currency,
            amount=share,
            bonus_amount=bonus,
            reason=reason,
            reference=f"{order.number}-R{number}",
            attempts=0,
            query_at=None if waits else first_query_at(payment, target_of(payment, target), cause.now),
            requested_by_id=cause.by,
            created_at=cause.now,
        )
        for number, ((payment, share), bonus) in enumerate(zip(parts, bonuses, strict=True), start=count + 1)
    ]
    for payment, share in parts:
        payment.refunded_amount += share
    session.add_all(refunds)
    await session.flush()
    if waits:
        ids = [refund.id for refund in refunds]
        record(session, RefundApprovalNeeded(order, refund_ids=ids, ticket_id=ticket_id), cause)
    else:
        await credit_sale(session, order, total, key=refunds[0].reference, now=cause.now)
        record_refund_request(session, order, refunds, cause=cause)
    return refunds


def first_query_at(payment: Payment, target: RefundTarget, now: datetime) -> datetime | None:
    """When a refund is sent to its provider, or looked after in case it was not put into store credit.

    None where staff transfer it.
    """
    if target is RefundTarget.STORE_CREDIT:
        return now + QUERY_AFTER
    return None if payment.method.collected_offline else now


async def credit_sale(session: AsyncSession, order: Order, amount: int, *, key: str, now: datetime) -> None:
    """Reduce the net sales of an order by an amount in minor units, at most to zero."""
    # The sale of a cancelled order has been credited in full already.
    credited = min(amount, (await net_sales(session, order)).minor)
    if credited > 0:
        await write_posting(
            session,
            order_id=order.id,
            payment_id=None,
            kind=PostingKind.CREDITED,
            amount=order.money(credited),
            key=f"credited:{key}",
            now=now,
        )


async def lock_refund(session: AsyncSession, refund_id: int) -> tuple[Order, Refund]:
    """A refund and its order, with the order locked; NotFound when there is no such refund."""
    order_id = await session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
    if order_id is None:
        raise NotFound("refund", field=("id",))
    order = await lock_order(session, order_id)
    return order, await session.get_one(Refund, refund_id, populate_existing=True)


async def find_captured_payments(session: AsyncSession, order: Order) -> Sequence[Payment]:
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, Payment.captured_amount > 0)
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    return rows.all()


def require_same_currency(amount: Money, expected: Money) -> None:
    if amount.currency is not expected.currency:
        raise Invalid("This order is in {currency}.", currency=expected.currency.value, field=("amount",))


def record_refund_request(
    session: AsyncSession,
    order: Order,
    refunds: Sequence[Refund],
    *,
    cause: Cause,
) -> None:
    """Record the event that has these refunds sent; all are for the same ticket, or for none."""
    ids = [refund.id for refund in refunds]
    ticket_id = refunds[0].ticket_id
    record(session, RefundRequested(order, refund_ids=ids, ticket_id=ticket_id), cause)
