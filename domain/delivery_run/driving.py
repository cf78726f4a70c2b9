"""Starting a delivery run and completing its stops."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.states import TRANSITIONS, lock_delivery_run, lock_delivery_run_of_stop
from domain.delivery_run.stops import (
    find_open_stops,
    find_skipped,
    lock_orders_of,
    lock_shipments,
    schedule_stops,
    skip_stop,
)
from domain.errors import Invalid, WrongState
from domain.events import (
    DeliveryRunCompleted,
    DeliveryRunStarted,
    DeliveryRunStopCompleted,
    ShipmentRescheduled,
)
from domain.outbox import record
from domain.shipment import TrackingFact, add_tracking_events, dispatch_shipment
from domain.state import move
from models import (
    OWN_COURIERS,
    Account,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Shipment,
    ShipmentStatus,
    StopOutcome,
)
from text.messages import Message

TEXT_LIMIT = 500

WITH_OUR_COURIER = Message("On its way with our courier.")

TRACKING_BY_OUTCOME = {
    StopOutcome.DELIVERED: (ShipmentStatus.DELIVERED, Message("Handed over at the door.")),
    StopOutcome.FAILED: (ShipmentStatus.DELIVERY_FAILED, Message("Nobody could take the parcel.")),
}
"""What a stop's outcome adds to the tracking of its parcel, where the courier writes no note."""


async def start_delivery_run(
    session: AsyncSession, delivery_run_id: int, *, cause: Cause, receipt_after: timedelta
) -> DeliveryRun:
    """The courier who gives the command leaves with the parcels of their run, one run at a time.

    Those that cannot be taken along are skipped; WrongState where that is all of them.
    """
    await lock_courier(session, cause.person)
    run = await lock_delivery_run(session, delivery_run_id, courier_id=cause.person)
    await check_no_active_run(session, run)
    move(run, DeliveryRunStatus.ACTIVE, TRANSITIONS)
    run.started_at = cause.now
    planned = await find_open_stops(session, run)
    shipment_ids = [stop.shipment_id for stop in planned]
    await lock_orders_of(session, *shipment_ids)
    shipments = await lock_shipments(session, shipment_ids)
    skipped = await find_skipped(session, shipment_ids)
    stops = [stop for stop in planned if stop.shipment_id not in skipped]
    if not stops:
        raise WrongState("None of its parcels can be taken along; cancel this run.", field=("id",))
    for stop in planned:
        if stop.shipment_id in skipped:
            skip_stop(session, run, stop, skipped[stop.shipment_id], cause=cause)
    schedule_stops(stops, start=cause.now)
    for stop in stops:
        await send_out(session, shipments[stop.shipment_id], run, cause=cause, receipt_after=receipt_after)
    record(session, DeliveryRunStarted(run), cause)
    return run


async def lock_courier(session: AsyncSession, courier_id: int) -> None:
    """Lock an account until the transaction ends: whoever starts another run of its courier waits."""
    await session.execute(select(Account.id).where(Account.id == courier_id).with_for_update(key_share=True))


async def check_no_active_run(session: AsyncSession, run: DeliveryRun) -> None:
    """WrongState while the courier of a run is on the road with another one."""
    active = select(DeliveryRun.id).where(
        DeliveryRun.courier_id == run.courier_id,
        DeliveryRun.status == DeliveryRunStatus.ACTIVE,
        DeliveryRun.id != run.id,
    )
    if await session.scalar(active.limit(1)):
        raise WrongState("This courier is on the road with another run.", field=("id",))


async def complete_stop(
    session: AsyncSession,
    stop_id: int,
    outcome: StopOutcome,
    *,
    note: str,
    proof: str,
    cause: Cause,
    receipt_after: timedelta,
) -> DeliveryRunStop:
    """Record how a stop of the courier's own run ended; its parcel is tracked, later stops get new times."""
    if max(len(note), len(proof)) > TEXT_LIMIT:
        raise Invalid("Note and proof have at most {limit} characters.", limit=TEXT_LIMIT, field=("note",))
    run, stop = await lock_delivery_run_of_stop(session, stop_id, courier_id=cause.person)
    if run.status is not DeliveryRunStatus.ACTIVE:
        raise WrongState("The courier has not left yet, or is back.", field=("id",))
    if stop.outcome is not None:
        raise WrongState("This stop is already done.", field=("id",))
    open_stops = await find_open_stops(session, run)
    await lock_orders_of(session, stop.shipment_id)
    shipments = await lock_shipments(session, [each.shipment_id for each in open_stops])
    stop.outcome, stop.note, stop.proof, stop.completed_at = outcome, note, proof, cause.now
    status, description = TRACKING_BY_OUTCOME[outcome]
    fact = courier_fact(run, status, note or str(description), cause.now)
    await add_tracking_events(
        session, shipments[stop.shipment_id], [fact], cause=cause, receipt_after=receipt_after
    )
    left = [each for each in open_stops if each is not stop]
    reschedule_stops(session, left, shipments, cause=cause)
    record(session, DeliveryRunStopCompleted(run, outcome=outcome, left=len(left)), cause)
    if not left:
        move(run, DeliveryRunStatus.COMPLETED, TRANSITIONS)
        run.ended_at = cause.now
        record(session, DeliveryRunCompleted(run), cause)
    return stop


def reschedule_stops(
    session: AsyncSession, stops: Sequence[DeliveryRunStop], shipments: dict[int, Shipment], *, cause: Cause
) -> None:
    """Set the times of stops anew, starting now, and record them for the customers who wait."""
    schedule_stops(stops, start=cause.now)
    for ahead, stop in enumerate(stops):
        event = ShipmentRescheduled(
            shipments[stop.shipment_id], estimated_at=stop.estimated_at, stops_ahead=ahead
        )
        record(session, event, cause)


async def send_out(
    session: AsyncSession, shipment: Shipment, run: DeliveryRun, *, cause: Cause, receipt_after: timedelta
) -> None:
    """A parcel leaves with our courier, for the first time or again after a failed delivery."""
    if shipment.dispatched_at is None:
        await dispatch_shipment(
            session,
            shipment.id,
            carrier=OWN_COURIERS,
            tracking_number=shipment.number,
            cause=cause,
        )
    fact = courier_fact(run, ShipmentStatus.OUT_FOR_DELIVERY, str(WITH_OUR_COURIER), cause.now)
    await add_tracking_events(session, shipment, [fact], cause=cause, receipt_after=receipt_after)


def courier_fact(run: DeliveryRun, status: ShipmentStatus, description: str, now: datetime) -> TrackingFact:
    """A tracking fact reported by the courier of a run, at their last position."""
    return TrackingFact(
        status=status,
        code=f"OWN-{run.id}-{status.value}",
        description=description,
        occurred_at=now,
        latitude=run.latitude,
        longitude=run.longitude,
    )
