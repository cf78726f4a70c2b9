"""A watcher sees every version once, in order, whenever it comes."""

import asyncio

from domain.outbox import record
from events.relay import Relay
from events.shop import Shop
from events.stream import follow
from models import Cart, Subject
from tests.conftest import OPENING
from tests.events.test_relay import happen


async def happen_again(shop: Shop, cart_id: int) -> None:
    async with shop.database.writes.begin() as session:
        cart = await session.get_one(Cart, cart_id, with_for_update=True)
        record(session, "cart.changed", cart, now=OPENING)
    await Relay(shop, {}).once()


async def versions(shop: Shop, cart_id: int, after: int | None, until: int) -> list[int]:
    seen = []
    async for event in follow(shop, Subject.CART, cart_id, after):
        seen.append(event.version)
        if event.version >= until:
            break
    return seen


async def test_missed_versions_come_first_then_live_ones(shop: Shop) -> None:
    cart_id = await happen(shop, times=5)

    watching = asyncio.create_task(versions(shop, cart_id, after=2, until=7))
    await asyncio.sleep(0.05)
    await happen_again(shop, cart_id)
    await happen_again(shop, cart_id)

    assert await asyncio.wait_for(watching, 10) == [3, 4, 5, 6, 7]


async def test_without_after_only_what_is_still_to_come_is_seen(shop: Shop) -> None:
    cart_id = await happen(shop, times=3)

    watching = asyncio.create_task(versions(shop, cart_id, after=None, until=4))
    await asyncio.sleep(0.05)
    await happen_again(shop, cart_id)

    assert await asyncio.wait_for(watching, 10) == [4]


async def test_a_watcher_that_comes_in_the_middle_of_a_storm_has_no_gap_and_no_double(shop: Shop) -> None:
    cart_id = await happen(shop)

    async def storm() -> None:
        for _ in range(40):
            await happen_again(shop, cart_id)

    blowing = asyncio.create_task(storm())
    await asyncio.sleep(0.02)
    watchers = [versions(shop, cart_id, after=after, until=41) for after in (0, 1, 5)]
    seen = await asyncio.wait_for(asyncio.gather(*watchers), 30)
    await blowing

    assert seen == [list(range(1, 42)), list(range(2, 42)), list(range(6, 42))]


async def test_more_missed_versions_than_one_read_holds_all_come(shop: Shop) -> None:
    cart_id = await happen(shop, times=250)

    assert await versions(shop, cart_id, after=0, until=250) == list(range(1, 251))
