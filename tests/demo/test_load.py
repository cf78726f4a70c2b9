"""Loading the demo shop: orders, tickets and refunds exist, and the books agree."""

from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import func, select

from demo.load import load_demo
from events.shop import Shop
from models import Event, Notice, NoticeKind, Order, Refund, Ticket
from tests.observe import assert_books_agree, run_until_idle
from tests.process import open_shop_of, process_environment


@pytest.fixture(params=["demo_sqlite_url", "demo_postgres_url"], ids=["sqlite", "postgresql"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return process_environment(request.getfixturevalue(request.param), tmp_path)


async def count_rows(shop: Shop) -> list[int | None]:
    async with shop.database.reads() as session:
        return [
            await session.scalar(select(func.count()).select_from(table)) for table in (Order, Ticket, Refund)
        ]


async def test_nobody_is_told_of_the_past_of_the_demo_shop(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop:
        async with shop.database.reads() as session:
            assert await session.scalar(
                select(func.count()).select_from(Event).where(Event.relayed_at.is_(None))
            )
        await run_until_idle(shop)

        async with shop.database.reads() as session:
            kinds = set(await session.scalars(select(Notice.kind)))
    assert kinds <= {
        NoticeKind.REFUND_SUCCEEDED,
        NoticeKind.TICKET_COMPLETED,
    }  # refunds follow once it is open


async def test_loading_the_demo_shop_twice_adds_nothing(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop:
        await run_until_idle(shop)
        before = await count_rows(shop)
        await load_demo(shop, Console(quiet=True))
        await run_until_idle(shop)

        assert await count_rows(shop) == before
        assert all(before)
        await assert_books_agree(shop)
