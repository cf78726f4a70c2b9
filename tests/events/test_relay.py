"""Committed events reach their watchers and have their effects once, whatever fails in between."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

import pytest
import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import CartChanged
from domain.outbox import record
from events.relay import ATTEMPTS_LIMIT, Relay
from events.shop import Shop
from events.topics import subject_topic
from events.types import InTransaction, Resources
from models import Cart, CartStatus, CurrencyCode, Event, ReactionDone, Subject
from tests.conftest import STARTED_AT, Clock
from tests.observe import count_statements

pytestmark = pytest.mark.usefixtures("app")


async def create_cart_with_events(shop: Shop, times: int = 1) -> int:
    """Record so many events of a new cart; returns its id."""
    async with shop.database.writes.begin() as session:
        cart = Cart(
            token_hash=shop.secrets.new_token(),
            status=CartStatus.ACTIVE,
            currency=CurrencyCode.CNY,
            version=0,
            created_at=STARTED_AT,
            updated_at=STARTED_AT,
        )
        session.add(cart)
        await session.flush()
        for _ in range(times):
            record(session, CartChanged(cart), Cause(STARTED_AT))
            await session.flush()
        return cart.id


async def count_unrelayed(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(Event.id)).where(Event.relayed_at.is_(None))) or 0


async def count_done_reactions(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(ReactionDone)) or 0


async def delay_cart(session: AsyncSession, event: CartChanged, resources: Resources) -> None:
    """An effect that can be counted: the cart's own clock moves by a second for each."""
    cart = await session.get_one(Cart, event.cart.id, with_for_update=True)
    cart.updated_at += timedelta(seconds=1)


async def count_effects(shop: Shop, cart_id: int) -> int:
    async with shop.database.reads() as session:
        cart = await session.get_one(Cart, cart_id)
    return int((cart.updated_at - STARTED_AT).total_seconds())


async def test_an_event_notifies_the_watchers_of_its_row(shop: Shop) -> None:
    cart_id = await create_cart_with_events(shop)

    async with shop.bus.listen([subject_topic(Subject.CART, cart_id)]) as signal:
        taken = await Relay(shop, {}).run_once()

        assert (taken, await signal.wait(1)) == (1, True)
    assert await count_unrelayed(shop) == 0


async def test_a_reaction_has_its_effect_once(shop: Shop) -> None:
    cart_id = await create_cart_with_events(shop, times=3)
    relay = Relay(shop, {CartChanged: [InTransaction(delay_cart)]})

    assert [await relay.run_once(), await relay.run_once()] == [3, 0]
    assert (await count_effects(shop, cart_id), await count_done_reactions(shop)) == (3, 3)


async def test_the_events_of_a_dead_process_are_taken_over_and_not_done_again(
    shop: Shop, clock: Clock
) -> None:
    cart_id = await create_cart_with_events(shop)

    class Dying(Relay):
        async def mark(self, events: object) -> None:
            raise KeyboardInterrupt  # the process dies after the effect, before the event is marked

    dying = Dying(shop, {CartChanged: [InTransaction(delay_cart)]})
    claimed = await dying.claim()
    with pytest.raises(KeyboardInterrupt):
        await dying.react(claimed[0], dying.reactions_for(claimed[0]))
    survivor = Relay(shop, {CartChanged: [InTransaction(delay_cart)]})
    before = await survivor.run_once()
    clock.tick(shop.settings.jobs.event_lease + timedelta(seconds=1))
    after = await survivor.run_once()

    assert (before, after) == (0, 1)
    assert (await count_effects(shop, cart_id), await count_unrelayed(shop)) == (1, 0)


async def test_a_reaction_that_fails_changes_nothing_and_is_tried_again_later(
    shop: Shop, clock: Clock
) -> None:
    cart_id = await create_cart_with_events(shop)
    broken = True

    async def fragile(session: AsyncSession, event: CartChanged, resources: Resources) -> None:
        await delay_cart(session, event, resources)
        await session.flush()
        if broken:
            raise RuntimeError("no")

    relay = Relay(shop, {CartChanged: [InTransaction(fragile)]})
    await relay.run_once()
    assert (await count_effects(shop, cart_id), await count_unrelayed(shop), await relay.run_once()) == (
        0,
        1,
        0,
    )

    broken = False
    clock.tick(timedelta(seconds=3))
    assert (await relay.run_once(), await count_effects(shop, cart_id), await count_unrelayed(shop)) == (
        1,
        1,
        0,
    )


