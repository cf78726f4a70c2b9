"""A process that is killed between commit and relay loses nothing and repeats nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from app import open_shop
from events.payment import ask, begin_payment, charge_of
from events.shop import Shop
from gateways.payment.sandbox import Sandbox
from models import Account, Event, Order, OrderStatus, PaymentMethod, Refund, RefundStatus, SandboxRefund
from resolvers.ids import global_id
from settings import Settings
from tests.factories.account import create_account
from tests.factories.order import create_order, payments_of
from tests.factories.token import access_token
from tests.journey.shop import until
from tests.observe import PATIENCE_SECONDS, sound
from tests.process import Process, cartwheel, environment, serving

if TYPE_CHECKING:
    from tests.servers import PostgresServer

CANCEL = """
mutation ($id: ID!) {
  orderCancel(input: { id: $id, reason: "changed my mind" }) { order { status } userErrors { code message } }
}
"""
ORDERS = 12
QUICK = {"EVENT_LEASE": "1", "RELAY_PAUSE": "0.1", "TIMER_PAUSE": "0.2"}


@pytest.fixture(params=["sqlite", "postgresql"])
async def env(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    if request.param == "sqlite":
        yield environment(f"sqlite:///{tmp_path}/shop.db", tmp_path, **QUICK)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"crash_{uuid4().hex}"
    yield environment(await server.new_database(name), tmp_path, **QUICK)
    await server.drop_database(name)


@pytest.fixture
async def behind(env: dict[str, str]) -> AsyncIterator[Shop]:
    """The same shop seen from behind the counter, with nobody working in it."""
    migrated = cartwheel("migrate", env=env)
    assert migrated.returncode == 0, migrated.stderr
    given = {name.lower(): value for name, value in env.items() if name.lower() in Settings.model_fields}
    shop = open_shop(Settings(_env_file=None, **given))  # type: ignore[arg-type]
    yield shop
    await shop.close()


async def paid_orders(shop: Shop, buyer: Account) -> list[int]:
    """Orders whose money the built-in provider really has."""
    sandbox = shop.payments[PaymentMethod.SANDBOX]
    assert isinstance(sandbox, Sandbox)
    ids = []
    for _ in range(ORDERS):
        async with shop.database.writes.begin() as session:
            order = await create_order(session, account=buyer, now=shop.clock())
            [payment] = await payments_of(session, order)
        await begin_payment(shop, payment.id, return_url=None, by=buyer.id)
        await sandbox.delay(payment.reference, timedelta())
        await ask(shop, PaymentMethod.SANDBOX, await charge_of(shop, payment.id))
        ids.append(order.id)
    return ids


async def cancel_all(process: Process, token: str, orders: list[int], *, kill_after: int) -> None:
    """Cancel all orders at once, and kill -9 the process when so many have been answered."""
    answered = 0
    async with httpx.AsyncClient(base_url=process.url, timeout=PATIENCE_SECONDS) as http:

        async def cancel(order_id: int) -> None:
            nonlocal answered
            body = {"query": CANCEL, "variables": {"id": global_id("Order", order_id)}}
            reply = await http.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
            assert reply.json()["data"]["orderCancel"]["userErrors"] == []
            answered += 1
            if answered == kill_after:
                process.kill()

        outcomes = await asyncio.gather(*map(cancel, orders), return_exceptions=True)
    for outcome in outcomes:
        assert outcome is None or isinstance(outcome, httpx.TransportError), outcome
    assert process.popen.poll() == -9


async def everything_followed(shop: Shop) -> bool:
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
    env: dict[str, str], behind: Shop, tmp_path: Path, works: str, kill_after: int
) -> None:
    async with behind.database.writes.begin() as session:
        buyer = await create_account(session)
    orders = await paid_orders(behind, buyer)
    token = access_token(behind, buyer)

    async with serving(env | {"RUN_WORKER": works}, tmp_path / "first.log") as process:
        await cancel_all(process, token, orders, kill_after=kill_after)
    async with serving(env | {"RUN_WORKER": "true"}, tmp_path / "second.log"):
        await until("all refunds are through", lambda: everything_followed(behind))

    async with behind.database.reads() as session:
        cancelled = set(await session.scalars(select(Order.id).where(Order.status == OrderStatus.CANCELLED)))
        refunds = (await session.scalars(select(Refund.order_id))).all()
        sent = await session.scalar(select(func.count()).select_from(SandboxRefund))
    assert len(cancelled) >= kill_after
    assert sorted(refunds) == sorted(cancelled)
    assert sent == len(cancelled)
    await sound(behind)
