"""What orders do to stock: set aside, give back, send, take back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.stock.change import (
    RELEASE,
    RESERVE,
    SHIP,
    TAKE_BACK,
    TAKE_BACK_DAMAGED,
    Allocation,
    Cause,
    change,
)


async def reserve(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Set units aside, all or none: OutOfStock names the variant there is too little of.

    Whoever asks leaves out what has no limit (`Variant.limited`), and remembers that it did.
    """
    await change(session, wants, RESERVE, Cause(now, by, order_id))


async def release(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Give units that were set aside back to whoever comes next."""
    await change(session, wants, RELEASE, Cause(now, by, order_id))


async def ship(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Units that were set aside leave the warehouse."""
    await change(session, wants, SHIP, Cause(now, by, order_id))


async def take_back(
    session: AsyncSession,
    wants: Sequence[Allocation],
    *,
    damaged: bool,
    order_id: int | None,
    now: datetime,
    by: int | None = None,
) -> None:
    """Units come back from a customer, to be sold again or to be written off."""
    effect = TAKE_BACK_DAMAGED if damaged else TAKE_BACK
    await change(session, wants, effect, Cause(now, by, order_id))
