"""A watcher gets every version once, in order, whenever it begins."""

import asyncio

from domain.cause import Cause
from domain.events import CartChanged
from domain.outbox import record
from events.bus import LocalBus
from events.relay import Relay
from events.shop import Shop
from events.topics import subject_topic
from models import Cart, Subject
from tests.conftest import STARTED_AT
from tests.events.test_relay import create_cart_with_events
from tests.observe import TIMEOUT_SECONDS, wait_until


async def record_again(shop: Shop, cart_id: int) -> None:
    async with shop.database.writes.begin() as session:
        cart = await session.get_one(Cart, cart_id, with_for_update=True)
        record(session, CartChanged(cart), Cause(STARTED_AT))
    await Relay(shop, {}).run_once()


async def follow_versions(shop: Shop, cart_id: int, after: int | None, last: int) -> list[int]:
    seen = []
    async for event in shop.replay.follow(Subject.CART, cart_id, after):
        seen.append(event.version)
        if event.version >= last:
            break
    return seen


async def wait_for_listener(shop: Shop, cart_id: int) -> None:
    """Until somebody watches."""
    assert isinstance(shop.bus, LocalBus)
    signals = shop.bus.signals
    await wait_until(lambda: subject_topic(Subject.CART, cart_id) in signals)


async def test_missed_versions_come_first_then_live_ones(shop: Shop) -> None:
    cart_id = await create_cart_with_events(shop, times=5)

    watching = asyncio.create_task(follow_versions(shop, cart_id, after=2, last=7))
    await wait_for_listener(shop, cart_id)
    await record_again(shop, cart_id)
    await record_again(shop, cart_id)

    async with asyncio.timeout(TIMEOUT_SECONDS):
        assert await watching == [3, 4, 5, 6, 7]


async def test_without_after_only_events_to_come_are_sent(shop: Shop) -> None:
    cart_id = await create_cart_with_events(shop, times=3)

    watching = asyncio.create_task(follow_versions(shop, cart_id, after=None, last=4))
    await wait_for_listener(shop, cart_id)
    await record_again(shop, cart_id)

    async with asyncio.timeout(TIMEOUT_SECONDS):
        assert await watching == [4]


async def test_a_watcher_that_begins_among_many_events_gets_each_once(shop: Shop) -> None:
    cart_id = await create_cart_with_events(shop)

    async def storm() -> None:
        for _ in range(40):
            await record_again(shop, cart_id)

    watchers = [follow_versions(shop, cart_id, after=after, last=41) for after in (0, 1, 5)]
    async with asyncio.timeout(TIMEOUT_SECONDS):
        seen = await asyncio.gather(storm(), *watchers)

    assert seen[1:] == [list(range(1, 42)), list(range(2, 42)), list(range(6, 42))]


async def test_more_missed_versions_than_one_batch_are_all_sent(shop: Shop) -> None:
    cart_id = await create_cart_with_events(shop, times=250)

    assert await follow_versions(shop, cart_id, after=0, last=250) == list(range(1, 251))
