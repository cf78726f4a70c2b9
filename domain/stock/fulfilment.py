"""Changes of stock by orders: reserving, releasing, shipping and returning."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.stock.movement import (
    RELEASE,
    RESERVE,
    SHIP,
    TAKE_BACK,
    TAKE_BACK_DAMAGED,
    Allocation,
    MovementCause,
    move_stock,
)


async def reserve_stock(
    session: AsyncSession, allocations: Sequence[Allocation], *, order_id: int | None, cause: Cause
) -> None:
    """Reserve all units or none; OutOfStock names the variant of which too few are available.

    Callers leave out variants whose stock is not counted, and remember that they did.
    """
    await move_stock(session, allocations, RESERVE, MovementCause(cause, order_id))


async def release_stock(
    session: AsyncSession, allocations: Sequence[Allocation], *, order_id: int | None, cause: Cause
) -> None:
    """Make reserved units available again."""
    await move_stock(session, allocations, RELEASE, MovementCause(cause, order_id))


async def ship_stock(
    session: AsyncSession, allocations: Sequence[Allocation], *, order_id: int | None, cause: Cause
) -> None:
    """Take reserved units out of the warehouse."""
    await move_stock(session, allocations, SHIP, MovementCause(cause, order_id))


async def return_stock(
    session: AsyncSession,
    allocations: Sequence[Allocation],
    *,
    damaged: bool,
    order_id: int | None,
    cause: Cause,
) -> None:
    """Put units that a customer sent back into the warehouse, to be sold again or as damaged."""
    effect = TAKE_BACK_DAMAGED if damaged else TAKE_BACK
    await move_stock(session, allocations, effect, MovementCause(cause, order_id))
