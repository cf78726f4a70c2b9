"""What an order tells when the stock has come that some of its units waited for."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import EventLine, OrderBackordersFilled
from domain.order.lifecycle import lock_order
from domain.outbox import record
from domain.stock import take_filled_units
from models import DeliveryLine, Order


async def tell_filled_backorders(session: AsyncSession, order_id: int, *, cause: Cause) -> Order:
    """Record for which units of an order stock has come since this was asked last; nothing where for none.

    Stock is reserved for them at once when it comes, without the lock of their orders.
    """
    order = await lock_order(session, order_id)
    filled = await take_filled_units(session, order_id)
    rows = await session.execute(
        select(DeliveryLine.id, DeliveryLine.order_line_id).where(DeliveryLine.id.in_(filled))
    )
    units = Counter[int]()
    for delivery_line_id, order_line_id in rows:
        units[order_line_id] += filled[delivery_line_id]
    if lines := [EventLine(line_id, quantity) for line_id, quantity in sorted(units.items()) if quantity]:
        record(session, OrderBackordersFilled(order, lines=lines), cause)
    return order
