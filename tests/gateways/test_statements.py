"""What a cancelled statement raises while statements are watched."""

import asyncio

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from models import Event

AWAITS = 60
"""How often the event loop goes round, at most, while one statement is sent and answered."""


@pytest.mark.parametrize("sessions", ["reads", "writes"])
async def test_a_statement_that_is_cancelled_at_any_moment_ends_as_a_cancellation(
    shop: Shop, sessions: str
) -> None:
    make_session = getattr(shop.database, sessions)

    async def count_events() -> int:
        async with make_session() as session:
            return await session.scalar(select(func.count(Event.id))) or 0

    results: list[int | BaseException] = []
    for rounds in range(AWAITS):
        running = asyncio.create_task(count_events())
        for _ in range(rounds):
            await asyncio.sleep(0)
        running.cancel()
        results += await asyncio.gather(running, return_exceptions=True)

    assert {type(result) for result in results} <= {asyncio.CancelledError, int}
    assert asyncio.CancelledError in {type(result) for result in results}
    assert await count_events() == 0
