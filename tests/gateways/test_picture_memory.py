"""Pictures are decoded one after the other, as many at once as fit into the memory set apart for them."""

import asyncio
from contextlib import suppress

import pytest

from gateways.picture_memory import PictureMemory


class Decoder:
    """Holds memory until it is let go, and remembers in which order its pictures began."""

    def __init__(self, limit: int) -> None:
        self.memory = PictureMemory(limit)
        self.begun: list[int] = []
        self.most = 0
        self.may_end = asyncio.Event()

    async def decode(self, size: int) -> None:
        async with self.memory.reserve(size):
            self.begun.append(size)
            self.most = max(self.most, self.memory.used)
            await self.may_end.wait()


async def start_all(decoder: Decoder, *sizes: int) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.create_task(decoder.decode(each)) for each in sizes]
    await asyncio.sleep(0)
    return tasks


async def test_pictures_wait_until_they_fit_and_keep_their_order() -> None:
    decoder = Decoder(100)

    tasks = await start_all(decoder, 60, 30, 20, 5)

    assert decoder.begun == [60, 30]  # 5 would fit, but came after 20
    decoder.may_end.set()
    await asyncio.gather(*tasks)
    assert decoder.begun == [60, 30, 20, 5]
    assert (decoder.most, decoder.memory.used) == (90, 0)


async def test_a_picture_larger_than_all_is_decoded_alone() -> None:
    decoder = Decoder(100)

    tasks = await start_all(decoder, 1, 500, 1)

    assert decoder.begun == [1]
    decoder.may_end.set()
    await asyncio.gather(*tasks)
    assert (decoder.begun, decoder.most, decoder.memory.used) == ([1, 500, 1], 100, 0)


@pytest.mark.parametrize("place", range(4))
async def test_who_no_longer_waits_gives_their_room_to_the_next(place: int) -> None:
    decoder = Decoder(100)
    tasks = await start_all(decoder, 100, 80, 80, 20)

    tasks[place].cancel()
    with suppress(asyncio.CancelledError):
        await tasks[place]
    decoder.may_end.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert len(decoder.begun) == (4 if place == 0 else 3)
    assert decoder.memory.used == 0
    assert not decoder.memory.queue


async def test_who_is_cancelled_when_their_turn_has_come_leaves_no_room_taken() -> None:
    decoder = Decoder(100)
    first, second = await start_all(decoder, 100, 100)
    decoder.may_end.set()
    await first
    second.cancel()
    with suppress(asyncio.CancelledError):
        await second

    assert decoder.memory.used == 0
