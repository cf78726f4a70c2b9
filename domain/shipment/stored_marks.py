"""Marks of orders that were stored before it was known of which only downloads are delivered yet."""

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.shipment.fulfilment import only_unshipped_delivered
from models import FulfilmentStatus, Order

BATCH = 5_000


async def mark_unsent_orders(session: AsyncSession, after: int) -> int | None:
    """Mark those among the next BATCH orders delivered in part of which nothing is sent yet.

    The id of the last order of the batch; None when there was none.
    """
    in_part = Order.fulfilment_status == FulfilmentStatus.PARTIALLY_DELIVERED
    batch = select(Order.id).where(in_part, Order.id > after).order_by(Order.id).limit(BATCH).subquery()
    last: int | None = await session.scalar(select(func.max(batch.c.id)))
    if last is None:
        return None
    await session.execute(
        update(Order)
        .where(Order.id > after, Order.id <= last, only_unshipped_delivered(), ~Order.nothing_sent)
        .values(nothing_sent=True)
        .execution_options(synchronize_session=False)
    )
    return last