async def test_after_the_last_attempt_an_event_is_not_tried_again(shop: Shop, clock: Clock) -> None:
    await create_cart_with_events(shop)

    async def hopeless(session: AsyncSession, event: CartChanged, resources: Resources) -> None:
        raise RuntimeError("there is no way")

    relay = Relay(shop, {CartChanged: [InTransaction(hopeless)]})
    tries = 0
    for _ in range(ATTEMPTS_LIMIT + 5):
        tries += await relay.run_once()
        clock.tick(timedelta(hours=1))

    async with shop.database.reads() as session:
        event = (await session.scalars(select(Event))).one()
    assert tries == ATTEMPTS_LIMIT
    assert (event.attempts, event.failure, event.relayed_at) == (
        ATTEMPTS_LIMIT,
        "RuntimeError",
        None,
    )


async def test_two_relays_share_the_work_and_no_event_is_reacted_to_twice(shop: Shop) -> None:
    carts = [await create_cart_with_events(shop) for _ in range(20)]
    relays = [Relay(shop, {CartChanged: [InTransaction(delay_cart)]}) for _ in range(4)]

    taken = await asyncio.gather(*(relay.run_once() for relay in relays))

    assert sum(taken) == 20
    assert [await count_effects(shop, cart) for cart in carts] == [1] * 20


async def delay_carts(session: AsyncSession, events: Sequence[CartChanged], resources: Resources) -> None:
    """As `delay_cart`, of many carts in one statement."""
    if any(event.cart.version > 1 for event in events):
        raise RuntimeError("a cart that was changed twice")
    found = await session.scalars(select(Cart).where(Cart.id.in_({event.cart.id for event in events})))
    for cart in found:
        cart.updated_at += timedelta(seconds=1)


async def test_what_follows_many_events_is_done_in_one_transaction(shop: Shop) -> None:
    relay = Relay(shop, {CartChanged: [InTransaction(delay_cart, effect_on_many=delay_carts)]})
    counted, carts = [], []
    for many in (2, 20):
        new = [await create_cart_with_events(shop) for _ in range(many)]
        with count_statements(shop) as statements:
            assert await relay.run_once() == many
        # SQLite changes rows one by one: in a row, they count as one
        counted.append(len([*groupby(statements.texts)]))
        carts += new

    assert counted[0] == counted[1]
    assert [await count_effects(shop, cart) for cart in carts] == [1] * 22
    assert (await count_done_reactions(shop), await count_unrelayed(shop), await relay.run_once()) == (
        22,
        0,
        0,
    )


async def test_where_one_of_many_fails_each_is_followed_by_itself_and_none_twice(shop: Shop) -> None:
    carts = [await create_cart_with_events(shop, times=times) for times in (1, 2, 1)]
    relay = Relay(shop, {CartChanged: [InTransaction(delay_cart, effect_on_many=delay_carts)]})
    with structlog.testing.capture_logs() as logs:
        assert await relay.run_once() == 4

    assert [line["error"] for line in logs if line["event"] == "relay.one_by_one"] == ["RuntimeError"]
    assert [await count_effects(shop, cart) for cart in carts] == [1, 2, 1]
    assert (await count_done_reactions(shop), await count_unrelayed(shop), await relay.run_once()) == (
        4,
        0,
        0,
    )


async def test_an_event_of_an_unknown_name_is_relayed_without_a_reaction(
    shop: Shop, session: AsyncSession
) -> None:
    cart_id = await create_cart_with_events(shop)
    (await session.scalars(select(Event))).one().name = "cart.of_another_version"
    await session.commit()

    assert await Relay(shop, {CartChanged: [InTransaction(delay_cart)]}).run_once() == 1
    assert (await count_effects(shop, cart_id), await count_unrelayed(shop)) == (0, 0)
