from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import strawberry

from domain.delivery_run import (
    StopReport,
    cancel_delivery_run,
    complete_stop,
    end_delivery_run,
    report_courier_position,
    start_delivery_run,
)
from domain.errors import NotFound
from loaders.delivery_run import NEWEST_DELIVERY_RUN, select_delivery_runs
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import (
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Event,
    Media,
    Position,
    StopOutcome,
    Subject,
)
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.delivery_run import DeliveryRunFilter
from resolvers.order.finding import couriers_see_since, is_carried
from resolvers.paging import query_page
from resolvers.shipment import warehouse_row_id
from resolvers.shipment.proofs import proofs_of_stops
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
        stalled=filters.stalled,
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


async def delivery_run_cancel(info: Info, id: strawberry.ID) -> DeliveryRun:
    """Cancels a draft, or a delivery run that has not started; its parcels wait for another.

    id: the delivery run
    """
    async with info.context.transaction() as session:
        return await cancel_delivery_run(session, row_id(id, "DeliveryRun"), cause=info.context.cause)


async def delivery_run_end(info: Info, id: strawberry.ID, reason: str) -> DeliveryRun:
    """Ends a run under way with whose courier nobody reckons any more; what they have not brought has failed,
    and can go out on another run. Cash they have collected stays in their hands until it is counted.

    id: the delivery run
    reason: why, as it stands beside each stop, for the staff
    """
    context = info.context
    async with context.transaction() as session:
        return await end_delivery_run(
            session,
            row_id(id, "DeliveryRun"),
            reason=reason,
            cause=context.cause,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
        )


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
            zone=context.shop.settings.locale.zone,
        )


async def stop_complete(
    info: Info,
    id: strawberry.ID,
    outcome: StopOutcome,
    note: str = "",
    proof: str = "",
    signature_id: strawberry.ID | None = None,
    photo_id: strawberry.ID | None = None,
) -> DeliveryRunStop:
    """Records how a stop of the courier's own delivery run ended; the stops after it get new times.

    id: the stop
    outcome: whether the parcel was handed over
    note: what happened, as the customer reads it
    proof: who took it, or where its picture is
    signature_id: a picture of the signature, which the courier has uploaded
    photo_id: a picture of where the parcel was left, which the courier has uploaded
    """
    context = info.context
    report = StopReport(
        note=note,
        proof=proof,
        signature_id=picture_row_id(signature_id, "signature_id"),
        photo_id=picture_row_id(photo_id, "photo_id"),
    )
    async with context.transaction() as session:
        return await complete_stop(
            session,
            row_id(id, "DeliveryRunStop"),
            outcome,
            report=report,
            cause=context.cause,
            receipt_after=context.shop.settings.deadlines.receipt_confirmed_after,
        )


def picture_row_id(picture_id: strawberry.ID | None, field: str) -> int | None:
    return None if picture_id is None else row_id(picture_id, "Media", field=(field,))


async def courier_position_report(
    info: Info,
    delivery_run_id: strawberry.ID,
    latitude: float,
    longitude: float,
    at: datetime | None = None,
) -> DeliveryRun:
    """Reports where the courier is on their own delivery run; one older than the last changes nothing.

    delivery_run_id: the delivery run
    latitude: in degrees, north is positive
    longitude: in degrees, east is positive
    at: when the courier was there; now when left out
    """
    context = info.context
    number = row_id(delivery_run_id, "DeliveryRun", field=("delivery_run_id",))
    async with context.transaction() as session:
        return await report_courier_position(
            session,
            number,
            Position(latitude, longitude, at or context.now),
            speed_limit_kmh=context.shop.settings.routing.courier_speed_limit,
            cause=context.cause,
        )


async def trails(runs: Sequence[DeliveryRun], info: Info) -> list[list[Position] | None]:
    """Where the courier was, thinned, for a day; null for all but those who plan."""
    if not info.context.viewer.may(Permission.DELIVERY_RUN_PLAN):
        return [None] * len(runs)
    found = await info.context.load.delivery_run_positions.load_many([run.id for run in runs])
    return [[Position(each.latitude, each.longitude, each.at) for each in trail] for trail in found]


def stop_skills(root: DeliveryRunStop) -> list[str]:
    """What its courier and vehicle need."""
    return root.skills


async def signatures(stops: Sequence[DeliveryRunStop], info: Info) -> list[Media | None]:
    """The picture of the signature; null without one."""
    return [proof.signature for proof in await proofs_of_stops(stops, info)]


async def photos(stops: Sequence[DeliveryRunStop], info: Info) -> list[Media | None]:
    """The picture of where the parcel was left; null without one."""
    return [proof.photo for proof in await proofs_of_stops(stops, info)]


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
