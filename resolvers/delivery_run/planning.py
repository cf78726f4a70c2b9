"""Planning runs: for one courier, for vehicles, and anew for what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import strawberry

from domain.delivery_run import (
    PlannedStop,
    StopTerms,
    UnplannedParcel,
    add_stop,
    assign_courier,
    check_shipment_ids,
    plan_delivery_run,
    request_replan,
    write_drafts,
)
from domain.errors import Invalid, NotFound
from domain.stock import point_of_warehouse
from events.delivery_run.planning import PlanRequest, door_of, prepare_drafts
from events.delivery_run.replanning import replan_run
from events.delivery_run.single import order_stops
from loaders.delivery_run.planning import load_open_parcels
from loaders.shipment import load_routes
from models import Delivery, DeliveryRun, DistanceSource, RouteSolver, UnplannedReason
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.delivery_run import DeliveryRunPlanInput, PlanStopInput
from text.messages import Message

UNPLANNED_MESSAGES: Mapping[UnplannedReason, Message] = {
    UnplannedReason.NO_COORDINATES: Message("Nobody knows where its door is."),
    UnplannedReason.NO_VEHICLE: Message("No vehicle of the plan starts at its warehouse."),
    UnplannedReason.NO_SKILL: Message("No vehicle has the skills it needs."),
    UnplannedReason.TOO_HEAVY: Message("It is heavier than any vehicle carries."),
    UnplannedReason.TOO_LARGE: Message("It is larger than any vehicle."),
    UnplannedReason.WINDOW_UNREACHABLE: Message(
        "No vehicle can be there in its window and back in its shift."
    ),
    UnplannedReason.NO_CAPACITY_LEFT: Message("The vehicles are full."),
    UnplannedReason.NO_TIME_LEFT: Message("The shifts of the vehicles are full."),
    UnplannedReason.ALREADY_PLANNED: Message("It is on another run already."),
    UnplannedReason.OTHER_CARRIER: Message("It goes by another carrier."),
    UnplannedReason.NOT_TO_BE_SENT: Message("It is not to be sent now."),
    UnplannedReason.CHANGED_MEANWHILE: Message("It has changed while the plan was made; plan it again."),
}

__all__ = ["UnplannedParcel"]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The runs that were planned, and what is on none of them."""

    delivery_run: DeliveryRun | None
    delivery_runs: Sequence[DeliveryRun]
    unplanned: Sequence[UnplannedParcel]
    solver: RouteSolver | None
    distance_source: DistanceSource | None
    plan_note: str


async def delivery_run_plan(info: Info, input: DeliveryRunPlanInput) -> RunPlan:
    """Plans runs: a draft for each vehicle, or a run for one courier; what is on none has its reason."""
    if input.courier_id is not None:
        return await plan_for_courier(info, input)
    return await plan_for_vehicles(info, input)


async def plan_for_courier(info: Info, input: DeliveryRunPlanInput) -> RunPlan:
    """One run with all parcels given, for this courier; the shop finds the order of the stops."""
    context = info.context
    courier, warehouse = input.courier_and_warehouse()
    shipment_ids = input.shipment_row_ids()
    check_shipment_ids(shipment_ids)
    routes = await load_routes(context.shop.database.reads, shipment_ids)
    check_all_found(shipment_ids, routes)
    depot = await context.load.warehouse.load(warehouse)
    start = point_of_warehouse(depot) if depot else None
    stops = await order_stops(context.shop, start, [routes[each] for each in shipment_ids])
    async with context.transaction() as session:
        run = await plan_delivery_run(
            session,
            courier_id=courier,
            warehouse_id=warehouse,
            vehicle=input.vehicle,
            stops=stops,
            cause=context.cause,
        )
    return RunPlan(run, [run], [], run.solver, run.distance_source, run.plan_note)


async def plan_for_vehicles(info: Info, input: DeliveryRunPlanInput) -> RunPlan:
    context, settings = info.context, info.context.shop.settings.routing
    warehouses = input.warehouse_row_ids()
    terms = await read_terms(info, input, warehouses)
    vehicle_ids = input.vehicle_row_ids()
    await check_vehicles(info, vehicle_ids)
    locked = input.locked_row_ids(terms)
    await check_locked_vehicles(info, list(locked), vehicle_ids, warehouses)
    request = PlanRequest(
        terms=terms,
        vehicle_ids=vehicle_ids,
        warehouse_ids=[] if vehicle_ids else warehouses,
        locked=locked,
        start=input.departure(context.now),
    )
    prepared = await prepare_drafts(context.shop, request)
    async with context.transaction() as session:
        written = await write_drafts(
            session,
            prepared.drafts,
            prepared.origin,
            lifetime=settings.draft_lifetime,
            cause=context.cause,
        )
    return RunPlan(
        delivery_run=written.runs[0] if written.runs else None,
        delivery_runs=written.runs,
        unplanned=[*prepared.unplanned, *written.dropped],
        solver=prepared.origin.solver if prepared.drafts else None,
        distance_source=prepared.origin.distance_source if prepared.drafts else None,
        plan_note=prepared.origin.note,
    )


