"""Starting a delivery run and completing its stops."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.arrivals import expect_arrival, record_new_times, schedule_stops
from domain.delivery_run.drafts import check_duty
from domain.delivery_run.states import TRANSITIONS, lock_delivery_run, lock_delivery_run_of_stop
from domain.delivery_run.stops import (
    find_open_stops,
    find_skipped,
    lock_courier,
    lock_orders_of,
    lock_shipments,
    skip_stop,
)
from domain.errors import Invalid, NotFound, WrongState
from domain.events import (
    DeliveryRunCompleted,
    DeliveryRunStarted,
    DeliveryRunStopCompleted,
)
from domain.outbox import record
from domain.shipment import FINAL, TrackingFact, add_tracking_events, dispatch_shipment
from domain.state import move, status_text
from models import (
    OWN_COURIERS,
    DeliveryProof,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Media,
    Shipment,
    ShipmentStatus,
    StopOutcome,
    TrackingEvent,
    Vehicle,
)
from text.messages import Message

TEXT_LIMIT = 500

WITH_OUR_COURIER = Message("On its way with our courier.")

COURIER_CODE = "OWN-"
"""How the codes of tracking events begin that couriers of the shop report."""

TRACKING_BY_OUTCOME = {
    StopOutcome.DELIVERED: (ShipmentStatus.DELIVERED, Message("Handed over at the door.")),
    StopOutcome.FAILED: (ShipmentStatus.DELIVERY_FAILED, Message("Nobody could take the parcel.")),
}
"""What a stop's outcome adds to the tracking of its parcel, where the courier writes no note."""


@dataclass(frozen=True, slots=True)
class StopReport:
    """What a courier says of a stop, and the ids of the pictures that prove it."""

    note: str = ""
    """What happened, as the customer reads it."""
    proof: str = ""
    """Who took the parcel."""
    signature_id: int | None = None
    photo_id: int | None = None


async def start_delivery_run(
    session: AsyncSession,
    delivery_run_id: int,
    *,
    cause: Cause,
    receipt_after: timedelta,
    zone: ZoneInfo | None = None,
) -> DeliveryRun:
    """The courier who gives the command leaves with the parcels of their run, one run at a time.

    Those that cannot be taken along are skipped; WrongState where that is all of them. With a `zone`, a run
    that was planned for a vehicle starts in a shift of the courier only.
    """
    await lock_courier(session, cause.person)
    run = await lock_delivery_run(session, delivery_run_id, courier_id=cause.person)
    await check_no_active_run(session, run)
    if run.vehicle_id is not None and zone is not None and run.status is DeliveryRunStatus.PLANNED:
        await check_duty(session, run, cause.person, cause.now, cause.now, zone)
    move(run, DeliveryRunStatus.ACTIVE, TRANSITIONS)
    run.started_at, run.replan_due_at, run.stalled_at = cause.now, None, None
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
        shipment = shipments[stop.shipment_id]
        await send_out(session, shipment, run, cause=cause, receipt_after=receipt_after)
        expect_arrival(shipment, stop.estimated_at, now=cause.now)
    record(session, DeliveryRunStarted(run), cause)
    return run


async def check_no_active_run(session: AsyncSession, run: DeliveryRun) -> None:
    """WrongState while the courier or the vehicle of a run is on the road with another one."""
    active = select(DeliveryRun.id).where(
        DeliveryRun.status == DeliveryRunStatus.ACTIVE, DeliveryRun.id != run.id
    )
    if await session.scalar(active.where(DeliveryRun.courier_id == run.courier_id).limit(1)):
        raise WrongState("This courier is on the road with another run.", field=("id",))
    if run.vehicle_id is None:
        return
    locked = select(Vehicle.id).where(Vehicle.id == run.vehicle_id).with_for_update(key_share=True)
    await session.execute(locked)
    if await session.scalar(active.where(DeliveryRun.vehicle_id == run.vehicle_id).limit(1)):
        raise WrongState("This vehicle is on the road with another run.", field=("id",))


async def complete_stop(
    session: AsyncSession,
    stop_id: int,
    outcome: StopOutcome,
    *,
    report: StopReport = StopReport(),
    cause: Cause,
    receipt_after: timedelta,
) -> DeliveryRunStop:
    """Record how a stop of the courier's own run ended; its parcel is tracked, later stops get new times."""
    note, proof = report.note, report.proof
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
    check_outcome(shipments[stop.shipment_id], outcome)
    await add_proof(session, stop, report, courier_id=cause.person)
    stop.outcome, stop.note, stop.proof, stop.completed_at = outcome, note, proof, cause.now
    status, description = TRACKING_BY_OUTCOME[outcome]
    fact = courier_fact(run, status, note or str(description), cause.now)
    await add_tracking_events(
        session, shipments[stop.shipment_id], [fact], cause=cause, receipt_after=receipt_after
    )
    left = [each for each in open_stops if each is not stop]
    schedule_stops(left, start=cause.now)
    run.stalled_at = None
    await record_new_times(session, left, shipments, cause=cause)
    if outcome is StopOutcome.FAILED and len(left) > 1:
        run.replan_due_at = cause.now
    record(session, DeliveryRunStopCompleted(run, outcome=outcome, left=len(left)), cause)
    if not left:
        move(run, DeliveryRunStatus.COMPLETED, TRANSITIONS)
        run.ended_at, run.replan_due_at = cause.now, None
        record(session, DeliveryRunCompleted(run), cause)
    return stop


def check_outcome(shipment: Shipment, outcome: StopOutcome) -> None:
    """WrongState where a stop would end otherwise than its parcel, of which somebody has reported meanwhile;
    staff take back what was reported wrongly."""
    if outcome is StopOutcome.DELIVERED and shipment.ended_at is not None:
        raise WrongState("This shipment has ended: it can only come back still.", field=("outcome",))
    agrees = TRACKING_BY_OUTCOME[outcome][0] is shipment.status or outcome is StopOutcome.FAILED
    if shipment.status is ShipmentStatus.DELIVERED:
        agrees = outcome is StopOutcome.DELIVERED
    if shipment.status in FINAL and not agrees:
        raise WrongState(
            "This shipment is {status}: that stays.", status=status_text(shipment.status), field=("outcome",)
        )


async def add_proof(
    session: AsyncSession, stop: DeliveryRunStop, report: StopReport, *, courier_id: int
) -> None:
    """Keep the pictures of a stop, which its courier has uploaded for it; each proves one stop."""
    given = {"signature_id": report.signature_id, "photo_id": report.photo_id}
    pictures = {field: picture for field, picture in given.items() if picture is not None}
    if not pictures:
        return
    if len(set(pictures.values())) < len(pictures):
        raise Invalid("Signature and photo are two pictures.", field=("photo_id",))
    for field, picture in pictures.items():
        media = await session.get(Media, picture, with_for_update=True)
        if media is None or media.uploader_id != courier_id:
            raise NotFound("picture", field=(field,))
        shows = or_(DeliveryProof.signature_id == picture, DeliveryProof.photo_id == picture)
        if await session.scalar(select(DeliveryProof.delivery_run_stop_id).where(shows).limit(1)):
            raise Invalid("This picture proves another stop.", field=(field,))
    session.add(DeliveryProof(delivery_run_stop_id=stop.id, **pictures))


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
        code=f"{COURIER_CODE}{run.id}-{status.value}",
        description=description,
        occurred_at=now,
        latitude=run.latitude,
        longitude=run.longitude,
    )


def is_of_courier(event: TrackingEvent) -> bool:
    """Whether a courier of the shop reported an event; its position is where that courier was."""
    return event.code.startswith(COURIER_CODE)
