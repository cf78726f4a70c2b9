"""Positions of couriers in tracking events of before, when they were not forgotten with their runs."""

from sqlalchemy import String, cast, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.delivery_run.driving import COURIER_CODE
from models import DeliveryRun, TrackingEvent

BATCH = 5_000


async def forget_stored_positions(session: AsyncSession, after: int) -> int | None:
    """Forget where couriers were at those among the next BATCH events whose run knows no position any more;
    the others are forgotten with that.

    The id of the last event of the batch; None when there was none.
    """
    placed = TrackingEvent.code.startswith(COURIER_CODE) & TrackingEvent.latitude.is_not(None)
    batch = (
        select(TrackingEvent.id)
        .where(placed, TrackingEvent.id > after)
        .order_by(TrackingEvent.id)
        .limit(BATCH)
        .subquery()
    )
    last: int | None = await session.scalar(select(func.max(batch.c.id)))
    if last is None:
        return None
    code = literal(COURIER_CODE).concat(cast(DeliveryRun.id, String)).concat("-%")
    known = (
        select(DeliveryRun.id)
        .where(DeliveryRun.position_at.is_not(None), TrackingEvent.code.like(code))
        .correlate(TrackingEvent)
        .exists()
    )
    await session.execute(
        update(TrackingEvent)
        .where(TrackingEvent.id > after, TrackingEvent.id <= last, placed, ~known)
        .values(latitude=None, longitude=None)
        .execution_options(synchronize_session=False)
    )
    return last
