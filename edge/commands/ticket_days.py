"""Counting the tickets of all days that have ended."""

from domain.aftersales.day_counts import find_countable_days, recount_days
from events.shop import Shop
from models.sql.batches import in_batches

DAYS_AT_ONCE = 20


async def count_tickets(shop: Shop, *, anew: bool = True) -> int:
    """Count all days that have ended, or those only that nobody has counted; the exit code."""
    zone, now = shop.settings.locale.zone, shop.clock()
    async with shop.database.writes.begin() as session:
        days = await find_countable_days(session, zone=zone, now=now, anew=anew)
    for batch in in_batches(days, DAYS_AT_ONCE):
        async with shop.database.writes.begin() as session:
            await recount_days(session, batch, zone=zone)
    return 0
