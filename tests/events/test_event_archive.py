"""Events of what is final move to the archive, where timelines find them, and no follower misses one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.requests import cancel_ticket
from domain.aftersales.states import TRANSITIONS as OF_TICKETS
from domain.cart.expiry import delete_untouched_carts
from domain.cart.owner import TRANSITIONS as OF_CARTS
from domain.cause import Cause
from domain.delivery_run.states import TRANSITIONS as OF_DELIVERY_RUNS
from domain.errors import ReloadRequired
from domain.event_archive import FINAL, MOVE_LIMIT, ArchiveLimit, archive_events
from domain.events import CartChanged, OrderAddressChanged
from domain.order.states import TRANSITIONS as OF_ORDERS
from domain.outbox import EventTable, record, rewrite_payloads
from domain.shipment import unpack_shipment
from domain.shipment.states import TRANSITIONS as OF_SHIPMENTS
from events.relay import Relay
from events.shop import Shop
from events.types import InTransaction, Resources
from loaders.event import OVERLAP, REPLAY_BATCH
from models import (
    Account,
    ArchivedEvent,
    Cart,
    CartStatus,
    Event,
    Order,
    OrderPromotionRules,
    OrderStatus,
    ReactionDone,
    Shipment,
    Subject,
    Ticket,
)
from models.base import JsonObject
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT, Clock
from tests.events.test_replay import wait_for_listener
from tests.factories.aftersales import DEADLINES, create_ticket
from tests.factories.order import create_order
from tests.factories.promotion import create_full_reduction
from tests.factories.shipment import confirmed_order, pack
from tests.observe import TIMEOUT_SECONDS, assert_books_agree, count_statements, run_until_idle

AGE = timedelta(days=90)
TIMELINE = "query($id: ID!) { order(id: $id) { version timeline { version name occurredAt } } }"


async def relay_all(shop: Shop) -> None:
    while await Relay(shop, {}).run_once():
        pass


async def record_newer_events(shop: Shop, count: int = OVERLAP) -> None:
    """So many events happen elsewhere that feeds no longer read those before them again, or fewer."""
    async with shop.database.writes.begin() as session:
        newest = await session.scalar(select(func.max(Event.id))) or 0
        session.add(
            Event(
                id=newest + count,
                name="product.updated",
                subject=Subject.PRODUCT,
                subject_id=1,
                version=newest + 1,
                payload={},
                occurred_at=shop.clock(),
                relayed_at=shop.clock(),
                attempts=0,
            )
        )


async def pass_time(shop: Shop, clock: Clock, time: timedelta = AGE) -> None:
    """Everything is relayed, and then so much time passes."""
    await relay_all(shop)
    clock.tick(time)
    await record_newer_events(shop)


async def versions_in(
    shop: Shop, table: type[Event] | type[ArchivedEvent], subject: Subject, id: int
) -> list[int]:
    async with shop.database.reads() as session:
        found = select(table.version).where(table.subject == subject, table.subject_id == id)
        return list(await session.scalars(found.order_by(table.version)))


async def create_finished_order(shop: Shop, status: OrderStatus = OrderStatus.COMPLETED) -> Order:
    async with shop.database.writes.begin() as session:
        return await create_order(session, status=status, now=STARTED_AT)


async def create_cart(shop: Shop, status: CartStatus, *, events: int) -> int:
    """A guest's cart with so many events."""
    async with shop.database.writes.begin() as session:
        cart = Cart(
            token_hash=shop.secrets.new_token(), status=status, currency="CNY", version=events,
            created_at=STARTED_AT, updated_at=STARTED_AT,
        )  # fmt: skip
        session.add(cart)
        await session.flush()
        common = {"name": "cart.changed", "subject": Subject.CART, "subject_id": cart.id, "payload": {}}
        common |= {"occurred_at": STARTED_AT, "relayed_at": STARTED_AT, "attempts": 0}
        await session.execute(insert(Event), [common | {"version": n + 1} for n in range(events)])
        return cart.id


