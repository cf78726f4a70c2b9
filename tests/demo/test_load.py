"""Loading the demo shop: orders, tickets and refunds exist, and the books agree."""

from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import func, select

from demo.load import load_demo
from events.shop import Shop
from models import (
    Account,
    Backorder,
    Event,
    Notice,
    NoticeKind,
    Order,
    Refund,
    Role,
    Shipment,
    ShipmentStatus,
    Ticket,
)
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


async def test_the_demo_shop_has_what_waits_what_came_back_and_what_was_edited(env: dict[str, str]) -> None:
    async with open_shop_of(env) as shop, shop.database.reads() as session:
        orders = {order.number: order for order in await session.scalars(select(Order))}
        guest = await session.get_one(Account, orders["DEMO0016"].account_id)
        waiting = (await session.scalars(select(Backorder))).all()
        edits = (await session.scalars(select(Event).where(Event.name == "order.edited"))).all()
        back = (await session.scalars(select(Shipment).where(Shipment.waiting_since.is_not(None)))).all()

        assert (guest.role, guest.name) == (Role.GUEST_BUYER, "许安")
        assert [(each.order_id, each.quantity) for each in waiting] == [(orders["DEMO0017"].id, 1)]
        assert [each.subject_id for each in edits] == [orders["DEMO0018"].id]
        assert [(each.order_id, each.status) for each in back] == [
            (orders["DEMO0019"].id, ShipmentStatus.RETURNED)
        ]
