"""What became due in the past of the demo shop: late and silent parcels are tasks from the first moment."""

from domain.cause import Cause
from domain.shipment.tasks import open_tasks, select_due_tasks
from events.shop import Shop
from models import ShipmentTaskKind


async def open_past_tasks(shop: Shop) -> None:
    """Open the tasks that the shop's timers would open when they first run."""
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        for kind in ShipmentTaskKind:
            due = (await session.scalars(select_due_tasks(kind, now))).all()
            await open_tasks(session, kind, due, cause=Cause(now))
