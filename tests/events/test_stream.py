"""A watcher sees every version once, in order, whenever it comes."""

import asyncio

from domain.outbox import record
from events.bus import LocalBus
from events.relay import Relay
from events.shop import Shop
from events.stream import follow
from events.topics import subject_topic
from models import Cart, Subject
from tests.conftest import OPENING
from tests.events.test_relay import happen
from tests.observe import PATIENCE_SECONDS, until


async def happen_again(shop: Shop, cart_id: int) -> None:
    async with shop.database.writes.begin() as session:
        cart = await session.get_one(Cart, cart_id, with_for_update=True)
        record(session, "cart.changed", cart, now=OPENING)
    await Relay(shop, {}).once()


async def versions(shop: Shop, cart_id: int, after: int | None, last: int) -> list[int]:
    seen = []
    async for event in follow(shop, Subject.CART, cart_id, after):
        seen.append(event.version)
        if event.version >= last:
            break
    return seen


async def listening(shop: Shop, cart_id: int) -> None:
    """Until somebody watches."""
    assert isinstance(shop.bus, LocalBus)
    bells = shop.bus.bells
    await until(lambda: subject_topic(Subject.CART, cart_id) in bells)


async def test_missed_versions_come_first_then_live_ones(shop: Shop) -> None:
    cart_id = await happen(shop, times=5)

    watching = asyncio.create_task(versions(shop, cart_id, after=2, last=7))
    await listening(shop, cart_id)
    await happen_again(shop, cart_id)
    await happen_again(shop, cart_id)

    assert await asyncio.wait_for(watching, PATIENCE_SECONDS) == [3, 4, 5, 6, 7]


async def test_without_after_only_what_is_still_to_come_is_seen(shop: Shop) -> None:
    cart_id = await happen(shop, times=3)

    watching = asyncio.create_task(versions(shop, cart_id, after=None, last=4))
    await listening(shop, cart_id)
    await happen_again(shop, cart_id)

    assert await asyncio.wait_for(watching, PATIENCE_SECONDS) == [4]


async def test_a_watcher_that_comes_in_the_middle_of_a_storm_has_no_gap_and_no_double(shop: Shop) -> None:
    cart_id = await happen(shop)

    async def storm() -> None:
        for _ in range(40):
            await happen_again(shop, cart_id)

    watchers = [versions(shop, cart_id, after=after, last=41) for after in (0, 1, 5)]
    seen = await asyncio.wait_for(asyncio.gather(storm(), *watchers), PATIENCE_SECONDS)

    assert seen[1:] == [list(range(1, 42)), list(range(2, 42)), list(range(6, 42))]


async def test_more_missed_versions_than_one_read_holds_all_come(shop: Shop) -> None:
    cart_id = await happen(shop, times=250)

    assert await versions(shop, cart_id, after=0, last=250) == list(range(1, 251))
