"""The cash that couriers have in hand: collected on a delivery run, handed in, counted by somebody else."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound, WrongState
from domain.ledger import NewPosting, write_postings
from models import (
    CourierCashMovement,
    CurrencyCode,
    DeliveryRun,
    DeliveryRunStop,
    LedgerAccount,
    Payment,
    Posting,
    Shipment,
)
from models.sql.types import AnySelect


async def lock_runs(session: AsyncSession, payment_id: int, courier_id: int) -> Mapping[int, DeliveryRun]:
    """The runs of a courier that have stops for the order of a payment, locked, by their id.

    Before the order is locked: whoever completes a stop or counts cash locks the run first, too.
    """
    stops = (
        select(DeliveryRunStop.delivery_run_id)
        .join(Shipment, Shipment.id == DeliveryRunStop.shipment_id)
        .join(Payment, Payment.order_id == Shipment.order_id)
        .where(Payment.id == payment_id)
    )
    runs = await session.scalars(
        select(DeliveryRun)
        .where(DeliveryRun.id.in_(stops), DeliveryRun.courier_id == courier_id)
        .order_by(DeliveryRun.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {run.id: run for run in runs}


async def lock_run_for_counting(
    session: AsyncSession, delivery_run_id: int, *, counted_by: int, field: str
) -> DeliveryRun:
    """A delivery run whose cash somebody counts, locked; WrongState for its own courier."""
    run = await session.get(DeliveryRun, delivery_run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound("delivery run", field=(field,))
    if run.courier_id == counted_by:
        raise WrongState("Somebody else must count the cash of your own run.", field=(field,))
    return run


async def move_cash(
    session: AsyncSession,
    run: DeliveryRun,
    posting: NewPosting,
    *,
    hand_in_id: int | None = None,
    now: datetime,
) -> None:
    """Post what changes the cash in hand of a locked delivery run, and the movement of the same amount."""
    if not await write_postings(session, [posting], now=now):
        return
    posting_id = await session.scalar(select(Posting.id).where(Posting.key == posting.key))
    _, credit = posting.accounts
    session.add(
        CourierCashMovement(
            delivery_run_id=run.id,
            posting_id=posting_id,
            hand_in_id=hand_in_id,
            currency=posting.amount.currency,
            amount=-posting.amount.minor if credit is LedgerAccount.CASH else posting.amount.minor,
            created_at=now,
        )
    )
    await session.flush()
    await refresh_holding(session, run, now=now)


async def refresh_holding(session: AsyncSession, run: DeliveryRun, *, now: datetime) -> None:
    """Note since when a locked delivery run has cash in hand; nothing once all of it is handed in."""
    if await sum_by_currency(session, run.id):
        run.cash_held_since = run.cash_held_since or now
    else:
        run.cash_held_since = run.cash_overdue_at = None


async def sum_by_currency(session: AsyncSession, delivery_run_id: int) -> Mapping[CurrencyCode, int]:
    """The cash in hand of a delivery run in minor units, without currencies of which there is none."""
    moved = func.sum(CourierCashMovement.amount)
    rows = await session.execute(
        select(CourierCashMovement.currency, moved)
        .where(CourierCashMovement.delivery_run_id == delivery_run_id)
        .group_by(CourierCashMovement.currency)
        .having(moved != 0)
    )
    return {currency: int(amount) for currency, amount in rows}


def select_overdue_cash(now: datetime) -> AnySelect:
    """The ids of delivery runs whose cash is in hand since then, and of which nobody was reminded."""
    return (
        select(DeliveryRun.id)
        .where(DeliveryRun.cash_held_since <= now, DeliveryRun.cash_overdue_at.is_(None))
        .order_by(DeliveryRun.cash_held_since)
    )
