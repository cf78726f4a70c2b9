"""Cash that no parcel of an order brings any more is not due any more.

The cash of a parcel is fixed when it leaves, the fee of its delivery with the first one. When that one comes
back and another one of the delivery is kept, nobody collects the fee; and what was to be paid with a
replacement is not, when its ticket ends in money.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import count_other_claims, load_order_lines, load_other_claims
from domain.aftersales.refund_amounts import share_uncollectable
from domain.aftersales.rules import LineUnits
from domain.aftersales.sent_units import load_sent_units
from domain.aftersales.withdrawal import reduce_payments
from domain.cause import Cause
from domain.ledger import refresh_payment_status
from domain.order import settle_order
from domain.order.cash import find_cash_payments, load_cash_groups, sum_cash_under_way
from domain.order.open_parts import has_open_ticket
from models import Order, OrderStatus, Payment


async def settle_claimed_order(session: AsyncSession, order: Order, *, cause: Cause) -> bool:
    """End a locked order of which nothing is open, after a claim or a parcel has ended; whether it ended."""
    if order.status is OrderStatus.CONFIRMED:
        await release_uncollectable_cash(session, order, cause=cause)
    return await settle_order(session, order, cause=cause)


async def release_uncollectable_cash(session: AsyncSession, order: Order, *, cause: Cause) -> None:
    """Take what no parcel brings off a locked order; while a ticket is open, it may have something sent."""
    await session.flush()
    payments = await find_cash_payments(session, order)
    amount = await sum_uncollectable(session, order, payments) if payments else 0
    if not amount or await session.scalar(select(has_open_ticket()).where(Order.id == order.id)):
        return
    lines = list((await load_order_lines(session, order)).values())
    units = {line.id: LineUnits(bought=line.quantity - line.cancelled) for line in lines}
    sent = await load_sent_units(session, order)
    count_other_claims(await load_other_claims(session, order, ticket_id=None), units, sent)
    fee = order.shipping_amount - order.cancelled_shipping_amount
    shares, shipping = share_uncollectable(lines, units, fee=fee, amount=amount)
    for line, share in zip(lines, shares, strict=True):
        line.cancelled_amount += share
    order.cancelled_shipping_amount += shipping
    await reduce_payments(session, order, payments, amount, key="not collected", now=cause.now)
    await refresh_payment_status(session, order)


async def sum_uncollectable(session: AsyncSession, order: Order, payments: Sequence[Payment]) -> int:
    """The cash that neither a parcel under way nor one that is still to leave brings, in minor units."""
    due = sum(payment.amount - payment.captured_amount for payment in payments)
    due -= await sum_cash_under_way(session, order)
    unsent = (await load_cash_groups(session, [order.id])).get(order.id)
    return 0 if due <= 0 or unsent else due
