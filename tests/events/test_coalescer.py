"""Those who ask for the same thing at the same moment share one answer."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from events.subscriptions.coalescer import Coalescer


def count_runs(runs: list[str], name: str = "run") -> Callable[[], Awaitable[int]]:
    """Work that notes its name and returns how often work has run."""

    async def work() -> int:
        runs.append(name)
        await asyncio.sleep(0)
        return len(runs)

    return work


async def test_those_who_ask_in_one_turn_share_one_run() -> None:
    coalescer, runs = Coalescer(), list[str]()

    results = await asyncio.gather(*(coalescer.share("cart", count_runs(runs)) for _ in range(1_000)))

    assert (set(results), runs) == ({1}, ["run"])


async def test_other_keys_are_other_work() -> None:
    coalescer, runs = Coalescer(), list[str]()

    await asyncio.gather(*(coalescer.share(name, count_runs(runs, name)) for name in ("cart", "order")))

    assert sorted(runs) == ["cart", "order"]


async def test_work_that_has_begun_is_joined_by_nobody() -> None:
    coalescer, runs = Coalescer(), list[str]()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def read_slowly() -> str:
        began.set()
        await go_on.wait()
        return "before the change"

    first = asyncio.create_task(coalescer.share("cart", read_slowly))
    await began.wait()
    second = asyncio.create_task(coalescer.share("cart", count_runs(runs)))
    await asyncio.sleep(0)
    go_on.set()

    assert (await first, await second) == ("before the change", 1)


async def test_one_who_is_cancelled_leaves_the_work_to_the_others() -> None:
    coalescer, runs = Coalescer(), list[str]()
    first, second = (asyncio.create_task(coalescer.share("cart", count_runs(runs))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second, runs) == (1, ["run"])
    assert first.cancelled()


async def test_all_who_share_get_its_error() -> None:
    coalescer = Coalescer()

    async def fail() -> None:
        raise LookupError("gone")

    failures = await asyncio.gather(
        *(coalescer.share("cart", fail) for _ in range(3)), return_exceptions=True
    )

    assert [repr(each) for each in failures] == ["LookupError('gone')"] * 3
    assert coalescer.gathering == {}
    with pytest.raises(LookupError):
        await coalescer.share("cart", fail)