async def read_terms(
    info: Info, input: DeliveryRunPlanInput, warehouses: Sequence[int]
) -> dict[int, StopTerms]:
    """What is wished for each parcel of the plan; all that wait in the depots where none is named."""
    settings, reads = info.context.shop.settings.routing, info.context.shop.database.reads
    given = input.stop_terms(settings)
    if not given:
        if not warehouses:
            raise Invalid("Name shipments, or depots whose shipments are to be planned.", field=("stops",))
        found = await load_open_parcels(reads, warehouses, limit=settings.stops_limit)
        given = dict.fromkeys(found, StopTerms(service=settings.service_time))
    routes = await load_routes(reads, list(given))
    check_all_found(list(given), routes)
    return {id: with_wished_window(terms, routes[id].delivery) for id, terms in given.items()}


def with_wished_window(terms: StopTerms, delivery: Delivery) -> StopTerms:
    """The terms with the window that the customer wishes, where the staff name none."""
    window = delivery.window
    if window is None or terms.window_from or terms.window_until:
        return terms
    return replace(terms, window_from=window.begins, window_until=window.ends)


async def check_vehicles(info: Info, vehicle_ids: Sequence[int]) -> None:
    """NotFound for a vehicle that does not exist, or for which nothing is planned any more."""
    found = await info.context.load.vehicle.load_many(vehicle_ids)
    for index, vehicle in enumerate(found):
        if vehicle is None or vehicle.archived_at is not None:
            raise NotFound("vehicle", field=("vehicle_ids", index))


async def check_locked_vehicles(
    info: Info, locked: Sequence[int], vehicle_ids: Sequence[int], warehouse_ids: Sequence[int]
) -> None:
    """NotFound for a vehicle of which something is locked and that is not in the plan."""
    found = await info.context.load.vehicle.load_many(locked)
    for index, vehicle in enumerate(found):
        is_planned = vehicle is not None and (
            vehicle.id in vehicle_ids
            if vehicle_ids
            else vehicle.warehouse_id in warehouse_ids and vehicle.archived_at is None
        )
        if not is_planned:
            raise NotFound("vehicle", field=("locked", index, "vehicle_id"))


def check_all_found(shipment_ids: Sequence[int], found: Mapping[int, object]) -> None:
    if missing := [index for index, each in enumerate(shipment_ids) if each not in found]:
        raise NotFound("shipment", field=("shipment_ids", missing[0]))


async def delivery_run_assign(info: Info, id: strawberry.ID, courier_id: strawberry.ID) -> DeliveryRun:
    """Gives a draft to a courier who works at that time and has the skills; then it can start.

    id: the delivery run
    courier_id: who drives
    """
    context = info.context
    async with context.transaction() as session:
        return await assign_courier(
            session,
            row_id(id, "DeliveryRun"),
            row_id(courier_id, "Account", field=("courier_id",)),
            zone=context.shop.settings.locale.zone,
            cause=context.cause,
        )


async def delivery_run_stop_add(
    info: Info, id: strawberry.ID, stop: PlanStopInput, overload: bool = False
) -> DeliveryRun:
    """Lets a parcel join a run that has not ended; what is left of the run is planned anew.

    id: the delivery run
    stop: the parcel, and what is wished for it
    overload: whether it joins although the vehicle is full by what is known of it; else it is refused then
    """
    context = info.context
    shipment_id = row_id(stop.shipment_id, "Shipment", field=("stop", "shipment_id"))
    terms = stop.terms(context.shop.settings.routing, ("stop",))
    route = (await load_routes(context.shop.database.reads, [shipment_id])).get(shipment_id)
    if route is None:
        raise NotFound("shipment", field=("stop", "shipment_id"))
    point = door_of(route)
    terms = with_wished_window(terms, route.delivery)
    planned = PlannedStop(
        shipment_id,
        terms.service,
        point.latitude if point else None,
        point.longitude if point else None,
        terms=terms,
    )
    run_id = row_id(id, "DeliveryRun")
    async with context.transaction() as session:
        await add_stop(
            session,
            run_id,
            planned,
            overload=overload,
            cause=context.cause,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
        )
    return await replan_and_load(info, run_id)


async def delivery_run_replan(info: Info, id: strawberry.ID) -> DeliveryRun:
    """Plans anew what is left of a run; stops that are done, locked or next stay where they are.

    id: the delivery run
    """
    context, run_id = info.context, row_id(id, "DeliveryRun")
    async with context.transaction() as session:
        await request_replan(session, run_id, cause=context.cause)
    return await replan_and_load(info, run_id)


async def replan_and_load(info: Info, run_id: int) -> DeliveryRun:
    await replan_run(info.context.shop, run_id)
    info.context.forget_loaded()
    run = await info.context.load.delivery_run.load(run_id)
    if run is None:
        raise NotFound("delivery run", field=("id",))
    return run


def unplanned_message(root: UnplannedParcel, info: Info) -> str:
    """Why it is on no run, in words."""
    return info.context.viewer_of(info).text_of(UNPLANNED_MESSAGES[root.reason])
