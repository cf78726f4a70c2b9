from collections.abc import AsyncIterator

import strawberry

from atlas import Point
from domain.errors import NotFound
from domain.run import PlannedStop, cancel_run, complete_stop, plan_run, report_position, start_run
from events.shipment import receiver_of
from events.stream import follow
from loaders.page import PAGE_DEFAULT, Page
from loaders.shipment import NEWEST_RUN, runs_wanted, ways
from models import DeliveryRun, Event, Role, RunStatus, RunStop, StopOutcome, Subject
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.shipment import DeliveryRunFilter
from resolvers.paging import paged
from resolvers.shipment import warehouse_in


async def delivery_runs(
    info: Info,
    filter: DeliveryRunFilter | None = None,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[DeliveryRun]:
    """Runs of our own couriers, the newest first; a courier sees their own.

    filter: which of them
    first: how many, at most 100
    after: the cursor to go on from
    """
    viewer, asked = info.context.viewer, filter or DeliveryRunFilter()
    courier = asked.courier_id
    statement = runs_wanted(
        status=asked.status,
        warehouse_id=warehouse_in(asked.warehouse_id, "filter"),
        courier_id=row_id(courier, "Account", field=("filter", "courier_id")) if courier else None,
        seen_by=viewer.id if viewer.role is Role.COURIER else None,
    )
    return await paged(info, statement, NEWEST_RUN, first=first, after=after)


async def find_run(info: Info, run_id: int) -> DeliveryRun | None:
    """The run, if this viewer may see it."""
    viewer, run = info.context.viewer, await info.context.load.run.load(run_id)
    if run is None or viewer.role not in {Role.COURIER, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}:
        return None
    return run if viewer.role is not Role.COURIER or viewer.owns(run.courier_id) else None


async def find_stop(info: Info, stop_id: int) -> RunStop | None:
    """The stop, if this viewer may see its run."""
    stop = await info.context.load.run_stop.load(stop_id)
    return stop if stop and await find_run(info, stop.run_id) else None


async def run_plan(
    info: Info,
    courier_id: strawberry.ID,
    warehouse_id: strawberry.ID,
    shipment_ids: list[strawberry.ID],
    vehicle: str = "",
) -> DeliveryRun:
    """Give parcels to one of our couriers; their order is found by the shop.

    courier_id: who drives
    warehouse_id: where the run begins
    shipment_ids: the parcels, all packed in that warehouse
    vehicle: what is driven
    """
    context = info.context
    courier = row_id(courier_id, "Account", field=("courier_id",))
    warehouse = row_id(warehouse_id, "Warehouse", field=("warehouse_id",))
    stops = await tour(info, warehouse, parcels_in(shipment_ids))
    async with context.transaction() as session:
        return await plan_run(
            session,
            courier_id=courier,
            warehouse_id=warehouse,
            vehicle=vehicle,
            stops=stops,
            now=context.now,
            by=context.viewer.id,
        )


def parcels_in(shipment_ids: list[strawberry.ID]) -> list[int]:
    return [
        row_id(each, "Shipment", field=("shipment_ids", index)) for index, each in enumerate(shipment_ids)
    ]


async def tour(info: Info, warehouse_id: int, shipment_ids: list[int]) -> list[PlannedStop]:
    """The parcels in the order the router finds best, seen from the warehouse."""
    known = await ways(info.context.shop.database.reads, shipment_ids)
    if missing := [index for index, each in enumerate(shipment_ids) if each not in known]:
        raise NotFound("shipment", field=("shipment_ids", missing[0]))
    warehouse = await info.context.load.warehouse.load(warehouse_id)
    places = [receiver_of(known[each].delivery) for each in shipment_ids]
    start = point(warehouse.latitude, warehouse.longitude) if warehouse else None
    legs = await info.context.shop.router.plan(start, [point(at.latitude, at.longitude) for at in places])
    return [
        PlannedStop(shipment_ids[leg.stop], leg.travel, places[leg.stop].latitude, places[leg.stop].longitude)
        for leg in legs
    ]


def point(latitude: float | None, longitude: float | None) -> Point | None:
    return None if latitude is None or longitude is None else Point(latitude, longitude)


async def run_cancel(info: Info, run_id: strawberry.ID) -> DeliveryRun:
    """Call off a run nobody has left for; its parcels wait for another.

    run_id: the run
    """
    async with info.context.transaction() as session:
        return await cancel_run(session, run_in(run_id), now=info.context.now, by=info.context.viewer.id)


async def run_start(info: Info, run_id: strawberry.ID) -> DeliveryRun:
    """Leave with all parcels of your run.

    run_id: the run
    """
    context = info.context
    async with context.transaction() as session:
        return await start_run(
            session,
            run_in(run_id),
            courier_id=context.viewer.id,
            now=context.now,
            receipt_after=context.shop.settings.receipt_confirmed_after,
        )


async def stop_complete(
    info: Info, stop_id: strawberry.ID, outcome: StopOutcome, note: str = "", proof: str = ""
) -> RunStop:
    """Say how a stop of your run ended; those who wait further on learn their new time.

    stop_id: the stop
    outcome: whether the parcel was handed over
    note: what happened, as the customer reads it
    proof: who took it, or where its picture is
    """
    context = info.context
    async with context.transaction() as session:
        return await complete_stop(
            session,
            row_id(stop_id, "RunStop", field=("stop_id",)),
            outcome,
            note=note,
            proof=proof,
            courier_id=context.viewer.id,
            now=context.now,
            receipt_after=context.shop.settings.receipt_confirmed_after,
        )


async def courier_position_report(
    info: Info, run_id: strawberry.ID, latitude: float, longitude: float
) -> DeliveryRun:
    """Say where you are on your run; the last word counts.

    run_id: the run
    latitude: in degrees, north is positive
    longitude: in degrees, east is positive
    """
    context = info.context
    async with context.transaction() as session:
        return await report_position(
            session,
            run_in(run_id),
            latitude=latitude,
            longitude=longitude,
            courier_id=context.viewer.id,
            now=context.now,
        )


def run_in(run_id: strawberry.ID) -> int:
    return row_id(run_id, "DeliveryRun", field=("run_id",))


async def run_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens on a run: first what came after a version, then live, each once, in order.

    id: the run
    after: the last version you have seen; left out, only what is still to come
    """
    run = await find_run(info, row_id(id, "DeliveryRun"))
    if run is None:
        raise NotFound("run", field=("id",))
    async for event in follow(info.context.shop, Subject.RUN, run.id, after):
        yield event


def status_told(root: Event) -> RunStatus:
    """Where the run stood then."""
    return RunStatus(root.payload["status"])
