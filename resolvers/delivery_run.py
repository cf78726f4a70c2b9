from collections.abc import AsyncIterator

import strawberry

from domain.delivery_run import (
    PlannedStop,
    cancel_delivery_run,
    check_shipment_ids,
    complete_stop,
    plan_delivery_run,
    report_courier_position,
    start_delivery_run,
)
from domain.errors import NotFound
from events.shipment.parcels import receiver_of
from geo import Point
from loaders.delivery_run import NEWEST_DELIVERY_RUN, select_delivery_runs
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.shipment import load_routes
from models import DeliveryRun, DeliveryRunStatus, DeliveryRunStop, Event, StopOutcome, Subject
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.delivery_run import DeliveryRunFilter
from resolvers.order.finding import couriers_see_since, is_carried
from resolvers.paging import query_page
from resolvers.shipment import warehouse_row_id
from resolvers.subscriptions import while_visible


async def delivery_runs(
    info: Info,
    filter: DeliveryRunFilter | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[DeliveryRun]:
    """Delivery runs of the shop's own couriers, the newest first; a courier sees their own, and no longer
    those that ended some time ago, unless cash of them is in hand.

    filter: which of them
    """
    viewer, filters = info.context.viewer, filter or DeliveryRunFilter()
    courier = filters.courier_id
    statement = select_delivery_runs(
        status=filters.status,
        warehouse_id=warehouse_row_id(filters.warehouse_id, "filter"),
        courier_id=row_id(courier, "Account", field=("filter", "courier_id")) if courier else None,
        has_cash=filters.has_cash,
        visible_to=None if viewer.may(Permission.DELIVERY_RUN_PLAN) else viewer.id,
        ended_after=None if viewer.may(Permission.DELIVERY_RUN_PLAN) else couriers_see_since(info),
    )
    return await query_page(info, statement, NEWEST_DELIVERY_RUN, page)


async def find_delivery_run(info: Info, delivery_run_id: int) -> DeliveryRun | None:
    """The delivery run, if this viewer may see it."""
    viewer, run = info.context.viewer, await info.context.load.delivery_run.load(delivery_run_id)
    if run is None or not viewer.may(Permission.DELIVERY_RUN_VIEW):
        return None
    has_own_cash = viewer.owns(run.courier_id) and run.cash_held_since is not None
    sees_all = viewer.may(Permission.DELIVERY_RUN_PLAN)
    return run if sees_all or has_own_cash or is_carried(info, [run]) else None


async def find_delivery_run_stop(info: Info, stop_id: int) -> DeliveryRunStop | None:
    """The stop, if this viewer may see its delivery run."""
    stop = await info.context.load.delivery_run_stop.load(stop_id)
    return stop if stop and await find_delivery_run(info, stop.delivery_run_id) else None


async def delivery_run_plan(
    info: Info,
    courier_id: strawberry.ID,
    warehouse_id: strawberry.ID,
    shipment_ids: list[strawberry.ID],
    vehicle: str = "",
) -> DeliveryRun:
    """Gives parcels to one of the shop's own couriers; the shop finds the order of the stops.

    courier_id: who drives
    warehouse_id: where the run begins
    shipment_ids: the parcels, all packed in that warehouse
    vehicle: what is driven
    """
    context = info.context
    courier = row_id(courier_id, "Account", field=("courier_id",))
    warehouse = row_id(warehouse_id, "Warehouse", field=("warehouse_id",))
    stops = await plan_stops(info, warehouse, shipment_row_ids(shipment_ids))
    async with context.transaction() as session:
        return await plan_delivery_run(
            session,
            courier_id=courier,
            warehouse_id=warehouse,
            vehicle=vehicle,
            stops=stops,
            cause=context.cause,
        )


def shipment_row_ids(shipment_ids: list[strawberry.ID]) -> list[int]:
    return [
        row_id(each, "Shipment", field=("shipment_ids", index)) for index, each in enumerate(shipment_ids)
    ]


async def plan_stops(info: Info, warehouse_id: int, shipment_ids: list[int]) -> list[PlannedStop]:
    """The parcels in the order the router finds best, starting at the warehouse."""
    check_shipment_ids(shipment_ids)
    routes = await load_routes(info.context.shop.database.reads, shipment_ids)
    if missing := [index for index, each in enumerate(shipment_ids) if each not in routes]:
        raise NotFound("shipment", field=("shipment_ids", missing[0]))
    warehouse = await info.context.load.warehouse.load(warehouse_id)
    receivers = [receiver_of(routes[each].delivery) for each in shipment_ids]
    start = point_of(warehouse.latitude, warehouse.longitude) if warehouse else None
    doors = [point_of(receiver.latitude, receiver.longitude) for receiver in receivers]
    legs = await info.context.shop.router.plan(start, doors)
    return [
        PlannedStop(
            shipment_ids[leg.stop], leg.travel, receivers[leg.stop].latitude, receivers[leg.stop].longitude
        )
        for leg in legs
    ]


def point_of(latitude: float | None, longitude: float | None) -> Point | None:
    return None if latitude is None or longitude is None else Point(latitude, longitude)


async def delivery_run_cancel(info: Info, id: strawberry.ID) -> DeliveryRun:
    """Cancels a delivery run that has not started; its parcels wait for another.

    id: the delivery run
    """
    async with info.context.transaction() as session:
        return await cancel_delivery_run(session, row_id(id, "DeliveryRun"), cause=info.context.cause)


async def delivery_run_start(info: Info, id: strawberry.ID) -> DeliveryRun:
    """Starts the courier's own delivery run: all its parcels leave.

    id: the delivery run
    """
    context = info.context
    async with context.transaction() as session:
        return await start_delivery_run(
            session,
            row_id(id, "DeliveryRun"),
            cause=context.cause,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
        )


async def stop_complete(
    info: Info, id: strawberry.ID, outcome: StopOutcome, note: str = "", proof: str = ""
) -> DeliveryRunStop:
    """Records how a stop of the courier's own delivery run ended; the stops after it get new times.

    id: the stop
    outcome: whether the parcel was handed over
    note: what happened, as the customer reads it
    proof: who took it, or where its picture is
    """
    context = info.context
    async with context.transaction() as session:
        return await complete_stop(
            session,
            row_id(id, "DeliveryRunStop"),
            outcome,
            note=note,
            proof=proof,
            cause=context.cause,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
        )


async def courier_position_report(
    info: Info, delivery_run_id: strawberry.ID, latitude: float, longitude: float
) -> DeliveryRun:
    """Reports where the courier is on their own delivery run; only the latest position is kept.

    delivery_run_id: the delivery run
    latitude: in degrees, north is positive
    longitude: in degrees, east is positive
    """
    context = info.context
    number = row_id(delivery_run_id, "DeliveryRun", field=("delivery_run_id",))
    async with context.transaction() as session:
        return await report_courier_position(
            session, number, latitude=latitude, longitude=longitude, cause=context.cause
        )


async def delivery_run_updates(
    info: Info, id: strawberry.ID, after: int | None = None
) -> AsyncIterator[Event]:
    """Everything that happens on a delivery run: the events after a version first, then live ones, each once
    and in order.

    id: the delivery run
    after: the last version seen; later ones come first. Without it only what is to come. RELOAD_REQUIRED when
        later ones are archived: load it anew and watch from its version
    """
    run = await find_delivery_run(info, row_id(id, "DeliveryRun"))
    if run is None:
        raise NotFound("delivery run", field=("id",))
    events = info.context.shop.replay.follow(Subject.DELIVERY_RUN, run.id, after)
    async for event in while_visible(info, events, lambda: find_delivery_run(info, run.id)):
        yield event


def status_then(root: Event) -> DeliveryRunStatus:
    """Where the delivery run stood after this event."""
    return DeliveryRunStatus(root.payload["status"])
