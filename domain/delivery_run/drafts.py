"""Drafts of delivery runs: one for each vehicle of a plan, until a courier takes it or it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.arrivals import schedule_stops
from domain.delivery_run.planning import (
    PlannedStop,
    build_stop,
    cancel_delivery_run,
    check_courier,
    find_planned_elsewhere,
)
from domain.delivery_run.shifts import is_on_shift
from domain.delivery_run.states import TRANSITIONS, lock_delivery_run
from domain.delivery_run.stops import (
    find_open_stops,
    find_skipped,
    lock_courier,
    lock_shipments,
)
from domain.errors import DomainError, ErrorCode, Path, WrongState
from domain.events import DeliveryRunAssigned, DeliveryRunPlanned
from domain.outbox import record
from domain.shipment import FINAL
from domain.state import move
from models import (
    OWN_COURIERS,
    CourierProfile,
    DeliveryRun,
    DeliveryRunStatus,
    DistanceSource,
    RouteSolver,
    Shipment,
    UnplannedReason,
    Vehicle,
)
from models.sql.types import AnySelect

SHIFT_TOLERANCE = timedelta(minutes=30)
"""How long before and after a shift a run may begin and end: plans are never exact."""


class OffShift(DomainError):
    code = ErrorCode.OFF_SHIFT

    def __init__(self) -> None:
        super().__init__("This courier does not work at the time of the run.", field=("courier_id",))


class SkillMissing(DomainError):
    code = ErrorCode.SKILL_MISSING

    def __init__(self, skills: Sequence[str], *, field: Path = ("courier_id",)) -> None:
        super().__init__(
            "This courier lacks what the parcels need: {skills}.",
            skills=", ".join(skills),
            field=field,
        )


@dataclass(frozen=True, slots=True)
class PlanOrigin:
    """Who has planned, and by which distances."""

    solver: RouteSolver
    distance_source: DistanceSource
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunDraft:
    """The run that a plan has for one vehicle."""

    vehicle_id: int
    stops: Sequence[PlannedStop]
    departs_at: datetime
    returns_at: datetime
    distance_metres: int


@dataclass(frozen=True, slots=True)
class UnplannedParcel:
    """A parcel that is on no run of a plan, and why."""

    shipment_id: int
    reason: UnplannedReason


@dataclass(frozen=True, slots=True)
class WrittenDrafts:
    """The drafts that were written, and what had to be left out of them meanwhile."""

    runs: Sequence[DeliveryRun]
    dropped: Sequence[UnplannedParcel]


async def write_drafts(
    session: AsyncSession,
    drafts: Sequence[RunDraft],
    origin: PlanOrigin,
    *,
    lifetime: timedelta,
    cause: Cause,
) -> WrittenDrafts:
    """Write the drafts of a plan; parcels to which something has happened since it was made are left out.

    A parcel that another plan has taken at the same time is on that one alone.
    """
    planned = {stop.shipment_id: stop for draft in drafts for stop in draft.stops}
    vehicles = await lock_vehicles(session, [draft.vehicle_id for draft in drafts])
    shipments = await lock_shipments(session, sorted(planned))
    reasons = await find_obstacles(session, planned, shipments)
    runs = []
    for draft in drafts:
        vehicle = vehicles.get(draft.vehicle_id)
        stops = [stop for stop in draft.stops if stop.shipment_id not in reasons]
        depot = vehicle.warehouse_id if vehicle else None
        moved = [stop for stop in stops if shipments[stop.shipment_id].warehouse_id != depot]
        reasons |= {stop.shipment_id: UnplannedReason.CHANGED_MEANWHILE for stop in moved}
        stops = [stop for stop in stops if stop not in moved]
        if vehicle and stops:
            runs.append(
                await write_draft(session, draft, vehicle, stops, origin, lifetime=lifetime, cause=cause)
            )
    dropped = [UnplannedParcel(shipment_id, reason) for shipment_id, reason in sorted(reasons.items())]
    return WrittenDrafts(runs, dropped)


async def lock_vehicles(session: AsyncSession, vehicle_ids: Sequence[int]) -> Mapping[int, Vehicle]:
    """The vehicles that may be planned for, by their id, kept as they are until the transaction ends."""
    rows = await session.scalars(
        select(Vehicle)
        .where(Vehicle.id.in_(vehicle_ids), Vehicle.archived_at.is_(None))
        .order_by(Vehicle.id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    return {vehicle.id: vehicle for vehicle in rows}


async def find_obstacles(
    session: AsyncSession, planned: Mapping[int, PlannedStop], shipments: Mapping[int, Shipment]
) -> dict[int, UnplannedReason]:
    """Which of these parcels cannot be taken along, as they are now, and why."""
    elsewhere = await find_planned_elsewhere(session, sorted(planned))
    skipped = await find_skipped(session, sorted(planned))
    reasons = {}
    for shipment_id, stop in planned.items():
        reason = find_obstacle(
            shipments.get(shipment_id), planned=shipment_id in elsewhere, skipped=shipment_id in skipped
        )
        if reason is None and stop.version not in {None, shipments[shipment_id].version}:
            reason = UnplannedReason.CHANGED_MEANWHILE
        if reason is not None:
            reasons[shipment_id] = reason
    return reasons


def find_obstacle(shipment: Shipment | None, *, planned: bool, skipped: bool) -> UnplannedReason | None:
    """Why a parcel cannot be planned; None when it can."""
    if shipment is None:
        return UnplannedReason.CHANGED_MEANWHILE
    if planned:
        return UnplannedReason.ALREADY_PLANNED
    if shipment.carrier not in {None, OWN_COURIERS} and shipment.status not in FINAL:
        return UnplannedReason.OTHER_CARRIER
    return UnplannedReason.NOT_TO_BE_SENT if skipped else None


async def write_draft(
    session: AsyncSession,
    draft: RunDraft,
    vehicle: Vehicle,
    stops: Sequence[PlannedStop],
    origin: PlanOrigin,
    *,
    lifetime: timedelta,
    cause: Cause,
) -> DeliveryRun:
    """Write one draft; where stops were left out, the rest is planned anew."""
    run = DeliveryRun(
        courier_id=None,
        warehouse_id=vehicle.warehouse_id,
        vehicle=vehicle.name,
        vehicle_id=vehicle.id,
        status=DeliveryRunStatus.DRAFT,
        version=0,
        planned_at=cause.now,
        solver=origin.solver,
        distance_source=origin.distance_source,
        plan_note=origin.note,
        departs_at=draft.departs_at,
        returns_at=draft.returns_at,
        distance_metres=draft.distance_metres,
        draft_until=max(cause.now, draft.departs_at) + lifetime,
        replan_due_at=cause.now if len(stops) < len(draft.stops) else None,
    )
    session.add(run)
    await session.flush()
    rows = [build_stop(run, stop, position) for position, stop in enumerate(stops, start=1)]
    schedule_stops(rows, start=draft.departs_at)
    session.add_all(rows)
    record(session, DeliveryRunPlanned(run), cause)
    await session.flush()
    return run


async def assign_courier(
    session: AsyncSession, delivery_run_id: int, courier_id: int, *, zone: ZoneInfo, cause: Cause
) -> DeliveryRun:
    """Give a draft, or a run that has not started, to a courier who works then and has the skills."""
    await lock_courier(session, courier_id)
    run = await lock_delivery_run(session, delivery_run_id)
    if run.status not in {DeliveryRunStatus.DRAFT, DeliveryRunStatus.PLANNED} or run.vehicle_id is None:
        raise WrongState(
            "Only a draft, or a run planned for a vehicle that has not left, gets a courier.", field=("id",)
        )
    await check_courier(session, courier_id)
    await check_free(session, run, courier_id)
    departs, returns = run.departs_at or cause.now, run.returns_at or cause.now
    await check_duty(session, run, courier_id, departs, returns, zone)
    if run.status is DeliveryRunStatus.DRAFT:
        move(run, DeliveryRunStatus.PLANNED, TRANSITIONS)
    run.courier_id, run.draft_until, run.stalled_at = courier_id, None, None
    record(session, DeliveryRunAssigned(run), cause)
    return run


async def check_free(session: AsyncSession, run: DeliveryRun, courier_id: int) -> None:
    """WrongState where the courier has another run at the same time."""
    others = select(DeliveryRun.id).where(
        DeliveryRun.courier_id == courier_id,
        DeliveryRun.id != run.id,
        DeliveryRun.status.in_((DeliveryRunStatus.PLANNED, DeliveryRunStatus.ACTIVE)),
        DeliveryRun.departs_at < run.returns_at,
        DeliveryRun.returns_at > run.departs_at,
    )
    if await session.scalar(others.limit(1)):
        raise WrongState("This courier has another run at that time.", field=("courier_id",))


async def check_duty(
    session: AsyncSession, run: DeliveryRun, courier_id: int, begins: datetime, ends: datetime, zone: ZoneInfo
) -> None:
    """OffShift unless a courier works all that time, SkillMissing without a skill of the stops."""
    profile = await session.get(CourierProfile, courier_id, populate_existing=True)
    shifts = profile.shifts if profile else []
    if not is_on_shift(shifts, begins, ends, zone, tolerance=SHIFT_TOLERANCE):
        raise OffShift
    needed = {skill for stop in await find_open_stops(session, run) for skill in stop.skills}
    if missing := needed - set(profile.skills if profile else []):
        raise SkillMissing(sorted(missing))


def select_ended_drafts(now: datetime) -> AnySelect:
    """The ids of drafts that nobody has taken in time."""
    return (
        select(DeliveryRun.id)
        .where(DeliveryRun.status == DeliveryRunStatus.DRAFT, DeliveryRun.draft_until <= now)
        .order_by(DeliveryRun.draft_until)
    )


async def end_draft(session: AsyncSession, delivery_run_id: int, *, cause: Cause) -> None:
    """Cancel a draft whose time is up; nothing happens to one that was taken meanwhile."""
    run = await lock_delivery_run(session, delivery_run_id)
    is_over = run.draft_until is not None and run.draft_until <= cause.now
    if run.status is DeliveryRunStatus.DRAFT and is_over:
        await cancel_delivery_run(session, delivery_run_id, cause=cause)
