"""The past of the demo shop is told to nobody: only what happens once it is open makes notices."""

from sqlalchemy import select

from domain.outbox import mark_reactions_done
from events.reactions import NOTIFY
from events.shop import Shop
from models import Event
from models.sql.batches import in_batches


async def skip_past_notices(shop: Shop) -> None:
    """Mark the notices of all events that are still to be relayed as sent; their other reactions run."""
    async with shop.database.writes.begin() as session:
        waiting = (await session.scalars(select(Event.id).where(Event.relayed_at.is_(None)))).all()
        for batch in in_batches(waiting):
            await mark_reactions_done(session, batch, NOTIFY.name, now=shop.clock())
