"""Price changes that begin or end at their time."""

from domain.catalog.product import apply_due_price_changes, select_due_price_changes
from domain.cause import Cause
from events.types import Resources, Timer


async def change_price(resources: Resources, change_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await apply_due_price_changes(session, change_id, cause=Cause(resources.clock()))


PRICE_CHANGES = Timer("price.change", due=select_due_price_changes, act=change_price)