async def customer_of(clients: Clients, order: Order) -> Client:
    """The customer of an order, signed in at this moment."""
    async with clients.shop.database.reads() as session:
        return await clients.customer(await session.get_one(Account, order.account_id))


async def timeline_of(clients: Clients, order: Order) -> list[dict[str, object]]:
    customer = await customer_of(clients, order)
    found = await customer.get(TIMELINE, id=global_id("Order", order.id))
    timeline: list[dict[str, object]] = found["order"]["timeline"]
    return timeline


@pytest.mark.parametrize("status", [OrderStatus.COMPLETED, OrderStatus.CANCELLED])
async def test_the_timeline_of_an_order_is_the_same_after_its_events_are_archived(
    status: OrderStatus, clients: Clients, shop: Shop, clock: Clock
) -> None:
    order = await create_finished_order(shop, status)
    await run_until_idle(shop)
    versions = await versions_in(shop, Event, Subject.ORDER, order.id)
    await pass_time(shop, clock)
    with count_statements(shop) as live:
        before = await timeline_of(clients, order)

    assert await shop.archiver.archive() >= len(versions)

    assert await versions_in(shop, Event, Subject.ORDER, order.id) == []
    assert await versions_in(shop, ArchivedEvent, Subject.ORDER, order.id) == versions
    with count_statements(shop) as archived:
        assert await timeline_of(clients, order) == before
    assert before
    assert archived.total == live.total
    await assert_books_agree(shop)
    assert await shop.archiver.archive() == 0


async def orders_with_rules(shop: Shop) -> list[int]:
    async with shop.database.reads() as session:
        rules = select(OrderPromotionRules.order_id).order_by(OrderPromotionRules.order_id)
        return list(await session.scalars(rules))


async def test_the_promotion_rules_of_an_order_go_with_its_events(shop: Shop, clock: Clock) -> None:
    async with shop.database.writes.begin() as session:
        await create_full_reduction(session, (20_000, 2_000))
    statuses = (OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CONFIRMED)
    orders = [await create_finished_order(shop, status) for status in statuses]
    await run_until_idle(shop)
    before = await orders_with_rules(shop)
    await pass_time(shop, clock)

    await shop.archiver.archive()

    assert before == [order.id for order in orders]
    assert await orders_with_rules(shop) == [orders[2].id]


@pytest.mark.parametrize("status", [OrderStatus.PENDING, OrderStatus.CONFIRMED])
async def test_events_of_an_order_that_is_not_final_stay(
    status: OrderStatus, shop: Shop, clock: Clock
) -> None:
    order = await create_finished_order(shop, status)
    await pass_time(shop, clock)

    assert await shop.archiver.archive() == 0
    assert await versions_in(shop, ArchivedEvent, Subject.ORDER, order.id) == []


async def test_events_younger_than_the_setting_stay(shop: Shop, clock: Clock) -> None:
    await create_finished_order(shop)
    await pass_time(shop, clock, AGE - timedelta(seconds=1))

    assert await shop.archiver.archive() == 0


