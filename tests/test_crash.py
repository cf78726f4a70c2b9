"""A process that is killed between commit and relay loses nothing and repeats nothing."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from events.payment import begin_payment, query_attempt
from events.shop import Shop
from models import Account, Event, Order, OrderStatus, Refund, RefundStatus, SandboxRefund
from resolvers.ids import global_id
from tests.factories.account import create_account
from tests.factories.order import create_order, payments_of
from tests.factories.token import sign_in_account
from tests.journey.device import wait_until
from tests.observe import TIMEOUT_SECONDS, assert_books_agree
from tests.process import Process, process_environment, serve_shop

CANCEL = """
mutation ($id: ID!) {
  orderCancel(input: { id: $id, reason: "changed my mind" }) { order { status } userErrors { code message } }
}
"""
ORDERS = 12
QUICK = {"EVENT_LEASE": "1", "RELAY_PAUSE": "0.1", "TIMER_PAUSE": "0.2"}


@pytest.fixture(params=["new_sqlite_url", "new_postgres_url"], ids=["sqlite", "postgresql"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return process_environment(request.getfixturevalue(request.param), tmp_path, **QUICK)


async def create_paid_orders(shop: Shop, buyer: Account) -> list[int]:
    """Orders whose money the built-in provider really has."""
    assert shop.sandbox is not None
    ids = []
    for _ in range(ORDERS):
        async with shop.database.writes.begin() as session:
            order = await create_order(session, account=buyer, now=shop.clock())
            [payment] = await payments_of(session, order)
        started = await begin_payment(shop, payment.id, by=buyer.id)
        await shop.sandbox.delay(started.attempt.reference, timedelta())
        await query_attempt(shop, started.attempt.id)
        ids.append(order.id)
    return ids


async def cancel_and_kill(process: Process, token: str, orders: list[int], *, kill_after: int) -> None:
    """Cancel all orders at once, and kill -9 the process when so many have been answered."""
    answered = 0
    async with httpx.AsyncClient(base_url=process.url, timeout=TIMEOUT_SECONDS) as http:

        async def cancel(order_id: int) -> None:
            nonlocal answered
            body = {"query": CANCEL, "variables": {"id": global_id("Order", order_id)}}
            reply = await http.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
            assert reply.json()["data"]["orderCancel"]["userErrors"] == []
            answered += 1
            if answered == kill_after:
                process.kill()

        results = await asyncio.gather(*map(cancel, orders), return_exceptions=True)
    for result in results:
        assert result is None or isinstance(result, httpx.TransportError), result
    assert process.exit_code == -9


async def all_is_settled(shop: Shop) -> bool:
    async with shop.database.reads() as session:
        waiting = await session.scalar(select(func.count(Event.id)).where(Event.relayed_at.is_(None)))
        pending = await session.scalar(
            select(func.count(Refund.id)).where(Refund.status != RefundStatus.SUCCEEDED)
        )
    return waiting == pending == 0


@pytest.mark.parametrize(
    ("works", "kill_after"),
    [("false", ORDERS), ("true", 4)],
    ids=["before anything was relayed", "in the middle of it all"],
)
async def test_after_kill_9_nothing_is_missing_and_nothing_happens_twice(
    env: dict[str, str], other_shop: Shop, tmp_path: Path, works: str, kill_after: int
) -> None:
    async with other_shop.database.writes.begin() as session:
        buyer = await create_account(session)
    orders = await create_paid_orders(other_shop, buyer)
    token = await sign_in_account(other_shop, buyer)

    async with serve_shop(env | {"RUN_WORKER": works}, tmp_path / "first.log") as process:
        await cancel_and_kill(process, token, orders, kill_after=kill_after)
    async with serve_shop(env | {"RUN_WORKER": "true"}, tmp_path / "second.log"):
        await wait_until("all refunds are through", lambda: all_is_settled(other_shop))

    async with other_shop.database.reads() as session:
        cancelled = set(await session.scalars(select(Order.id).where(Order.status == OrderStatus.CANCELLED)))
        refunds = (await session.scalars(select(Refund.order_id))).all()
        sent = await session.scalar(select(func.count()).select_from(SandboxRefund))
    assert len(cancelled) >= kill_after
    assert sorted(refunds) == sorted(cancelled)
    assert sent == len(cancelled)
    await assert_books_agree(other_shop)
