"""The shop's own couriers: a run is planned, driven stop by stop, and watched on the map."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, LimitReached, NotFound, WrongState
from domain.outbox import record
from domain.shipment import FINAL, TrackingFact, add_tracking_events, check_packable, dispatch_shipment
from domain.state import move, table
from models import (
    Account,
    CarrierCode,
    Delivery,
    DeliveryRun,
    Order,
    Role,
    RunStatus,
    RunStop,
    Shipment,
    ShipmentStatus,
    StopOutcome,
    Warehouse,
)

TRANSITIONS = table(
    RunStatus.PLANNED,
    {
        RunStatus.PLANNED: {RunStatus.ACTIVE, RunStatus.CANCELLED},
        RunStatus.ACTIVE: {RunStatus.COMPLETED},
        RunStatus.COMPLETED: set(),
        RunStatus.CANCELLED: set(),
    },
)

STOPS_LIMIT = 60
TEXT_LIMIT = 500
ANNOUNCED_EVERY = timedelta(seconds=10)
"""Positions come every second or two; watchers are told this often."""
WATCHERS_LIMIT = 3
"""How many of the next customers see the courier come nearer."""

TOLD_BY_OUTCOME = {
    StopOutcome.DELIVERED: (ShipmentStatus.DELIVERED, "Handed over at the door."),
    StopOutcome.FAILED: (ShipmentStatus.DELIVERY_FAILED, "Nobody could take the parcel."),
}


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A parcel's turn, and how long from the stop before to the end of this one."""

    shipment_id: int
    travel: timedelta
    latitude: float | None = None
    longitude: float | None = None


async def plan_run(
    session: AsyncSession,
    *,
    courier_id: int,
    warehouse_id: int,
    vehicle: str,
    stops: Sequence[PlannedStop],
    now: datetime,
    by: int | None = None,
) -> DeliveryRun:
    """Give parcels of one warehouse to one of our couriers, in this order."""
    await check_courier(session, courier_id)
    if await session.get(Warehouse, warehouse_id) is None:
        raise NotFound("warehouse", field=("warehouse_id",))
    if len(vehicle) > TEXT_LIMIT:
        raise Invalid(f"A vehicle has at most {TEXT_LIMIT} characters.", field=("vehicle",))
    check_stops(stops)
    await hold_free_parcels(session, [stop.shipment_id for stop in stops], warehouse_id)
    run = DeliveryRun(
        courier_id=courier_id,
        warehouse_id=warehouse_id,
        vehicle=vehicle,
        status=RunStatus.PLANNED,
        version=0,
        planned_at=now,
    )
    session.add(run)
    await session.flush()
    rows = [stop_of(run, stop, position) for position, stop in enumerate(stops, start=1)]
    schedule(rows, start=now)
    session.add_all(rows)
    record(session, "run.planned", run, now=now, by=by)
    await session.flush()
    return run


async def cancel_run(
    session: AsyncSession, run_id: int, *, now: datetime, by: int | None = None
) -> DeliveryRun:
    """Call off a run nobody has left for: its parcels wait for another."""
    run = await lock_run(session, run_id)
    move(run, RunStatus.CANCELLED, TRANSITIONS)
    run.ended_at = now
    await session.execute(delete(RunStop).where(RunStop.run_id == run.id))
    record(session, "run.cancelled", run, now=now, by=by)
    return run


async def start_run(
    session: AsyncSession, run_id: int, *, courier_id: int, now: datetime, receipt_after: timedelta
) -> DeliveryRun:
    """The courier leaves with every parcel of the run."""
    run = await lock_run(session, run_id, courier_id=courier_id)
    move(run, RunStatus.ACTIVE, TRANSITIONS)
    run.started_at = now
    stops = await waiting_stops(session, run)
    parcels = await lock_parcels_and_orders(session, [stop.shipment_id for stop in stops])
    schedule(stops, start=now)
    for stop in stops:
        await send_out(session, parcels[stop.shipment_id], run, now=now, receipt_after=receipt_after)
    record(session, "run.started", run, now=now, by=courier_id)
    return run


