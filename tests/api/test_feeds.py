"""Updates of everything of one's own, and the staff's work queue."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import (
    CartChanged,
    CartMerged,
    DomainEvent,
    OrderConfirmed,
    OrderPlaced,
    TicketEscalated,
    TicketMessageAdded,
)
from domain.outbox import record
from events.bus import LocalBus
from events.relay import Relay
from events.shop import Shop
from events.topics import account_topic
from models import Account, Cart, Event, Role, Subject
from resolvers.ids import global_id
from tests.clients import Clients
from tests.conftest import STARTED_AT
from tests.factories.account import create_account
from tests.factories.cart import create_cart
from tests.observe import TIMEOUT_SECONDS, wait_until

UPDATES = "subscription { viewerUpdates { name version occurredAt subject { id __typename } } }"
WORK = "subscription { workQueue { name subject { id __typename } } }"


async def create_own_cart(shop: Shop, account: Account) -> Cart:
    async with shop.database.writes.begin() as session:
        return await create_cart(session, account)


async def record_event(
    shop: Shop, cart: Cart, event_type: type[DomainEvent] = CartChanged, *, by: Account | None = None
) -> None:
    """An event of a cart is stored and relayed; for what looks at names only, it has the name of another."""
    async with shop.database.writes.begin() as session:
        row = await session.get_one(Cart, cart.id, with_for_update=True)
        stored = record(session, CartChanged(row), Cause(STARTED_AT, by.id if by else None))
        stored.name = event_type.name
    await Relay(shop, {}).run_once()


async def test_a_customer_gets_events_of_their_own_things_only(clients: Clients, shop: Shop) -> None:
    customer, other = await clients.customer(), await clients.customer()
    assert customer.account
    assert other.account
    own, foreign = await create_own_cart(shop, customer.account), await create_own_cart(shop, other.account)
    await record_event(shop, own, CartMerged)

    async with customer.watch(UPDATES) as watch:
        await record_event(shop, foreign)
        await record_event(shop, own)
        update = (await watch.next())["data"]["viewerUpdates"]

        assert update == {
            "name": "cart.changed",
            "version": 2,
            "occurredAt": STARTED_AT.isoformat(),
            "subject": {"id": global_id("Cart", own.id), "__typename": "Cart"},
        }
        assert await watch.is_quiet()


async def test_an_event_that_commits_late_is_sent_though_its_id_is_lower(
    shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session)
    cart = await create_cart(session, account)
    await session.commit()
    received: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async for event in shop.feed.follow_account(account.id):
            received.put_nowait(event.id)

    listening = asyncio.create_task(listen())
    assert isinstance(shop.bus, LocalBus)
    listeners = shop.bus.signals
    await wait_until(lambda: account_topic(account.id) in listeners)
    for event_id in (500, 400, 401, 900):
        session.add(late_event(event_id, cart, account))
        await session.commit()
        await Relay(shop, {}).run_once()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            assert await received.get() == event_id
    listening.cancel()

    assert received.empty()


def late_event(event_id: int, cart: Cart, account: Account) -> Event:
    return Event(
        id=event_id,
        name="cart.changed",
        subject=Subject.CART,
        subject_id=cart.id,
        version=event_id,
        payload={"account_id": account.id},
        account_id=account.id,
        occurred_at=STARTED_AT,
        attempts=0,
    )


async def test_each_role_gets_its_own_work(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    assert customer.account
    cart = await create_own_cart(shop, customer.account)
    support, manager = await clients.staff(Role.SUPPORT), await clients.staff(Role.MANAGER)
    assert support.account

    async with support.watch(WORK) as helping, manager.watch(WORK) as managing:
        await record_event(shop, cart, OrderConfirmed)
        await record_event(shop, cart, TicketMessageAdded, by=support.account)
        await record_event(shop, cart, TicketMessageAdded, by=customer.account)
        await record_event(shop, cart, OrderPlaced)
        await record_event(shop, cart, TicketEscalated)

        assert (await helping.next())["data"]["workQueue"]["name"] == "ticket.message"
        assert await helping.is_quiet()
        received = [(await managing.next())["data"]["workQueue"]["name"] for _ in range(3)]
        assert received == ["order.confirmed", "ticket.message", "ticket.escalated"]
        assert await managing.is_quiet()
