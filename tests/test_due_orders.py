"""A thousand orders nobody paid for, two workers, and one of them killed in the middle."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from app import open_shop
from domain.cart import Owner
from domain.order import Placement, Terms, place_orders
from events.shop import Shop
from models import (
    Event,
    MovementKind,
    Offer,
    Order,
    OrderStatus,
    StockLevel,
    StockMovement,
    Subject,
)
from settings import Settings
from tests.factories.account import create_account
from tests.factories.cart import create_coupon
from tests.factories.order import OFFERED, SANDBOX, a_variant, promise_for, wish_for
from tests.journey.shop import until
from tests.observe import PATIENCE_SECONDS, sound
from tests.process import ROOT, cartwheel, environment

if TYPE_CHECKING:
    from tests.servers import PostgresServer

ORDERS = 1_000
GROUP = 100
"""Buyers; each has ordered ten times."""
QUICK = {"EVENT_LEASE": "2", "RELAY_PAUSE": "0.1", "TIMER_PAUSE": "0.1"}


@pytest.fixture
async def env(postgres_server: "PostgresServer", tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    name = f"due_{uuid4().hex}"
    yield environment(await postgres_server.new_database(name), tmp_path, **QUICK)
    await postgres_server.drop_database(name)


@pytest.fixture
async def behind(env: dict[str, str]) -> AsyncIterator[Shop]:
    """The same shop seen from behind the counter, with nobody working in it."""
    migrated = cartwheel("migrate", env=env)
    assert migrated.returncode == 0, migrated.stderr
    given = {name.lower(): value for name, value in env.items() if name.lower() in Settings.model_fields}
    shop = open_shop(Settings(_env_file=None, **given))  # type: ignore[arg-type]
    yield shop
    await shop.close()


@contextmanager
def worker(env: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`cartwheel worker`, a process of its own."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", "cli", "worker"], env=env, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        yield popen
    finally:
        popen.kill()
        popen.wait()


async def due_orders(shop: Shop) -> None:
    """Orders of one thing each, placed with a coupon an hour ago."""
    then = shop.clock() - timedelta(hours=1)
    async with shop.database.writes.begin() as session:
        buyers = [await create_account(session) for _ in range(GROUP)]
        variant = await a_variant(session, stock={"MAIN": ORDERS})
        coupon = await create_coupon(session, percent=10, usage_limit=ORDERS)
        wish = wish_for(buyers[0], [(variant, 1)], coupon_codes=[coupon.code])
        promise = await promise_for(session, wish, {SANDBOX: None}, now=then)
    for group in range(ORDERS // GROUP):
        async with shop.database.writes.begin() as session:
            wanted = [
                Placement(
                    replace(wish, owner=Owner(buyer.id, None)),
                    replace(promise, idempotency_key=f"{group}"),
                    f"D{group:04}{buyer.id:06}",
                )
                for buyer in buyers
            ]
            terms = Terms(OFFERED, timedelta(minutes=30))
            outcomes = await place_orders(session, wanted, terms, now=then)
            assert all(isinstance(outcome, Order) for outcome in outcomes), outcomes[:3]


async def closed(shop: Shop) -> int:
    async with shop.database.reads() as session:
        found = select(func.count(Order.id)).where(Order.status == OrderStatus.CANCELLED)
        return await session.scalar(found) or 0


async def waiting_for_locks(shop: Shop) -> int:
    ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    async with shop.database.reads() as session:
        return await session.scalar(text(f"{ours} AND wait_event_type = 'Lock'")) or 0


async def settled(shop: Shop) -> bool:
    async with shop.database.reads() as session:
        waiting = await session.scalar(select(func.count(Event.id)).where(Event.relayed_at.is_(None)))
    return waiting == 0 and await closed(shop) == ORDERS


async def test_a_thousand_unpaid_orders_close_once_though_a_worker_is_killed(
    env: dict[str, str], behind: Shop, tmp_path: Path
) -> None:
    await due_orders(behind)

    async def both_are_in_the_middle() -> bool:
        return await waiting_for_locks(behind) == 2

    with worker(env, tmp_path / "first.log") as first, worker(env, tmp_path / "second.log"):
        async with behind.database.writes.begin() as session:
            await session.execute(select(StockLevel).with_for_update())  # what each order gives back to
            await until("both workers have begun", both_are_in_the_middle)
            first.kill()
            first.wait()
        await until("all are closed", lambda: settled(behind), seconds=8 * PATIENCE_SECONDS)

    async with behind.database.reads() as session:
        level = (await session.scalars(select(StockLevel))).one()
        used = await session.scalar(select(Offer.used))
        released = await session.scalar(
            select(func.count(StockMovement.id)).where(StockMovement.kind == MovementKind.RELEASED)
        )
        told = await session.scalar(
            select(func.count(Event.id)).where(
                Event.name == "order.cancelled", Event.subject == Subject.ORDER
            )
        )
    assert (level.on_hand, level.reserved, used) == (ORDERS, 0, 0)
    assert (released, told) == (ORDERS, ORDERS)
    await sound(behind)