async def complete_stop(
    session: AsyncSession,
    stop_id: int,
    outcome: StopOutcome,
    *,
    note: str,
    proof: str,
    courier_id: int,
    now: datetime,
    receipt_after: timedelta,
) -> RunStop:
    """A stop is done: its parcel's story goes on, and whoever waits further on learns the new time."""
    if max(len(note), len(proof)) > TEXT_LIMIT:
        raise Invalid(f"Note and proof have at most {TEXT_LIMIT} characters.", field=("note",))
    run = await lock_run_of(session, stop_id, courier_id=courier_id)
    stop = await session.get_one(RunStop, stop_id, populate_existing=True)
    if run.status is not RunStatus.ACTIVE:
        raise WrongState("The courier has not left yet, or is back.", field=("stop_id",))
    if stop.outcome is not None:
        raise WrongState("This stop is already done.", field=("stop_id",))
    waiting = await waiting_stops(session, run)
    await lock_order_of(session, stop.shipment_id)
    parcels = await lock_parcels(session, [each.shipment_id for each in waiting])
    stop.outcome, stop.note, stop.proof, stop.completed_at = outcome, note, proof, now
    status, words = TOLD_BY_OUTCOME[outcome]
    fact = seen_by_courier(run, status, note or words, now)
    shipment = parcels[stop.shipment_id]
    await add_tracking_events(session, shipment, [fact], now=now, receipt_after=receipt_after, by=courier_id)
    left = [each for each in waiting if each is not stop]
    tell_those_waiting(session, left, parcels, start=now, by=courier_id)
    record(session, "run.stop_completed", run, now=now, by=courier_id, outcome=outcome, left=len(left))
    if not left:
        move(run, RunStatus.COMPLETED, TRANSITIONS)
        run.ended_at = now
        record(session, "run.completed", run, now=now, by=courier_id)
    return stop


