"""The demo shop as it is loaded: people have bought, paid, sent things back, and the books agree."""

import pytest
from rich.console import Console
from sqlalchemy import func, select

from demo.load import load_demo
from events.shop import Shop
from models import Order, Refund, Ticket
from tests.observe import settle

pytestmark = pytest.mark.usefixtures("audited")


async def test_loading_the_demo_shop_twice_is_as_good_as_once(shop: Shop) -> None:
    counts = []
    for _ in range(2):
        await load_demo(shop, Console(quiet=True))
        await settle(shop)
        async with shop.database.reads() as session:
            counts.append(
                [
                    await session.scalar(select(func.count()).select_from(table))
                    for table in (Order, Ticket, Refund)
                ]
            )

    assert counts[0] == counts[1]
    assert all(counts[0])
