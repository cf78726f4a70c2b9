"""Loading the demo shop: orders, tickets and refunds exist, and the books agree."""

import pytest
from rich.console import Console
from sqlalchemy import func, select

from demo.load import load_demo
from events.shop import Shop
from models import Order, Refund, Ticket
from tests.observe import run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")


async def test_loading_the_demo_shop_twice_adds_nothing(shop: Shop) -> None:
    counts = []
    for _ in range(2):
        await load_demo(shop, Console(quiet=True))
        await run_until_idle(shop)
        async with shop.database.reads() as session:
            counts.append(
                [
                    await session.scalar(select(func.count()).select_from(table))
                    for table in (Order, Ticket, Refund)
                ]
            )

    assert counts[0] == counts[1]
    assert all(counts[0])