async def test_no_event_moves_while_one_of_its_row_is_not_relayed(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    cart_id = await create_cart(shop, CartStatus.MERGED, events=3)
    [*_, last] = await session.scalars(select(Event).order_by(Event.version))
    last.relayed_at = None
    await session.commit()
    clock.tick(AGE)
    await record_newer_events(shop)

    assert await shop.archiver.archive() == 0
    assert await versions_in(shop, Event, Subject.CART, cart_id) == [1, 2, 3]


async def test_an_event_whose_reaction_fails_again_and_again_stays(shop: Shop, clock: Clock) -> None:
    async def fail(session: AsyncSession, event: CartChanged, resources: Resources) -> None:
        raise ConnectionError

    cart_id = await create_cart(shop, CartStatus.ACTIVE, events=1)
    async with shop.database.writes.begin() as session:
        cart = await session.get_one(Cart, cart_id)
        record(session, CartChanged(cart), Cause(STARTED_AT))
        cart.status = CartStatus.MERGED
    await Relay(shop, {CartChanged: [InTransaction(fail)]}).run_once()
    clock.tick(AGE)
    await record_newer_events(shop)

    assert await shop.archiver.archive() == 0
    assert await versions_in(shop, Event, Subject.CART, cart_id) == [1, 2]


async def test_no_event_moves_while_feeds_read_one_of_its_row_again(shop: Shop, clock: Clock) -> None:
    cart_id = await create_cart(shop, CartStatus.MERGED, events=3)
    clock.tick(AGE)
    await record_newer_events(shop, OVERLAP - 1)

    assert await shop.archiver.archive() == 0
    assert await versions_in(shop, Event, Subject.CART, cart_id) == [1, 2, 3]


async def test_the_newest_events_stay_however_old_they_are(shop: Shop, clock: Clock) -> None:
    await create_finished_order(shop)
    await relay_all(shop)
    clock.tick(AGE)

    assert await shop.archiver.archive() == 0


async def test_what_happens_later_follows_the_archived_events(
    clients: Clients, shop: Shop, clock: Clock
) -> None:
    order = await create_finished_order(shop)
    await pass_time(shop, clock)
    await shop.archiver.archive()
    archived = await versions_in(shop, ArchivedEvent, Subject.ORDER, order.id)

    async with shop.database.writes.begin() as writing:
        row = await writing.get_one(Order, order.id, with_for_update=True)
        record(writing, OrderAddressChanged(row, delivery_id=1), Cause(clock()))

    later = archived[-1] + 1
    assert await versions_in(shop, Event, Subject.ORDER, order.id) == [later]
    assert (await timeline_of(clients, order))[-1]["version"] == later
    await assert_books_agree(shop)
    await pass_time(shop, clock)
    assert await shop.archiver.archive() == 1
    assert await versions_in(shop, ArchivedEvent, Subject.ORDER, order.id) == [*archived, later]


async def test_reactions_are_forgotten_with_their_events(shop: Shop, clock: Clock) -> None:
    async def do_nothing(session: AsyncSession, event: CartChanged, resources: Resources) -> None: ...

    cart_id = await create_cart(shop, CartStatus.ACTIVE, events=1)
    async with shop.database.writes.begin() as session:
        cart = await session.get_one(Cart, cart_id)
        record(session, CartChanged(cart), Cause(STARTED_AT))
        cart.status = CartStatus.MERGED
    await Relay(shop, {CartChanged: [InTransaction(do_nothing)]}).run_once()
    clock.tick(AGE)
    await record_newer_events(shop)

    assert await shop.archiver.archive() == 2
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(ReactionDone)) == 0


async def test_many_events_of_one_row_move_in_several_transactions(shop: Shop, clock: Clock) -> None:
    count = MOVE_LIMIT + 10
    cart_id = await create_cart(shop, CartStatus.MERGED, events=count)
    await pass_time(shop, clock)

    assert await shop.archiver.archive() == count
    assert await versions_in(shop, ArchivedEvent, Subject.CART, cart_id) == list(range(1, count + 1))


async def test_two_workers_move_each_event_once(shop: Shop, clock: Clock) -> None:
    carts = [await create_cart(shop, CartStatus.MERGED, events=5) for _ in range(20)]
    await pass_time(shop, clock)

    moved = await asyncio.gather(*(shop.archiver.archive() for _ in range(4)))
    moved.append(await shop.archiver.archive())

    assert sum(moved) == 100
    for cart_id in carts:
        assert await versions_in(shop, ArchivedEvent, Subject.CART, cart_id) == [1, 2, 3, 4, 5]


