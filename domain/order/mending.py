"""Orders that releases up to 0.2.0 ended while something of them was open: they go on where they stopped."""

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import OrderReopened
from domain.order.lifecycle import end_packed_parcels, lock_order, reopen_order
from domain.order.open_parts import OPEN_PARTS, has_parcel_under_way, is_anything_open
from domain.outbox import record
from models import Order, OrderStatus
from models.sql.types import AnySelect

BATCH = 500
"""Orders that are looked for at once."""


def select_ended_too_early(after_id: int) -> AnySelect:
    """Select the ids of orders that have ended while something of them is open, a batch after this id.

    Of a cancelled order that is only a parcel that was packed; its refunds may be on their way.
    """
    is_open = or_(*(has_part() for has_part in OPEN_PARTS.values()))
    received_or_refunded = Order.status.in_({OrderStatus.COMPLETED, OrderStatus.CLOSED})
    cancelled = and_(Order.status == OrderStatus.CANCELLED, has_parcel_under_way())
    return (
        select(Order.id)
        .where(Order.id > after_id, or_(and_(received_or_refunded, is_open), cancelled))
        .order_by(Order.id)
        .limit(BATCH)
    )


async def continue_ended_order(session: AsyncSession, order_id: int, *, cause: Cause) -> bool:
    """Confirm an order again that ended too early, or end the packed parcels of a cancelled one.

    It ends by itself, as any other, when nothing is open any more; False where nothing is now.
    """
    order = await lock_order(session, order_id)
    match order.status:
        case OrderStatus.CANCELLED:
            await end_packed_parcels(session, [order_id], now=cause.now)
            return True
        case OrderStatus.COMPLETED | OrderStatus.CLOSED if await is_anything_open(session, order):
            await reopen_order(session, order, cause=cause)
            if order.status is OrderStatus.CLOSED:
                # no transition: nothing but this leads out of a final status
                order.status = OrderStatus.CONFIRMED
                record(session, OrderReopened(order), cause)
            return True
        case _:
            return False
