"""Planning a delivery run, and cancelling one that has not started."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run.arrivals import schedule_stops
from domain.delivery_run.states import TRANSITIONS, lock_delivery_run
from domain.delivery_run.stops import find_skipped, lock_shipments, skip_stop
from domain.errors import Invalid, LimitReached, NotFound, WrongState
from domain.events import DeliveryRunCancelled, DeliveryRunPlanned
from domain.outbox import record
from domain.shipment import FINAL
from domain.state import move
from models import (
    OWN_COURIERS,
    Account,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Permission,
    Shipment,
    Warehouse,
    is_granted,
)
from text.messages import Message

STOPS_LIMIT = 200
VEHICLE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class StopTerms:
    """What is wished or needed at a door."""

    window_from: datetime | None = None
    window_until: datetime | None = None
    service: timedelta = timedelta()
    """How long it takes there; part of the time to the end of the stop."""
    priority: int = 0
    skills: tuple[str, ...] = ()
    locked: bool = False
    """Whether it stays in its place when the rest is planned anew."""


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A parcel, and the time from the end of the stop before to the end of this one."""

    shipment_id: int
    travel: timedelta
    latitude: float | None = None
    longitude: float | None = None
    distance_metres: int | None = None
    terms: StopTerms = StopTerms()
    version: int | None = None
    """That of the parcel when the plan was made; None where it does not matter."""


async def plan_delivery_run(
    session: AsyncSession,
    *,
    courier_id: int,
    warehouse_id: int,
    vehicle: str,
    stops: Sequence[PlannedStop],
    cause: Cause,
) -> DeliveryRun:
    """Give parcels of one warehouse to one of our couriers, to be brought in this order.

    Those that cannot be taken along are skipped; WrongState where that is all of them.
    """
    await check_courier(session, courier_id)
    if await session.get(Warehouse, warehouse_id) is None:
        raise NotFound("warehouse", field=("warehouse_id",))
    if len(vehicle) > VEHICLE_LIMIT:
        raise Invalid("A vehicle has at most {limit} characters.", limit=VEHICLE_LIMIT, field=("vehicle",))
    check_shipment_ids([stop.shipment_id for stop in stops])
    skipped = await lock_plannable_shipments(session, [stop.shipment_id for stop in stops], warehouse_id)
    run = DeliveryRun(
        courier_id=courier_id,
        warehouse_id=warehouse_id,
        vehicle=vehicle,
        status=DeliveryRunStatus.PLANNED,
        version=0,
        planned_at=cause.now,
    )
    session.add(run)
    await session.flush()
    rows = [build_stop(run, stop, position) for position, stop in enumerate(stops, start=1)]
    schedule_stops(rows, start=cause.now)
    schedule_stops([row for row in rows if row.shipment_id not in skipped], start=cause.now)
    session.add_all(rows)
    record(session, DeliveryRunPlanned(run), cause)
    for row in rows:
        if row.shipment_id in skipped:
            skip_stop(session, run, row, skipped[row.shipment_id], cause=cause)
    await session.flush()
    return run


async def cancel_delivery_run(session: AsyncSession, delivery_run_id: int, *, cause: Cause) -> DeliveryRun:
    """Cancel a run that has not started, or a draft: its parcels wait for another."""
    run = await lock_delivery_run(session, delivery_run_id)
    move(run, DeliveryRunStatus.CANCELLED, TRANSITIONS)
    run.ended_at, run.draft_until, run.replan_due_at = cause.now, None, None
    run.stalled_at = None
    await session.execute(delete(DeliveryRunStop).where(DeliveryRunStop.delivery_run_id == run.id))
    record(session, DeliveryRunCancelled(run), cause)
    return run


async def check_courier(session: AsyncSession, courier_id: int) -> None:
    courier = await session.get(Account, courier_id)
    if courier is None or not may_drive(courier):
        raise NotFound("courier", field=("courier_id",))


def may_drive(account: Account) -> bool:
    return account.disabled_at is None and is_granted(Permission.DELIVERY_RUN_DRIVE, account.role)


def check_shipment_ids(shipment_ids: Sequence[int]) -> None:
    """Refuse a run of no shipment, of too many, or of one twice."""
    if not shipment_ids:
        raise Invalid("Name at least one shipment.", field=("shipment_ids",))
    if len(shipment_ids) > STOPS_LIMIT:
        raise LimitReached("A run has at most {limit} stops.", limit=STOPS_LIMIT, field=("shipment_ids",))
    if len(set(shipment_ids)) < len(shipment_ids):
        raise Invalid("A run brings each shipment once.", field=("shipment_ids",))


async def lock_plannable_shipments(
    session: AsyncSession, shipment_ids: Sequence[int], warehouse_id: int
) -> Mapping[int, WrongState]:
    """Lock shipments; refuse unless our couriers may bring them. Returns which cannot leave now, and why."""
    shipments = await lock_shipments(session, shipment_ids)
    if len(shipments) < len(shipment_ids):
        raise NotFound("shipment", field=("shipment_ids",))
    on_another_run = await find_planned_elsewhere(session, shipment_ids)
    for shipment_id, shipment in sorted(shipments.items()):
        check_plannable(shipment, warehouse_id, planned=shipment_id in on_another_run)
    skipped = await find_skipped(session, shipment_ids)
    if len(skipped) == len(shipment_ids):
        first = skipped[min(skipped)]
        first.field = ("shipment_ids",)
        raise first
    return skipped


async def find_planned_elsewhere(session: AsyncSession, shipment_ids: Sequence[int]) -> frozenset[int]:
    """Those of these parcels that wait on a run."""
    waiting = select(DeliveryRunStop.shipment_id).where(
        DeliveryRunStop.shipment_id.in_(shipment_ids), DeliveryRunStop.outcome.is_(None)
    )
    return frozenset(await session.scalars(waiting))


def check_plannable(shipment: Shipment, warehouse_id: int, *, planned: bool) -> None:
    refusal = None
    if shipment.warehouse_id != warehouse_id:
        refusal = Message("Shipment {number} lies in another warehouse.", number=shipment.number)
    elif planned:
        refusal = Message("Shipment {number} is already planned on a run.", number=shipment.number)
    elif shipment.carrier not in {None, OWN_COURIERS} and shipment.status not in FINAL:
        refusal = Message("Shipment {number} is with another carrier.", number=shipment.number)
    if refusal:
        raise WrongState(refusal, field=("shipment_ids",))


def build_stop(run: DeliveryRun, stop: PlannedStop, position: int) -> DeliveryRunStop:
    return DeliveryRunStop(
        delivery_run_id=run.id,
        shipment_id=stop.shipment_id,
        position=position,
        travel_seconds=round(stop.travel.total_seconds()),
        latitude=stop.latitude,
        longitude=stop.longitude,
        distance_metres=stop.distance_metres,
        window_from=stop.terms.window_from,
        window_until=stop.terms.window_until,
        service_seconds=round(stop.terms.service.total_seconds()),
        priority=stop.terms.priority,
        skills=list(stop.terms.skills),
        locked=stop.terms.locked,
        note="",
        proof="",
    )
