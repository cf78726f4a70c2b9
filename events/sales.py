"""What sells best, counted now and then, so that no list of best-sellers has to count."""

import asyncio

import structlog

from domain.insight import note_sales, units_noted, units_sold
from events.shop import Shop

log = structlog.get_logger()


async def count_sales(shop: Shop) -> None:
    """Count what was sold within `best_selling_window`, and write down what is different from last time."""
    async with shop.database.reads() as session:
        sold = await units_sold(session, since=shop.clock() - shop.settings.best_selling_window)
        noted = await units_noted(session)
    different = {id: sold.get(id, 0) for id in sold.keys() | noted.keys() if sold.get(id, 0) != noted.get(id)}
    if different:
        async with shop.database.writes.begin() as session:
            await note_sales(session, different)


async def keep_counting(shop: Shop) -> None:
    """Count at once, and then every `sales_counted_every`, until cancelled."""
    while True:
        try:
            await count_sales(shop)
        except Exception:
            log.exception("sales.uncounted")
        await asyncio.sleep(shop.settings.sales_counted_every.total_seconds())
