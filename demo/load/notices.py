"""The past of the demo shop is told to nobody: only what happens once it is open makes notices."""

from sqlalchemy import select

from domain.outbox import mark_reaction_done
from events.reactions import NOTIFY
from events.shop import Shop
from models import Event


async def skip_past_notices(shop: Shop) -> None:
    """Mark the notices of all events that are still to be relayed as sent; their other reactions run."""
    async with shop.database.writes.begin() as session:
        for event in (await session.scalars(select(Event).where(Event.relayed_at.is_(None)))).all():
            await mark_reaction_done(session, event, NOTIFY.name, now=shop.clock())
