"""Money on its way back, over the roads it came."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.errors import Invalid, LimitReached, NotFound, WrongState
from domain.ledger import post, refresh_payment_status, sold
from domain.money import apportion, words
from domain.order import IN_HOUSE, OVER, close_if_refunded, lock_order, stated
from domain.outbox import record
from domain.payment.states import REFUND_TRANSITIONS
from domain.state import move
from domain.state import words as said
from models import (
    LedgerAccount,
    Money,
    Order,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PostingKind,
    Refund,
    RefundStatus,
)

REFUND_ATTEMPTS_LIMIT = 6
"""Refusals of a provider before only people can give the money back."""

REFERENCE_LIMIT = 100
GOODWILL = "paymentRefund"


async def request_refund(
    session: AsyncSession,
    order: Order,
    amount: Money,
    *,
    ticket_id: int | None = None,
    reason: str,
    now: datetime,
    by: int | None = None,
) -> list[Refund]:
    """Promise part of what was paid for a locked order back, over the roads it came, in proportion.

    The promise counts at once: no second refund can promise the same cent. A reaction sends it.
    """
    legs = await captured_legs(session, order)
    rooms = [leg.captured_amount - leg.refunded_amount for leg in legs]
    left = order.money(sum(rooms))
    same_currency(amount, left)
    if amount.minor <= 0:
        raise Invalid("A refund is more than nothing.", field=("amount",))
    if amount.minor > left.minor:
        raise LimitReached(f"At most {words(left)} can be refunded.", field=("amount",))
    shares = zip(legs, apportion(amount.minor, rooms), strict=True)
    parts = [(leg, share) for leg, share in shares if share]
    return await give_back(session, order, parts, ticket_id=ticket_id, reason=reason, now=now, by=by)


async def refund_everything(
    session: AsyncSession, order: Order, *, reason: str, now: datetime, by: int | None = None
) -> list[Refund]:
    """Promise all that was taken for a locked order, and not promised yet, back."""
    legs = await captured_legs(session, order)
    parts = [(leg, leg.captured_amount - leg.refunded_amount) for leg in legs]
    parts = [(leg, share) for leg, share in parts if share]
    return await give_back(session, order, parts, reason=reason, now=now, by=by) if parts else []


async def refund_in_goodwill(
    session: AsyncSession,
    order_id: int,
    amount: Money,
    *,
    reason: str,
    key: str,
    now: datetime,
    by: int,
) -> Order:
    """Give a customer part of the price back without a ticket; the same key does it once."""
    content = [order_id, amount.minor, amount.currency, reason]
    known = await idempotency.claim(
        session, account_id=by, command=GOODWILL, key=key, content=content, now=now
    )
    if known is not None:
        return await session.get_one(Order, known)
    order = await lock_order(session, order_id, field=("order_id",))
    if order.status in OVER:
        raise WrongState(f"This order is {said(order.status)}.", field=("order_id",))
    if order.fulfilment_status in IN_HOUSE and amount == await refundable(session, order):
        raise WrongState("Nothing has left yet: cancel the order instead.", field=("amount",))
    await request_refund(session, order, amount, reason=stated(reason), now=now, by=by)
    await idempotency.settle(session, account_id=by, command=GOODWILL, key=key, result_id=order.id)
    return order


async def settle_refund(
    session: AsyncSession,
    refund_id: int,
    *,
    provider_reference: str,
    now: datetime,
    by: int | None = None,
    out_of: LedgerAccount = LedgerAccount.PROVIDER,
) -> Refund:
    """Take note that a refund has reached the customer; a second note changes nothing."""
    order, refund = await lock_refund(session, refund_id)
    if refund.status is RefundStatus.SUCCEEDED:
        return refund
    move(refund, RefundStatus.SUCCEEDED, REFUND_TRANSITIONS)
    refund.provider_reference, refund.settled_at = provider_reference, now
    refund.retry_at, refund.failure = None, None
    await post(
        session,
        order_id=order.id,
        payment_id=refund.payment_id,
        kind=PostingKind.REFUNDED,
        amount=refund.total,
        key=f"refunded:{refund.reference}",
        now=now,
        credit=out_of,
    )
    await refresh_payment_status(session, order)
    record(
        session,
        "refund.succeeded",
        order,
        now=now,
        by=by,
        refund_id=refund.id,
        ticket_id=refund.ticket_id,
    )
    await close_if_refunded(session, order, now=now)
    return refund


async def confirm_refund(
    session: AsyncSession, refund_id: int, *, reference: str, now: datetime, by: int | None
) -> Refund:
    """Take note that staff have transferred a refund which no provider can carry out."""
    _, refund = await lock_refund(session, refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    if refund.status is RefundStatus.SUCCEEDED:
        raise WrongState("This refund has been paid already.", field=("id",))
    if payment.method is not PaymentMethod.CASH_ON_DELIVERY and refund.status is not RefundStatus.FAILED:
        raise WrongState("The provider is carrying this refund out.", field=("id",))
    name = reference.strip()
    if not 1 <= len(name) <= REFERENCE_LIMIT:
        raise Invalid(
            f"Give the reference of the transfer, in at most {REFERENCE_LIMIT} characters.",
            field=("reference",),
        )
    return await settle_refund(
        session, refund_id, provider_reference=name, now=now, by=by, out_of=LedgerAccount.BANK
    )


async def fail_refund(
    session: AsyncSession, refund_id: int, *, reason: str, retry_after: timedelta, now: datetime
) -> Refund:
    """Take note that the provider refused a refund; it is sent again later, each time later."""
    order, refund = await lock_refund(session, refund_id)
    if refund.status is not RefundStatus.PENDING:
        return refund
    move(refund, RefundStatus.FAILED, REFUND_TRANSITIONS)
    refund.attempts += 1
    refund.failure = reason
    final = refund.attempts >= REFUND_ATTEMPTS_LIMIT
    refund.retry_at = None if final else now + retry_after * 2 ** (refund.attempts - 1)
    record(
        session,
        "refund.failed",
        order,
        now=now,
        refund_id=refund.id,
        ticket_id=refund.ticket_id,
        reason=reason,
    )
    return refund


async def retry_refund(session: AsyncSession, refund_id: int, *, now: datetime) -> bool:
    """Ask for a refused refund again; False when it is not due."""
    order, refund = await lock_refund(session, refund_id)
    if refund.status is not RefundStatus.FAILED or refund.retry_at is None or refund.retry_at > now:
        return False
    move(refund, RefundStatus.PENDING, REFUND_TRANSITIONS)
    refund.retry_at = None
    announce(session, order, [refund], now=now)
    return True


async def refundable(session: AsyncSession, order: Order) -> Money:
    """What was taken for an order and not promised back yet."""
    left = await session.scalar(
        select(func.coalesce(func.sum(Payment.captured_amount - Payment.refunded_amount), 0)).where(
            Payment.order_id == order.id
        )
    )
    return order.money(int(left or 0))


async def give_back(
    session: AsyncSession,
    order: Order,
    parts: Sequence[tuple[Payment, int]],
    *,
    ticket_id: int | None = None,
    reason: str,
    now: datetime,
    by: int | None = None,
) -> list[Refund]:
    """Promise parts of captured payments back, and take as much off what counts as sold."""
    known = await session.scalar(select(func.count(Refund.id)).where(Refund.order_id == order.id)) or 0
    refunds = [
        Refund(
            order_id=order.id,
            payment_id=payment.id,
            ticket_id=ticket_id,
            status=RefundStatus.PENDING,
            currency=order.currency,
            amount=share,
            reason=reason,
            reference=f"{order.number}-R{number}",
            attempts=0,
            created_at=now,
        )
        for number, (payment, share) in enumerate(parts, start=known + 1)
    ]
    for payment, share in parts:
        payment.refunded_amount += share
    session.add_all(refunds)
    await session.flush()
    await credit(session, order, sum(share for _, share in parts), key=refunds[0].reference, now=now)
    announce(session, order, refunds, now=now, by=by)
    return refunds


async def credit(session: AsyncSession, order: Order, amount: int, *, key: str, now: datetime) -> None:
    """Take an amount off what counts as sold; the sale of a cancelled order is void already."""
    credited = min(amount, (await sold(session, order)).minor)
    if credited > 0:
        await post(
            session,
            order_id=order.id,
            payment_id=None,
            kind=PostingKind.CREDITED,
            amount=order.money(credited),
            key=f"credited:{key}",
            now=now,
        )


async def lock_refund(session: AsyncSession, refund_id: int) -> tuple[Order, Refund]:
    """A refund under the lock of its order."""
    order_id = await session.scalar(select(Refund.order_id).where(Refund.id == refund_id))
    if order_id is None:
        raise NotFound("refund", field=("id",))
    order = await lock_order(session, order_id)
    return order, await session.get_one(Refund, refund_id, populate_existing=True)


async def captured_legs(session: AsyncSession, order: Order) -> Sequence[Payment]:
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, Payment.status == PaymentStatus.CAPTURED)
        .order_by(Payment.position)
        .execution_options(populate_existing=True)
    )
    return rows.all()


def same_currency(given: Money, ours: Money) -> None:
    if given.currency is not ours.currency:
        raise Invalid(f"This order is in {ours.currency.value}.", field=("amount",))


def announce(
    session: AsyncSession,
    order: Order,
    refunds: Sequence[Refund],
    *,
    now: datetime,
    by: int | None = None,
) -> None:
    """Promise that these refunds, all for the same ticket if for any, will be sent."""
    ids = [refund.id for refund in refunds]
    ticket_id = refunds[0].ticket_id
    record(session, "refund.requested", order, now=now, by=by, refund_ids=ids, ticket_id=ticket_id)
