"""What happened is told and has its effects, once, whatever breaks in between."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.outbox import record
from events.reaction import Inside, Outside
from events.relay import ATTEMPTS_LIMIT, Relay
from events.shop import Shop
from events.topics import subject_topic
from models import Cart, CartStatus, CurrencyCode, Event, ReactionDone, Subject
from tests.conftest import OPENING, Clock

pytestmark = pytest.mark.usefixtures("app")


async def happen(shop: Shop, times: int = 1, name: str = "cart.changed") -> int:
    """A cart to which something happens `times` times; its id."""
    async with shop.database.writes.begin() as session:
        cart = Cart(
            token_hash=shop.secrets.token(),
            status=CartStatus.ACTIVE,
            currency=CurrencyCode.CNY,
            version=0,
            created_at=OPENING,
            updated_at=OPENING,
        )
        session.add(cart)
        await session.flush()
        for _ in range(times):
            record(session, name, cart, now=OPENING)
            await session.flush()
        return cart.id


async def waiting(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(Event.id)).where(Event.relayed_at.is_(None))) or 0


async def marks(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count()).select_from(ReactionDone)) or 0


async def note(session: AsyncSession, event: Event, shop: Shop) -> None:
    """An effect that can be counted: the cart's own clock moves by a second for each."""
    cart = await session.get_one(Cart, event.subject_id, with_for_update=True)
    cart.updated_at += timedelta(seconds=1)


async def effects(shop: Shop, cart_id: int) -> int:
    async with shop.database.reads() as session:
        cart = await session.get_one(Cart, cart_id)
    return int((cart.updated_at - OPENING).total_seconds())


async def test_whoever_listens_hears_of_it(shop: Shop) -> None:
    cart_id = await happen(shop)

    async with shop.bus.listen([subject_topic(Subject.CART, cart_id)]) as bell:
        taken = await Relay(shop, {}).once()

        assert (taken, await bell.wait(1)) == (1, True)
    assert await waiting(shop) == 0


async def test_a_reaction_has_its_effect_once(shop: Shop) -> None:
    cart_id = await happen(shop, times=3)
    relay = Relay(shop, {"cart.changed": [Inside(note)]})

    assert [await relay.once(), await relay.once()] == [3, 0]
    assert (await effects(shop, cart_id), await marks(shop)) == (3, 3)


async def test_what_a_dead_process_had_taken_is_taken_over_and_not_done_again(
    shop: Shop, clock: Clock
) -> None:
    cart_id = await happen(shop)

    class Dying(Relay):
        async def mark(self, events: object) -> None:
            raise KeyboardInterrupt  # the process dies after the effect, before the event is marked

    dying = Dying(shop, {"cart.changed": [Inside(note)]})
    claimed = await dying.claim()
    with pytest.raises(KeyboardInterrupt):
        await dying.react(claimed[0])
    survivor = Relay(shop, {"cart.changed": [Inside(note)]})
    before = await survivor.once()
    clock.tick(shop.settings.event_lease + timedelta(seconds=1))
    after = await survivor.once()

    assert (before, after) == (0, 1)
    assert (await effects(shop, cart_id), await waiting(shop)) == (1, 0)


async def test_a_reaction_that_fails_changes_nothing_and_is_tried_again_later(
    shop: Shop, clock: Clock
) -> None:
    cart_id = await happen(shop)
    broken = True

    async def fragile(session: AsyncSession, event: Event, shop: Shop) -> None:
        await note(session, event, shop)
        await session.flush()
        if broken:
            raise RuntimeError("no")

    relay = Relay(shop, {"cart.changed": [Inside(fragile)]})
    await relay.once()
    assert (await effects(shop, cart_id), await waiting(shop), await relay.once()) == (0, 1, 0)

    broken = False
    clock.tick(timedelta(seconds=3))
    assert (await relay.once(), await effects(shop, cart_id), await waiting(shop)) == (1, 1, 0)


async def test_after_the_last_attempt_an_event_waits_for_a_human(shop: Shop, clock: Clock) -> None:
    await happen(shop)

    async def hopeless(event: Event, shop: Shop) -> None:
        raise RuntimeError("the partner is gone")

    relay = Relay(shop, {"cart.changed": [Outside(hopeless)]})
    tries = 0
    for _ in range(ATTEMPTS_LIMIT + 5):
        tries += await relay.once()
        clock.tick(timedelta(hours=1))

    async with shop.database.reads() as session:
        event = (await session.scalars(select(Event))).one()
    assert tries == ATTEMPTS_LIMIT
    assert (event.attempts, event.failure, event.relayed_at) == (
        ATTEMPTS_LIMIT,
        "RuntimeError: the partner is gone",
        None,
    )


async def test_two_relays_share_the_work_and_no_event_is_reacted_to_twice(shop: Shop) -> None:
    carts = [await happen(shop) for _ in range(20)]
    relays = [Relay(shop, {"cart.changed": [Inside(note)]}) for _ in range(4)]

    taken = await asyncio.gather(*(relay.once() for relay in relays))

    assert sum(taken) == 20
    assert [await effects(shop, cart) for cart in carts] == [1] * 20
