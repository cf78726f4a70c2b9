"""Continuing orders that have ended too early, from the command line, while the shop is open."""

import sys

from domain.cause import Cause
from domain.order.mending import continue_ended_order, select_ended_too_early
from events.shop import Shop


async def continue_ended_orders(shop: Shop) -> int:
    """Continue them one by one, each in a transaction of its own; the exit code."""
    continued = last = 0
    while ids := await find_next(shop, last):
        for order_id in ids:
            async with shop.database.writes.begin() as session:
                continued += await continue_ended_order(session, order_id, cause=Cause(shop.clock()))
        last = ids[-1]
    sys.stdout.write(f"{continued:,} orders go on.\n")
    return 0


async def find_next(shop: Shop, last: int) -> list[int]:
    async with shop.database.reads() as session:
        return list(await session.scalars(select_ended_too_early(last)))
