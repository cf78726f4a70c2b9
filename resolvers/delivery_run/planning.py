"""Planning runs: for one courier, for vehicles, and anew for what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

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
from domain.errors import Invalid, LimitReached, NotFound
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

VEHICLES_LIMIT = 100
SKILLS_LIMIT = 20

SERVICE_LIMIT_SECONDS = 7_200
PRIORITY_LIMIT = 3

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
    if input.vehicle_ids or input.warehouse_ids or input.stops or input.locked:
        raise Invalid("A run for one courier has a warehouse and shipments.", field=("courier_id",))
    if input.warehouse_id is None:
        raise Invalid("Say where the run begins.", field=("warehouse_id",))
    courier = row_id(input.courier_id or "", "Account", field=("courier_id",))
    warehouse = row_id(input.warehouse_id, "Warehouse", field=("warehouse_id",))
    shipment_ids = shipment_row_ids(input.shipment_ids)
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
    warehouses = [
        row_id(each, "Warehouse", field=("warehouse_ids", index))
        for index, each in enumerate(input.warehouse_ids)
    ]
    if input.warehouse_id is not None:
        warehouses.append(row_id(input.warehouse_id, "Warehouse", field=("warehouse_id",)))
    terms = await read_terms(info, input, warehouses)
    vehicle_ids = await read_vehicle_ids(info, input)
    request = PlanRequest(
        terms=terms,
        vehicle_ids=vehicle_ids,
        warehouse_ids=[] if vehicle_ids else warehouses,
        locked=read_locked(input, terms),
        start=max(input.departs_at or context.now, context.now),
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
    limit = settings.stops_limit
    if len(input.shipment_ids) + len(input.stops) > limit:
        raise LimitReached("A plan has at most {limit} parcels.", limit=limit, field=("stops",))
    given: dict[int, StopTerms] = {}
    usual = StopTerms(service=settings.service_time)
    for id in shipment_row_ids(input.shipment_ids):
        given[id] = usual
    if len(given) < len(input.shipment_ids):
        raise Invalid("A plan brings each shipment once.", field=("shipment_ids",))
    for index, stop in enumerate(input.stops):
        id = row_id(stop.shipment_id, "Shipment", field=("stops", index, "shipment_id"))
        if id in given:
            raise Invalid("A plan brings each shipment once.", field=("stops", index))
        given[id] = read_stop_terms(info, stop, ("stops", index))
    if not given:
        if not warehouses:
            raise Invalid("Name shipments, or depots whose shipments are to be planned.", field=("stops",))
        found = await load_open_parcels(reads, warehouses, limit=limit)
        given = dict.fromkeys(found, usual)
    routes = await load_routes(reads, list(given))
    check_all_found(list(given), routes)
    return {id: with_wished_window(terms, routes[id].delivery) for id, terms in given.items()}


def with_wished_window(terms: StopTerms, delivery: Delivery) -> StopTerms:
    """The terms with the window that the customer wishes, where the staff name none."""
    window = delivery.window
    if window is None or terms.window_from or terms.window_until:
        return terms
    return replace(terms, window_from=window.begins, window_until=window.ends)


def read_stop_terms(info: Info, stop: PlanStopInput, path: tuple[str | int, ...] = ()) -> StopTerms:
    """What is wished at a door; Invalid for a window upside down, an unknown skill and other nonsense."""
    settings = info.context.shop.settings.routing
    if stop.window_from and stop.window_until and stop.window_until <= stop.window_from:
        raise Invalid("A window ends after it begins.", field=(*path, "window_until"))
    if not 0 <= stop.priority <= PRIORITY_LIMIT:
        raise Invalid("A priority is 0 to {limit}.", limit=PRIORITY_LIMIT, field=(*path, "priority"))
    if stop.service_seconds is not None and not 0 <= stop.service_seconds <= SERVICE_LIMIT_SECONDS:
        raise Invalid(
            "At a door a courier is 0 to {limit} seconds.",
            limit=SERVICE_LIMIT_SECONDS,
            field=(*path, "service_seconds"),
        )
    if len(stop.skills) > SKILLS_LIMIT:
        raise LimitReached(
            "A stop needs at most {limit} skills.", limit=SKILLS_LIMIT, field=(*path, "skills")
        )
    for index, skill in enumerate(stop.skills):
        if skill not in settings.skills:
            raise Invalid(
                'There is no skill "{skill}"; there are {known}.',
                skill=skill[:100],
                known=", ".join(sorted(settings.skills)),
                field=(*path, "skills", index),
            )
    seconds = stop.service_seconds
    service = settings.service_time if seconds is None else timedelta(seconds=seconds)
    return StopTerms(
        stop.window_from, stop.window_until, service, stop.priority, tuple(sorted(set(stop.skills)))
    )


async def read_vehicle_ids(info: Info, input: DeliveryRunPlanInput) -> list[int]:
    if len(input.vehicle_ids) > VEHICLES_LIMIT:
        raise LimitReached(
            "A plan has at most {limit} vehicles.", limit=VEHICLES_LIMIT, field=("vehicle_ids",)
        )
    if not input.vehicle_ids and not input.warehouse_ids and input.warehouse_id is None:
        raise Invalid("Name vehicles, or depots whose vehicles drive.", field=("vehicle_ids",))
    ids = [
        row_id(each, "Vehicle", field=("vehicle_ids", index)) for index, each in enumerate(input.vehicle_ids)
    ]
    found = await info.context.load.vehicle.load_many(ids)
    for index, vehicle in enumerate(found):
        if vehicle is None or vehicle.archived_at is not None:
            raise NotFound("vehicle", field=("vehicle_ids", index))
    return ids


def read_locked(input: DeliveryRunPlanInput, terms: Mapping[int, StopTerms]) -> dict[int, list[int]]:
    """Which vehicle brings which parcels first; Invalid for a parcel that is not planned, or locked twice."""
    locked: dict[int, list[int]] = {}
    seen: set[int] = set()
    for index, each in enumerate(input.locked):
        vehicle = row_id(each.vehicle_id, "Vehicle", field=("locked", index, "vehicle_id"))
        ids = [
            row_id(id, "Shipment", field=("locked", index, "shipment_ids", at))
            for at, id in enumerate(each.shipment_ids)
        ]
        if vehicle in locked or not set(ids) <= set(terms) or seen & set(ids) or len(set(ids)) < len(ids):
            raise Invalid(
                "What is locked is one of the planned shipments, once, and each vehicle is named once.",
                field=("locked", index),
            )
        locked[vehicle] = ids
        seen |= set(ids)
    return locked


def shipment_row_ids(shipment_ids: Sequence[strawberry.ID]) -> list[int]:
    return [
        row_id(each, "Shipment", field=("shipment_ids", index)) for index, each in enumerate(shipment_ids)
    ]


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


async def delivery_run_stop_add(info: Info, id: strawberry.ID, stop: PlanStopInput) -> DeliveryRun:
    """Lets a parcel join a run that has not ended; what is left of the run is planned anew.

    id: the delivery run
    stop: the parcel, and what is wished for it
    """
    context = info.context
    shipment_id = row_id(stop.shipment_id, "Shipment", field=("stop", "shipment_id"))
    terms = read_stop_terms(info, stop, ("stop",))
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
