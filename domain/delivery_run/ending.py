"""Runs that do not go on: the staff are told, and end what their couriers do not."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.driving import TEXT_LIMIT, courier_fact
from domain.delivery_run.states import TRANSITIONS, lock_delivery_run
from domain.delivery_run.stops import find_open_stops, lock_orders_of, lock_shipments
from domain.errors import Invalid, WrongState
from domain.events import DeliveryRunCompleted, DeliveryRunStalled, DeliveryRunStopCompleted
from domain.outbox import record
from domain.shipment import add_tracking_events
from domain.state import move
from domain.visible_text import visible_text
from models import (
    Account,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Permission,
    Role,
    Shipment,
    ShipmentStatus,
    StopOutcome,
    is_granted,
)
from models.sql.types import AnySelect
from text.messages import Message

NOT_BROUGHT = Message("Our courier could not bring it.")

WITH_COURIER = (DeliveryRunStatus.PLANNED, DeliveryRunStatus.ACTIVE)

DRIVERS = tuple(role for role in Role if is_granted(Permission.DELIVERY_RUN_DRIVE, role))
"""The roles that drive."""


def select_stalled_runs(before: datetime) -> AnySelect:
    """The ids of runs of which the staff were not told yet, and whose next stop should have been done before
    this moment, which have done nothing since then though they should be back, or whose courier may not drive
    any more."""
    next_stop = (
        select(func.min(DeliveryRunStop.estimated_at))
        .where(DeliveryRunStop.delivery_run_id == DeliveryRun.id, DeliveryRunStop.outcome.is_(None))
        .correlate(DeliveryRun)
        .scalar_subquery()
    )
    last_stop = (
        select(func.max(DeliveryRunStop.completed_at))
        .where(DeliveryRunStop.delivery_run_id == DeliveryRun.id)
        .correlate(DeliveryRun)
        .scalar_subquery()
    )
    # the times of stops move on while a device reports where it is, also from its courier's home
    quiet = (
        (DeliveryRun.status == DeliveryRunStatus.ACTIVE)
        & (func.coalesce(last_stop, DeliveryRun.started_at) <= before)
        & (func.coalesce(DeliveryRun.returns_at, DeliveryRun.started_at) <= before)
    )
    return (
        select(DeliveryRun.id)
        .where(DeliveryRun.status.in_(WITH_COURIER), DeliveryRun.stalled_at.is_(None))
        .where(or_(next_stop <= before, quiet, is_without_driver()))
        .order_by(DeliveryRun.id)
    )


def is_without_driver() -> ColumnElement[bool]:
    """Whether the courier of a run may not drive any more: disabled, or with another role."""
    may_not = or_(Account.disabled_at.is_not(None), Account.role.not_in(DRIVERS))
    return exists().where(Account.id == DeliveryRun.courier_id, may_not)


async def note_lost_courier(session: AsyncSession, account_id: int, *, cause: Cause) -> None:
    """Tell the staff of the runs of an account that may not drive any more, in the transaction that has
    disabled it or changed its role."""
    await session.flush()
    waiting = (
        select(DeliveryRun.id)
        .where(DeliveryRun.courier_id == account_id, DeliveryRun.status.in_(WITH_COURIER))
        .where(DeliveryRun.stalled_at.is_(None), is_without_driver())
        .order_by(DeliveryRun.id)
    )
    for run_id in (await session.scalars(waiting)).all():
        run = await lock_delivery_run(session, run_id)
        if run.status in WITH_COURIER and run.stalled_at is None:
            run.stalled_at = cause.now
            record(session, DeliveryRunStalled(run), cause)


async def mark_stalled(
    session: AsyncSession, delivery_run_id: int, *, before: datetime, cause: Cause
) -> None:
    """Tell the staff of a run that does not go on; nothing happens where it does."""
    run = await lock_delivery_run(session, delivery_run_id)
    due = select_stalled_runs(before).where(DeliveryRun.id == run.id)
    if await session.scalar(due) is None:
        return
    run.stalled_at = cause.now
    record(session, DeliveryRunStalled(run), cause)


async def end_delivery_run(
    session: AsyncSession, delivery_run_id: int, *, reason: str, cause: Cause, receipt_after: timedelta
) -> DeliveryRun:
    """End a run under way with whose courier nobody reckons any more: what they have not brought has failed,
    and can go out on another run."""
    text = visible_text(reason)
    if not 1 <= len(text) <= TEXT_LIMIT:
        raise Invalid("Say why, in at most {limit} characters.", limit=TEXT_LIMIT, field=("reason",))
    run = await lock_delivery_run(session, delivery_run_id)
    if run.status is not DeliveryRunStatus.ACTIVE:
        raise WrongState("Only a run under way is ended; cancel one that has not left.", field=("id",))
    stops = await find_open_stops(session, run)
    shipment_ids = [stop.shipment_id for stop in stops]
    await lock_orders_of(session, *shipment_ids)
    shipments = await lock_shipments(session, shipment_ids)
    for left, stop in zip(reversed(range(len(stops))), stops, strict=True):
        shipment = shipments[stop.shipment_id]
        stop.outcome, stop.note, stop.completed_at = outcome_of(shipment), text, cause.now
        if stop.outcome is StopOutcome.FAILED:
            fact = courier_fact(run, ShipmentStatus.DELIVERY_FAILED, str(NOT_BROUGHT), cause.now)
            await add_tracking_events(session, shipment, [fact], cause=cause, receipt_after=receipt_after)
        record(session, DeliveryRunStopCompleted(run, outcome=stop.outcome, left=left), cause)
    move(run, DeliveryRunStatus.COMPLETED, TRANSITIONS)
    run.ended_at, run.replan_due_at, run.stalled_at = cause.now, None, None
    record(session, DeliveryRunCompleted(run), cause)
    return run


def outcome_of(shipment: Shipment) -> StopOutcome:
    """What became of a stop that its courier has not reported: staff may have noted that it was delivered."""
    delivered = shipment.status is ShipmentStatus.DELIVERED
    return StopOutcome.DELIVERED if delivered else StopOutcome.FAILED