async def report_position(
    session: AsyncSession,
    run_id: int,
    *,
    latitude: float,
    longitude: float,
    courier_id: int,
    now: datetime,
) -> DeliveryRun:
    """Where the courier is; the last word counts, and watchers hear of it every ANNOUNCED_EVERY."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Invalid("Latitudes go from -90 to 90, longitudes from -180 to 180.", field=("latitude",))
    run = await lock_run(session, run_id, courier_id=courier_id)
    if run.status is not RunStatus.ACTIVE:
        raise WrongState("The courier is not on the road.", field=("run_id",))
    run.latitude, run.longitude, run.position_at = latitude, longitude, now
    if run.announced_at is None or now - run.announced_at >= ANNOUNCED_EVERY:
        run.announced_at = now
        record(session, "run.moved", run, now=now, by=courier_id)
        next_up = [stop.shipment_id for stop in (await waiting_stops(session, run))[:WATCHERS_LIMIT]]
        for shipment in (await lock_parcels(session, next_up)).values():
            record(session, "shipment.moved", shipment, now=now, by=courier_id)
    return run


def schedule(stops: Iterable[RunStop], *, start: datetime) -> None:
    """When the courier is at each of these stops, one after the other from `start`."""
    for stop in stops:
        start += timedelta(seconds=stop.travel_seconds)
        stop.estimated_at = start


def tell_those_waiting(
    session: AsyncSession,
    stops: Sequence[RunStop],
    parcels: dict[int, Shipment],
    *,
    start: datetime,
    by: int,
) -> None:
    schedule(stops, start=start)
    for ahead, stop in enumerate(stops):
        facts = {"estimated_at": stop.estimated_at.isoformat(), "stops_ahead": ahead}
        record(session, "shipment.rescheduled", parcels[stop.shipment_id], now=start, by=by, **facts)


async def send_out(
    session: AsyncSession,
    shipment: Shipment,
    run: DeliveryRun,
    *,
    now: datetime,
    receipt_after: timedelta,
) -> None:
    """A parcel leaves with our courier, for the first time or once more."""
    if shipment.dispatched_at is None:
        await dispatch_shipment(
            session,
            shipment.id,
            carrier=CarrierCode.OWN,
            tracking_number=shipment.number,
            now=now,
            by=run.courier_id,
        )
    fact = seen_by_courier(run, ShipmentStatus.OUT_FOR_DELIVERY, "On its way with our courier.", now)
    await add_tracking_events(
        session, shipment, [fact], now=now, receipt_after=receipt_after, by=run.courier_id
    )


def seen_by_courier(run: DeliveryRun, status: ShipmentStatus, words: str, now: datetime) -> TrackingFact:
    return TrackingFact(
        status=status,
        code=f"OWN-{run.id}-{status.value}",
        description=words,
        occurred_at=now,
        latitude=run.latitude,
        longitude=run.longitude,
    )


def stop_of(run: DeliveryRun, stop: PlannedStop, position: int) -> RunStop:
    return RunStop(
        run_id=run.id,
        shipment_id=stop.shipment_id,
        position=position,
        travel_seconds=round(stop.travel.total_seconds()),
        latitude=stop.latitude,
        longitude=stop.longitude,
        note="",
        proof="",
    )


async def check_courier(session: AsyncSession, courier_id: int) -> None:
    courier = await session.get(Account, courier_id)
    if courier is None or courier.role is not Role.COURIER or courier.disabled_at is not None:
        raise NotFound("courier", field=("courier_id",))


def check_stops(stops: Sequence[PlannedStop]) -> None:
    if not stops:
        raise Invalid("Name at least one shipment.", field=("shipment_ids",))
    if len(stops) > STOPS_LIMIT:
        raise LimitReached(f"A run has at most {STOPS_LIMIT} stops.", field=("shipment_ids",))
    if len({stop.shipment_id for stop in stops}) < len(stops):
        raise Invalid("A run brings each shipment once.", field=("shipment_ids",))


async def hold_free_parcels(session: AsyncSession, shipment_ids: Sequence[int], warehouse_id: int) -> None:
    """Lock parcels and refuse unless each of them can go with one of our couriers."""
    parcels = await lock_parcels(session, shipment_ids)
    if len(parcels) < len(shipment_ids):
        raise NotFound("shipment", field=("shipment_ids",))
    planned = await session.scalars(
        select(RunStop.shipment_id).where(RunStop.shipment_id.in_(shipment_ids), RunStop.outcome.is_(None))
    )
    taken = set(planned)
    rows = await session.execute(
        select(Shipment, Order, Delivery)
        .join(Order, Order.id == Shipment.order_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.id.in_(shipment_ids))
        .order_by(Shipment.id)
    )
    for shipment, order, delivery in rows:
        check_free(shipment, order, delivery, warehouse_id, planned=shipment.id in taken)


def check_free(
    shipment: Shipment, order: Order, delivery: Delivery, warehouse_id: int, *, planned: bool
) -> None:
    refusal = None
    if shipment.warehouse_id != warehouse_id:
        refusal = "lies in another warehouse"
    elif planned:
        refusal = "is already planned on a run"
    elif shipment.status in FINAL:
        refusal = "has reached its end"
    elif shipment.dispatched_at is not None and shipment.carrier is not CarrierCode.OWN:
        refusal = "is with another carrier"
    if refusal:
        raise WrongState(f"Shipment {shipment.number} {refusal}.", field=("shipment_ids",))
    if shipment.dispatched_at is None:
        check_packable(order, delivery)


async def lock_run(session: AsyncSession, run_id: int, *, courier_id: int | None = None) -> DeliveryRun:
    """A run held until the transaction ends; another courier's does not exist for a courier."""
    run = await session.get(DeliveryRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or courier_id not in {None, run.courier_id}:
        raise NotFound("run", field=("run_id",))
    return run


async def lock_run_of(session: AsyncSession, stop_id: int, *, courier_id: int) -> DeliveryRun:
    run_id = await session.scalar(
        select(RunStop.run_id)
        .join(DeliveryRun, DeliveryRun.id == RunStop.run_id)
        .where(RunStop.id == stop_id, DeliveryRun.courier_id == courier_id)
    )
    if run_id is None:
        raise NotFound("stop", field=("stop_id",))
    return await lock_run(session, run_id)


async def waiting_stops(session: AsyncSession, run: DeliveryRun) -> list[RunStop]:
    found = await session.scalars(
        select(RunStop)
        .where(RunStop.run_id == run.id, RunStop.outcome.is_(None))
        .order_by(RunStop.position)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def lock_order_of(session: AsyncSession, *shipment_ids: int) -> None:
    """Orders before shipments, and both in order of id: then nobody waits in a ring."""
    order_ids = select(Shipment.order_id).where(Shipment.id.in_(shipment_ids))
    await session.execute(
        select(Order.id).where(Order.id.in_(order_ids)).order_by(Order.id).with_for_update()
    )


async def lock_parcels(session: AsyncSession, shipment_ids: Sequence[int]) -> dict[int, Shipment]:
    rows = await session.scalars(
        select(Shipment)
        .where(Shipment.id.in_(shipment_ids))
        .order_by(Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {shipment.id: shipment for shipment in rows}


async def lock_parcels_and_orders(session: AsyncSession, shipment_ids: Sequence[int]) -> dict[int, Shipment]:
    await lock_order_of(session, *shipment_ids)
    return await lock_parcels(session, shipment_ids)
