"""Planning anew what is left of a run: locked stops and those that are done stay where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.arrivals import record_new_times, schedule_stops
from domain.delivery_run.capacity import VehicleSkillMissing, check_room
from domain.delivery_run.drafts import PlanOrigin, SkillMissing, find_obstacle
from domain.delivery_run.driving import send_out
from domain.delivery_run.planning import (
    STOPS_LIMIT,
    PlannedStop,
    build_stop,
    cancel_delivery_run,
    find_planned_elsewhere,
)
from domain.delivery_run.states import lock_delivery_run
from domain.delivery_run.stops import (
    find_open_stops,
    find_skipped,
    lock_orders_of,
    lock_shipments,
    skip_stop,
)
from domain.errors import LimitReached, NotFound, WrongState
from domain.events import DeliveryRunReplanned, DeliveryRunStopAdded
from domain.outbox import record
from models import (
    CourierProfile,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Shipment,
    StopOutcome,
    UnplannedReason,
    Vehicle,
)
from models.sql.types import AnySelect
from text.messages import Message

OPEN = (DeliveryRunStatus.DRAFT, DeliveryRunStatus.PLANNED, DeliveryRunStatus.ACTIVE)
WAITING = (DeliveryRunStatus.DRAFT, DeliveryRunStatus.PLANNED)

OBSTACLES: Mapping[UnplannedReason, Message] = {
    UnplannedReason.ALREADY_PLANNED: Message("This shipment is already planned on a run."),
    UnplannedReason.OTHER_CARRIER: Message("This shipment is with another carrier."),
    UnplannedReason.NOT_TO_BE_SENT: Message("This shipment is not to be sent now."),
}


@dataclass(frozen=True, slots=True)
class NewLeg:
    """The way to a stop in the new order, and how long it takes to the end of the stop."""

    stop_id: int
    travel: timedelta
    distance_metres: int | None
    late: bool = False
    """Whether it cannot be reached in its window any more."""


def select_runs_to_replan(now: datetime) -> AnySelect:
    """The ids of runs of which what is left is to be planned anew, the longest due first."""
    return (
        select(DeliveryRun.id)
        .where(DeliveryRun.replan_due_at <= now, DeliveryRun.status.in_(OPEN))
        .order_by(DeliveryRun.replan_due_at)
    )


async def request_replan(session: AsyncSession, delivery_run_id: int, *, cause: Cause) -> DeliveryRun:
    """Have what is left of a run planned anew; WrongState for one that has ended."""
    run = await lock_delivery_run(session, delivery_run_id)
    if run.status not in OPEN:
        raise WrongState("This run has ended.", field=("id",))
    run.replan_due_at = cause.now
    return run


def count_locked(run: DeliveryRun, open_stops: Sequence[DeliveryRunStop]) -> int:
    """How many of the next stops stay: those that are locked, and the one the courier drives to."""
    first_free = next((at for at, stop in enumerate(open_stops) if not stop.locked), len(open_stops))
    return max(first_free, 1) if run.status is DeliveryRunStatus.ACTIVE else first_free


async def write_new_order(
    session: AsyncSession,
    delivery_run_id: int,
    legs: Sequence[NewLeg],
    origin: PlanOrigin,
    *,
    version: int,
    cause: Cause,
) -> DeliveryRun | None:
    """Put the free stops of a run into a new order; None where something has happened to the run since.

    Customers who wait are told the new times.
    """
    run = await lock_delivery_run(session, delivery_run_id)
    stops = await find_open_stops(session, run)
    locked = count_locked(run, stops)
    free = {stop.id: stop for stop in stops[locked:]}
    if run.version != version or run.status not in OPEN or {leg.stop_id for leg in legs} != set(free):
        return None
    run.replan_due_at = None
    before = [stop.id for stop in stops[locked:]]
    await move_stops(session, [free[leg.stop_id] for leg in legs])
    for leg in legs:
        stop = free[leg.stop_id]
        stop.travel_seconds = round(leg.travel.total_seconds())
        stop.distance_metres = leg.distance_metres
    run.solver, run.distance_source, run.plan_note = origin.solver, origin.distance_source, origin.note
    ordered = [*stops[:locked], *(free[leg.stop_id] for leg in legs)]
    await reschedule_run(session, run, ordered, cause=cause)
    moved = sum(old != leg.stop_id for old, leg in zip(before, legs, strict=True))
    record(session, DeliveryRunReplanned(run, moved=moved, late=sum(leg.late for leg in legs)), cause)
    return run


async def move_stops(session: AsyncSession, ordered: Sequence[DeliveryRunStop]) -> None:
    """Give the positions of these stops to them in their new order; in between none has one."""
    positions = sorted(stop.position for stop in ordered)
    for stop in ordered:
        stop.position = -stop.position
    await session.flush()
    for stop, position in zip(ordered, positions, strict=True):
        stop.position = position
    await session.flush()


async def reschedule_run(
    session: AsyncSession, run: DeliveryRun, stops: Sequence[DeliveryRunStop], *, cause: Cause
) -> None:
    """Set the times of the open stops anew; the customers of a run under way are told."""
    if run.status is not DeliveryRunStatus.ACTIVE:
        schedule_stops(stops, start=run.departs_at or cause.now)
        return
    shipments = await lock_shipments(session, [stop.shipment_id for stop in stops])
    first, *rest = stops
    schedule_stops(rest, start=first.estimated_at)
    await record_new_times(session, stops, shipments, cause=cause)


async def add_stop(
    session: AsyncSession,
    delivery_run_id: int,
    planned: PlannedStop,
    *,
    overload: bool = False,
    cause: Cause,
    receipt_after: timedelta,
) -> DeliveryRunStop:
    """Let a parcel join a run that has not ended, behind all others until the rest is planned anew.

    On a run under way the courier is given it at this moment. VehicleFull where it does not fit into the
    vehicle with what is in it, unless somebody says that it does: `overload`.
    """
    run = await lock_delivery_run(session, delivery_run_id)
    if run.status not in OPEN:
        raise WrongState("This run has ended.", field=("id",))
    stops = list(
        await session.scalars(select(DeliveryRunStop).where(DeliveryRunStop.delivery_run_id == run.id))
    )
    if len(stops) >= STOPS_LIMIT:
        raise LimitReached(
            "A run has at most {limit} stops.", limit=STOPS_LIMIT, field=("stop", "shipment_id")
        )
    await lock_orders_of(session, planned.shipment_id)
    shipment = (await lock_shipments(session, [planned.shipment_id])).get(planned.shipment_id)
    vehicle = await check_joinable(session, run, shipment, planned)
    if vehicle is not None and not overload:
        await check_room_left(session, vehicle, stops, planned.shipment_id)
    last = max((stop.position for stop in stops), default=0)
    row = build_stop(run, planned, last + 1)
    open_stops = [*await find_open_stops(session, run), row]
    start = cause.now if run.status is DeliveryRunStatus.ACTIVE else run.departs_at or cause.now
    row.estimated_at = max((each.estimated_at for each in open_stops[:-1]), default=start) + planned.travel
    session.add(row)
    await session.flush()
    if run.status is DeliveryRunStatus.ACTIVE and shipment is not None:
        await send_out(session, shipment, run, cause=cause, receipt_after=receipt_after)
    record(session, DeliveryRunStopAdded(run, shipment_id=planned.shipment_id), cause)
    run.replan_due_at = cause.now
    return row


async def check_joinable(
    session: AsyncSession, run: DeliveryRun, shipment: Shipment | None, planned: PlannedStop
) -> Vehicle | None:
    """Refuse a parcel that is not at the run's warehouse, cannot be sent, or needs what courier or vehicle
    lack; the vehicle, where the run was planned for one."""
    if shipment is None:
        raise NotFound("shipment", field=("stop", "shipment_id"))
    if shipment.warehouse_id != run.warehouse_id:
        raise WrongState(
            "Shipment {number} lies in another warehouse.",
            number=shipment.number,
            field=("stop", "shipment_id"),
        )
    obstacle = find_obstacle(
        shipment,
        planned=shipment.id in await find_planned_elsewhere(session, [shipment.id]),
        skipped=shipment.id in await find_skipped(session, [shipment.id]),
    )
    if obstacle is not None:
        raise WrongState(OBSTACLES[obstacle], field=("stop", "shipment_id"))
    if run.courier_id is not None and planned.terms.skills:
        profile = await session.get(CourierProfile, run.courier_id)
        if missing := set(planned.terms.skills) - set(profile.skills if profile else []):
            raise SkillMissing(sorted(missing), field=("stop", "skills"))
    vehicle = await session.get(Vehicle, run.vehicle_id) if run.vehicle_id is not None else None
    if vehicle is not None and (missing := set(planned.terms.skills) - set(vehicle.skills)):
        raise VehicleSkillMissing(sorted(missing))
    return vehicle


async def check_room_left(
    session: AsyncSession, vehicle: Vehicle, stops: Sequence[DeliveryRunStop], shipment_id: int
) -> None:
    """VehicleFull where a parcel does not fit in with those that are in the vehicle: what was not handed over
    comes back in it."""
    gone = StopOutcome.DELIVERED
    aboard = [stop.shipment_id for stop in stops if stop.outcome is not gone and not stop.skipped]
    found = await session.scalars(select(Shipment).where(Shipment.id.in_([*aboard, shipment_id])))
    check_room(vehicle, found.all())


async def drop_parcels_of_order(session: AsyncSession, order_id: int, *, cause: Cause) -> None:
    """Take the parcels of a cancelled order off the runs that have not left; what is left is planned anew."""
    run_ids = await session.scalars(
        select(DeliveryRunStop.delivery_run_id)
        .join(DeliveryRun, DeliveryRun.id == DeliveryRunStop.delivery_run_id)
        .join(Shipment, Shipment.id == DeliveryRunStop.shipment_id)
        .where(
            Shipment.order_id == order_id,
            DeliveryRunStop.outcome.is_(None),
            DeliveryRun.status.in_(WAITING),
        )
        .distinct()
        .order_by(DeliveryRunStop.delivery_run_id)
    )
    for run_id in list(run_ids):
        run = await lock_delivery_run(session, run_id)
        if run.status in WAITING:
            await drop_parcels(session, run, cause=cause)


async def drop_parcels(session: AsyncSession, run: DeliveryRun, *, cause: Cause) -> None:
    """Skip the stops of a run whose parcels cannot be taken along any more; a run of none is cancelled."""
    stops = await find_open_stops(session, run)
    skipped = await find_skipped(session, [stop.shipment_id for stop in stops])
    for stop in stops:
        if stop.shipment_id in skipped:
            skip_stop(session, run, stop, skipped[stop.shipment_id], cause=cause)
    if not skipped:
        return
    await session.flush()
    if len(skipped) == len(stops):
        await cancel_delivery_run(session, run.id, cause=cause)
    else:
        run.replan_due_at = cause.now