async def test_a_worker_that_dies_leaves_every_event_where_it_was(shop: Shop, clock: Clock) -> None:
    cart_id = await create_cart(shop, CartStatus.MERGED, events=3)
    await pass_time(shop, clock)
    limit = ArchiveLimit(relayed_by=clock(), id=3)

    async with shop.database.writes() as session:
        assert await archive_events(session, Subject.CART, [cart_id], limit) == 3
        await session.rollback()

    assert await versions_in(shop, Event, Subject.CART, cart_id) == [1, 2, 3]
    assert await versions_in(shop, ArchivedEvent, Subject.CART, cart_id) == []
    assert await shop.archiver.archive() == 3


async def test_events_of_an_unpacked_parcel_move(shop: Shop, clock: Clock) -> None:
    async with shop.database.writes.begin() as session:
        [shipment] = await pack(session, await confirmed_order(session, now=STARTED_AT), now=STARTED_AT)
        shipment_id = shipment.id
        await unpack_shipment(session, shipment_id, cause=Cause(STARTED_AT))
    versions = await versions_in(shop, Event, Subject.SHIPMENT, shipment_id)
    await pass_time(shop, clock)

    assert await shop.archiver.archive() == len(versions) == 2
    assert await versions_in(shop, ArchivedEvent, Subject.SHIPMENT, shipment_id) == versions


async def test_a_deleted_cart_leaves_nothing_in_the_archive(shop: Shop, clock: Clock) -> None:
    cart_id = await create_cart(shop, CartStatus.MERGED, events=3)
    await pass_time(shop, clock)
    await shop.archiver.archive()

    async with shop.database.writes.begin() as session:
        assert await delete_untouched_carts(session, untouched=STARTED_AT) == [cart_id]

    assert await versions_in(shop, ArchivedEvent, Subject.CART, cart_id) == []


async def test_payloads_are_rewritten_in_the_archive_too(shop: Shop, clock: Clock) -> None:
    old = await create_cart(shop, CartStatus.MERGED, events=2)
    await pass_time(shop, clock)
    await shop.archiver.archive()
    young = await create_cart(shop, CartStatus.ACTIVE, events=1)
    other = await create_cart(shop, CartStatus.ACTIVE, events=1)

    def is_concerned(table: EventTable) -> ColumnElement[bool]:
        return and_(table.subject == Subject.CART, table.subject_id.in_([old, young]))

    def mark(name: str, payload: JsonObject) -> JsonObject:
        return payload | {"name": name}

    async with shop.database.writes.begin() as session:
        assert await rewrite_payloads(session, is_concerned, mark) == 3
        assert await rewrite_payloads(session, is_concerned, mark) == 0

    async with shop.database.reads() as session:
        marked = {"name": "cart.changed"}
        assert list(await session.scalars(select(ArchivedEvent.payload))) == [marked, marked]
        payloads = await session.scalars(
            select(Event.payload).where(Event.subject_id.in_([young, other])).order_by(Event.id)
        )
        assert list(payloads)[-2:] == [marked, {}]


async def next_version(watching: AsyncIterator[Event]) -> int:
    return (await asyncio.wait_for(anext(watching), TIMEOUT_SECONDS)).version


async def test_a_watcher_that_asks_for_archived_versions_is_told_to_load_anew(
    shop: Shop, clock: Clock
) -> None:
    cart_id = await create_cart(shop, CartStatus.MERGED, events=3)
    await pass_time(shop, clock)
    await shop.archiver.archive()
    async with shop.database.writes.begin() as session:
        cart = await session.get_one(Cart, cart_id)
        record(session, CartChanged(cart), Cause(clock()))

    for after in (0, 1, 2):
        with pytest.raises(ReloadRequired):
            await next_version(shop.replay.follow(Subject.CART, cart_id, after))
    assert await next_version(shop.replay.follow(Subject.CART, cart_id, 3)) == 4


