"""Watching everything of one's own, and everything there is to do."""

import asyncio
from typing import Any

from domain.outbox import record
from events.news import follow_account
from events.relay import Relay
from events.shop import Shop
from models import Account, Cart, Event, Role, Subject
from resolvers.ids import global_id
from tests.conftest import OPENING
from tests.factories.account import create_account
from tests.factories.cart import create_cart
from tests.front import Front
from tests.observe import PATIENCE_SECONDS, until

UPDATES = "subscription { viewerUpdates { name version occurredAt subject { id __typename } } }"
WORK = "subscription { workQueue { name subject { id __typename } } }"


async def cart_of(shop: Shop, account: Account) -> Cart:
    async with shop.database.writes.begin() as session:
        return await create_cart(session, account)


async def happen(shop: Shop, cart: Cart, name: str = "cart.changed", **facts: Any) -> None:
    """Something happens to a cart; the names of other things do for what only looks at names."""
    async with shop.database.writes.begin() as session:
        row = await session.get_one(Cart, cart.id, with_for_update=True)
        record(session, name, row, now=OPENING, by=facts.pop("by", None), **facts)
    await Relay(shop, {}).once()


async def test_a_customer_hears_of_their_own_things_and_of_nobody_elses(front: Front, shop: Shop) -> None:
    customer, other = await front.customer(), await front.customer()
    assert customer.account
    assert other.account
    own, foreign = await cart_of(shop, customer.account), await cart_of(shop, other.account)
    await happen(shop, own, "cart.before")

    async with customer.watch(UPDATES) as watch:
        await happen(shop, foreign)
        await happen(shop, own)
        update = (await watch.next())["data"]["viewerUpdates"]

        assert update == {
            "name": "cart.changed",
            "version": 2,
            "occurredAt": OPENING.isoformat(),
            "subject": {"id": global_id("Cart", own.id), "__typename": "Cart"},
        }
        assert await watch.quiet()


async def test_an_event_that_commits_late_is_heard_though_its_id_is_lower(front: Front, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        cart = await create_cart(session, account)
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async for event in follow_account(shop, account.id):
            heard.put_nowait(event.id)

    listening = asyncio.create_task(listen())
    await until(front.bells)
    for event_id in (500, 400, 401, 900):
        async with shop.database.writes.begin() as session:
            session.add(late(event_id, cart, account))
        await Relay(shop, {}).once()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await heard.get() == event_id
    listening.cancel()

    assert heard.empty()


def late(event_id: int, cart: Cart, account: Account) -> Event:
    return Event(
        id=event_id,
        name="cart.changed",
        subject=Subject.CART,
        subject_id=cart.id,
        version=event_id,
        payload={"account_id": account.id},
        account_id=account.id,
        occurred_at=OPENING,
        attempts=0,
    )


async def test_each_role_hears_of_its_own_work(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    assert customer.account
    cart = await cart_of(shop, customer.account)
    support, manager = await front.staff(Role.SUPPORT), await front.staff(Role.MANAGER)
    assert support.account

    async with support.watch(WORK) as helping, manager.watch(WORK) as managing:
        await happen(shop, cart, "order.confirmed")
        await happen(shop, cart, "ticket.message", by=support.account.id)
        await happen(shop, cart, "ticket.message", by=customer.account.id)
        await happen(shop, cart, "order.placed")
        await happen(shop, cart, "ticket.escalated")

        assert (await helping.next())["data"]["workQueue"]["name"] == "ticket.message"
        assert await helping.quiet()
        heard = [(await managing.next())["data"]["workQueue"]["name"] for _ in range(3)]
        assert heard == ["order.confirmed", "ticket.message", "ticket.escalated"]
        assert await managing.quiet()
