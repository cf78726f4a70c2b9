"""Numbers that people read out, drawn at random: one that something else has is drawn again."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

DRAWS_LIMIT = 5
"""Of ten thousand rows a day with eight random digits, every other day one draws what another has."""


async def draw_free_numbers(
    session: AsyncSession, column: InstrumentedAttribute[str], draw: Callable[[], str], count: int = 1
) -> list[str]:
    """So many different numbers that no row has in this column."""
    numbers: set[str] = set()
    for _ in range(DRAWS_LIMIT):
        numbers |= {draw() for _ in range(count - len(numbers))}
        numbers -= set(await session.scalars(select(column).where(column.in_(numbers))))
        if len(numbers) == count:
            return sorted(numbers)
    raise RuntimeError(f"{DRAWS_LIMIT} times a number was drawn that is taken")