async def test_a_watcher_that_slept_while_events_were_archived_is_told_to_load_anew(
    shop: Shop, clock: Clock
) -> None:
    cart_id = await create_cart(shop, CartStatus.MERGED, events=REPLAY_BATCH + 50)
    watching = shop.replay.follow(Subject.CART, cart_id, 0)
    assert [await next_version(watching) for _ in range(REPLAY_BATCH)] == list(range(1, REPLAY_BATCH + 1))
    await pass_time(shop, clock)
    await shop.archiver.archive()

    with pytest.raises(ReloadRequired):
        await next_version(watching)


async def test_a_watcher_of_an_archived_row_gets_what_is_to_come(shop: Shop, clock: Clock) -> None:
    cart_id = await create_cart(shop, CartStatus.MERGED, events=3)
    await pass_time(shop, clock)
    await shop.archiver.archive()
    watching = asyncio.ensure_future(next_version(shop.replay.follow(Subject.CART, cart_id, None)))
    await wait_for_listener(shop, cart_id)
    async with shop.database.writes.begin() as session:
        cart = await session.get_one(Cart, cart_id)
        record(session, CartChanged(cart), Cause(clock()))
    await relay_all(shop)

    assert await watching == 4


@pytest.mark.parametrize("field", ["orderUpdates", "shipmentUpdates", "ticketUpdates"])
async def test_a_subscription_to_archived_versions_is_refused_by_name(
    field: str, clients: Clients, shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    ticket = await create_ticket(session, now=STARTED_AT)
    await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(STARTED_AT))
    order = await session.get_one(Order, ticket.order_id)
    shipment = (await session.scalars(select(Shipment).where(Shipment.order_id == order.id))).first()
    assert shipment
    rows: dict[str, Order | Shipment | Ticket] = {"order": order, "shipment": shipment, "ticket": ticket}
    row = rows[field.removesuffix("Updates")]
    await session.commit()
    await pass_time(shop, clock)
    assert await shop.archiver.archive() > 0

    document = f"subscription($id: ID!) {{ {field}(id: $id, after: 1) {{ version }} }}"
    customer = await customer_of(clients, order)
    async with customer.watch(document, id=global_id(type(row).__name__, row.id)) as watch:
        [error] = (await watch.answer())["errors"]

    assert error["extensions"] == {"code": "RELOAD_REQUIRED", "field": ["after"]}


@pytest.mark.parametrize(
    "accept", ["text/event-stream", 'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"']
)
async def test_a_stream_of_archived_versions_is_refused_by_name(
    accept: str, clients: Clients, shop: Shop, clock: Clock
) -> None:
    order = await create_finished_order(shop)
    await pass_time(shop, clock)
    await shop.archiver.archive()
    customer = await customer_of(clients, order)
    customer.headers["Accept"] = accept

    document = "subscription($id: ID!) { orderUpdates(id: $id, after: 1) { version } }"
    streamed = await customer.post(document, id=global_id("Order", order.id))

    assert streamed.headers["Content-Type"].partition(";")[0] == accept.partition(";")[0]
    assert streamed.text.count('"code":"RELOAD_REQUIRED"') == 1


@pytest.mark.parametrize(
    ("subject", "transitions"),
    [
        (Subject.ORDER, OF_ORDERS),
        (Subject.SHIPMENT, OF_SHIPMENTS),
        (Subject.TICKET, OF_TICKETS),
        (Subject.CART, OF_CARTS),
        (Subject.DELIVERY_RUN, OF_DELIVERY_RUNS),
    ],
)
def test_what_follows_a_final_status_is_final(
    subject: Subject, transitions: dict[str, frozenset[str]]
) -> None:
    final = FINAL[subject].statuses
    ends = {status for status, to in transitions.items() if not to}
    assert ends <= set(final)
    reopened = {OrderStatus.CONFIRMED} if subject is Subject.ORDER else set()
    assert {to for status in final for to in transitions[status]} - set(final) == reopened
