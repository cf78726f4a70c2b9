"""Deliveries that are not collected in time, or whose order is cancelled."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import OrderCancelled
from domain.pickup import end_overdue_pickup, end_pickups_of_order, select_overdue_pickups
from events.types import Resources, Timer


async def end_uncollected(resources: Resources, delivery_id: int) -> None:
    """Put back what was not collected in time, and give the money back."""
    receipt_after = resources.settings.deadlines.receipt_confirmed_after
    async with resources.database.writes.begin() as session:
        await end_overdue_pickup(
            session, delivery_id, receipt_after=receipt_after, cause=Cause(resources.clock())
        )
    resources.after_commit(session)


async def end_pickups_of_cancelled_order(
    session: AsyncSession, event: OrderCancelled, resources: Resources
) -> None:
    """Unpack what of a cancelled order was to be collected."""
    await end_pickups_of_order(session, event.order.id, cause=Cause(resources.clock()))


UNCOLLECTED_PICKUPS = Timer("pickup.overdue", due=select_overdue_pickups, act=end_uncollected)
