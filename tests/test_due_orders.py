"""Unpaid orders, more than a scheduler finds at a time, two workers, and one of them killed in the middle."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from domain.cart import CartOwner
from domain.cause import Cause
from domain.order import BatchItem, OrderTerms, place_orders
from events.jobs.scheduler import BATCH
from events.shop import Shop
from models import (
    Event,
    MovementKind,
    Order,
    OrderStatus,
    Promotion,
    StockLevel,
    StockMovement,
    Subject,
)
from tests.factories.account import create_account
from tests.factories.cart import create_coupon
from tests.factories.order import OFFERED, SANDBOX, a_variant, plan_for, request_for
from tests.journey.device import wait_until
from tests.observe import TIMEOUT_SECONDS, assert_books_agree
from tests.process import process_environment, running_worker

BUYERS = BATCH
ORDERS = 3 * BUYERS
QUICK = {"EVENT_LEASE": "2", "RELAY_PAUSE": "0.1", "TIMER_PAUSE": "0.1"}


@pytest.fixture
def env(new_postgres_url: str, tmp_path: Path) -> dict[str, str]:
    return process_environment(new_postgres_url, tmp_path, **QUICK)


async def place_due_orders(shop: Shop) -> None:
    """Orders of one thing each, placed with a coupon an hour ago."""
    then = shop.clock() - timedelta(hours=1)
    async with shop.database.writes.begin() as session:
        buyers = [await create_account(session) for _ in range(BUYERS)]
        variant = await a_variant(session, stock={"MAIN": ORDERS})
        coupon = await create_coupon(session, percent=10, usage_limit=ORDERS)
        request = request_for(buyers[0], [(variant, 1)], coupon_codes=[coupon.code])
        plan = await plan_for(session, request, {SANDBOX: None}, now=then)
    for group in range(ORDERS // BUYERS):
        async with shop.database.writes.begin() as session:
            items = [
                BatchItem(
                    replace(request, owner=CartOwner(buyer.id, None)),
                    replace(plan, idempotency_key=f"{group}"),
                    f"D{group:04}{buyer.id:06}",
                )
                for buyer in buyers
            ]
            terms = OrderTerms(OFFERED, timedelta(minutes=30))
            results = await place_orders(session, items, terms, cause=Cause(then))
            assert all(isinstance(result, Order) for result in results), results[:3]


async def count_cancelled(shop: Shop) -> int:
    async with shop.database.reads() as session:
        found = select(func.count(Order.id)).where(Order.status == OrderStatus.CANCELLED)
        return await session.scalar(found) or 0


async def count_lock_waits(shop: Shop) -> int:
    ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    async with shop.database.reads() as session:
        return await session.scalar(text(f"{ours} AND wait_event_type = 'Lock'")) or 0


async def is_settled(shop: Shop) -> bool:
    async with shop.database.reads() as session:
        waiting = await session.scalar(select(func.count(Event.id)).where(Event.relayed_at.is_(None)))
    return waiting == 0 and await count_cancelled(shop) == ORDERS


async def test_unpaid_orders_are_closed_once_though_a_worker_is_killed(
    env: dict[str, str], other_shop: Shop, tmp_path: Path
) -> None:
    await place_due_orders(other_shop)

    async def both_are_in_the_middle() -> bool:
        return await count_lock_waits(other_shop) == 2

    with running_worker(env, tmp_path / "first.log") as first, running_worker(env, tmp_path / "second.log"):
        async with other_shop.database.writes.begin() as session:
            await session.execute(select(StockLevel).with_for_update())  # what each order gives back to
            await wait_until("both workers have begun", both_are_in_the_middle)
            first.kill()
            first.join()
        await wait_until("all are closed", lambda: is_settled(other_shop), seconds=4 * TIMEOUT_SECONDS)

    async with other_shop.database.reads() as session:
        level = (await session.scalars(select(StockLevel))).one()
        used = await session.scalar(select(Promotion.used))
        released = await session.scalar(
            select(func.count(StockMovement.id)).where(StockMovement.kind == MovementKind.RELEASED)
        )
        cancelled_events = await session.scalar(
            select(func.count(Event.id)).where(
                Event.name == "order.cancelled", Event.subject == Subject.ORDER
            )
        )
    assert (level.on_hand, level.reserved, used) == (ORDERS, 0, 0)
    assert (released, cancelled_events) == (ORDERS, ORDERS)
    await assert_books_agree(other_shop)
