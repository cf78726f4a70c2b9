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
    change_for,
)
from domain.stock.reserving import Reservation


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


async def release_all(session: AsyncSession, reservations: Sequence[Reservation], *, now: datetime) -> None:
    """As `release`, for many orders: one conditional UPDATE of each place."""
    wants = [(each.want, Cause(now, each.by, each.order_id)) for each in reservations]
    await change_for(session, wants, RELEASE)


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
