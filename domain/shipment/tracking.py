"""Tracking events of carriers: each is stored once, in whatever order and however often it comes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, WrongState, collect_refusals
from domain.events import ShipmentDelivered, ShipmentEvent, ShipmentReturned, ShipmentTracked
from domain.order import lock_shipment, settle_orders
from domain.outbox import record_all
from domain.shipment.eta import ARRIVAL_COLUMNS, JourneyStep, build_step, refresh_arrivals
from domain.shipment.fulfilment import refresh_fulfilments, set_receipt_due
from domain.shipment.history import (
    STORED_COLUMNS,
    KnownEvent,
    StoredEvent,
    TrackingFact,
    columns_of,
    compare_facts,
    events_that_count,
    sort_events,
)
from domain.shipment.states import FINAL, NOT_KEPT, TRANSITIONS, status_after
from domain.state import move, status_text
from models import Order, Shipment, ShipmentStatus, TrackingEvent
from models.sql.parameters import is_any_of
from models.sql.same_columns import write_same_columns

TEXT_LIMIT = 500

DECIDES_FOR_ORDER = FINAL | {ShipmentStatus.READY_FOR_PICKUP}
"""What an order is follows from whether its parcels are in one of these."""

CHANGED_BY_REPORTS = (
    "status",
    "version",
    "last_event_at",
    "waiting_since",
    "poll_at",
    "delivered_at",
    "signed_after_end_at",
    *ARRIVAL_COLUMNS,
)
"""Columns of a parcel."""
CHANGED_BY_ARRIVAL = (
    "fulfilment_status",
    "version",
    "ready_for_pickup",
    "nothing_sent",
    "delivered_at",
    "receipt_due_at",
)
"""Columns of an order."""


@dataclass(frozen=True, slots=True)
class ParcelReport:
    """What is reported of one parcel, which is locked."""

    shipment: Shipment
    facts: Sequence[TrackingFact]
    surplus: list[TrackingFact] = field(default_factory=list)
    """Those that are not stored, since the parcel has too many: filled when the others are."""


@dataclass(frozen=True, slots=True)
class ParcelChange:
    """What a report has changed of a parcel."""

    shipment: Shipment
    was: ShipmentStatus
    in_order: Sequence[KnownEvent]
    """All its events, in order of time."""
    learned: Sequence[StoredEvent]
    new: Sequence[TrackingEvent]

    @property
    def concerns_order(self) -> bool:
        """Whether another status of the order may follow."""
        status = self.shipment.status
        return status is not self.was and not DECIDES_FOR_ORDER.isdisjoint({status, self.was})


async def add_tracking_events(
    session: AsyncSession,
    shipment: Shipment,
    facts: Sequence[TrackingFact],
    *,
    cause: Cause,
    receipt_after: timedelta,
) -> list[TrackingEvent]:
    """As `add_reported_events`, of one parcel."""
    report = ParcelReport(shipment, facts)
    return await add_reported_events(session, [report], cause=cause, receipt_after=receipt_after)


async def add_reported_events(
    session: AsyncSession, reports: Sequence[ParcelReport], *, cause: Cause, receipt_after: timedelta
) -> list[TrackingEvent]:
    """Store the facts about locked shipments that are new and update their statuses, in a constant number of
    statements; returns the new events. Each shipment has one report.

    When the last parcel of an order arrives, its customer has `receipt_after` to confirm the receipt.
    """
    known = await load_stored_events(session, [report.shipment.id for report in reports])
    compared = [compare_report(each, known[each.shipment.id], now=cause.now) for each in reports]
    changes = [change for change in compared if change is not None]
    if not changes:
        return []
    with session.no_autoflush:  # the parcels are written at once, with their versions
        accounts = await lock_orders_of(session, [change.shipment for change in changes])
        await refresh_arrivals(
            session,
            [change.shipment for change in changes],
            {change.shipment.id: steps_of(change.in_order) for change in changes},
            now=cause.now,
        )
    session.add_all(event for change in changes for event in change.new)
    write_same_columns([change.shipment for change in changes], CHANGED_BY_REPORTS)
    happened = [
        event
        for change in changes
        for event in events_of(change, accounts[change.shipment.order_id], now=cause.now)
    ]
    await record_all(session, happened, cause)
    if learned := [event for change in changes for event in change.learned]:
        rows = [{"id": event.id, "status": event.status, "code": event.code} for event in learned]
        await session.execute(update(TrackingEvent), rows)
    concerned = sorted({change.shipment.order_id for change in changes if change.concerns_order})
    if concerned:
        await update_orders(session, concerned, cause=cause, receipt_after=receipt_after)
    return [event for change in changes for event in change.new]


def compare_report(
    report: ParcelReport, known: Sequence[StoredEvent], *, now: datetime
) -> ParcelChange | None:
    """What a report has changed of its parcel; None where all of it was known."""
    shipment, was = report.shipment, report.shipment.status
    found = compare_facts(known, report.facts)
    report.surplus.extend(found.surplus)
    if not found.new and not found.learned:
        return None
    new = [build_event(shipment, fact, now=now) for fact in found.new]
    every: list[KnownEvent] = [*known, *new]
    in_order = sort_events(every)
    update_status(shipment, in_order, now=now)
    return ParcelChange(shipment, was, in_order, found.learned, new)


def steps_of(events: Iterable[KnownEvent]) -> list[JourneyStep]:
    """The journey that events in order of time tell of."""
    return [
        build_step(event.occurred_at, event.status, event.latitude, event.longitude)
        for event in events
        if event.revoked_at is None
    ]


def events_of(change: ParcelChange, account_id: int | None, *, now: datetime) -> Iterator[ShipmentEvent]:
    """What has happened to a parcel by a report."""
    shipment = change.shipment
    reported: Sequence[KnownEvent] = [*change.learned, *change.new]
    statuses = [event.status.value for event in reported if event.status]
    yield ShipmentTracked(shipment, account_id=account_id, statuses=statuses)
    if shipment.status is change.was:
        return
    if shipment.status is ShipmentStatus.DELIVERED:
        yield ShipmentDelivered(shipment, account_id=account_id)
    if shipment.waiting_since == now:
        yield ShipmentReturned(shipment, account_id=account_id)


async def lock_orders_of(session: AsyncSession, shipments: Iterable[Shipment]) -> dict[int, int | None]:
    """Lock the orders of parcels; the account of each by its id."""
    ids = sorted({shipment.order_id for shipment in shipments})
    rows = await session.execute(
        select(Order.id, Order.account_id)
        .where(is_any_of(session, Order.id, ids))
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )
    return {order_id: account_id for order_id, account_id in rows}  # noqa: C416 - rows have a type each


async def update_orders(
    session: AsyncSession, order_ids: Sequence[int], *, cause: Cause, receipt_after: timedelta
) -> None:
    """Let locked orders follow what has become of their parcels."""
    found = await session.scalars(
        select(Order)
        .where(is_any_of(session, Order.id, order_ids))
        .order_by(Order.id)
        .execution_options(populate_existing=True)
    )
    orders = found.all()
    changed = await refresh_fulfilments(session, orders, cause=cause)
    for order in orders:
        if order.id in changed:
            set_receipt_due(order, receipt_after=receipt_after)
    write_same_columns(orders, CHANGED_BY_ARRIVAL)
    await settle_orders(session, orders, cause=cause.automatic)


def build_event(shipment: Shipment, fact: TrackingFact, *, now: datetime) -> TrackingEvent:
    return TrackingEvent(shipment_id=shipment.id, received_at=now, **columns_of(fact))


def update_status(shipment: Shipment, in_order: Sequence[KnownEvent], *, now: datetime) -> None:
    """Set a shipment's status to what its events, in order of time, lead to; a final status stays."""
    shipment.last_event_at = in_order[-1].occurred_at
    counting = events_that_count(in_order)
    status = status_after(event.status for event in counting if event.status is not None)
    if shipment.status in FINAL or status is shipment.status:
        return
    if shipment.ended_at is not None:
        update_ended(shipment, counting, now=now)
        return
    move(shipment, status, TRANSITIONS)
    shipment.waiting_since = now if status in NOT_KEPT else None
    if status in FINAL:
        shipment.poll_at = None
    if status is ShipmentStatus.DELIVERED:
        arrival = next(event for event in counting if event.status is status)
        shipment.delivered_at = min(arrival.occurred_at, now)  # the clock of a carrier may be wrong


def update_ended(shipment: Shipment, counting: Sequence[KnownEvent], *, now: datetime) -> None:
    """A shipment that has ended can only come back still, also after it was signed for: the warehouse books
    it. One that was signed for and does not come back is a task."""
    statuses = {event.status for event in counting}
    if ShipmentStatus.RETURNED in statuses:
        move(shipment, ShipmentStatus.RETURNED, TRANSITIONS)
    elif ShipmentStatus.DELIVERED in statuses:
        shipment.signed_after_end_at = shipment.signed_after_end_at or now


async def load_tracking_events(session: AsyncSession, shipment: Shipment) -> Sequence[TrackingEvent]:
    found = await session.scalars(
        select(TrackingEvent).where(TrackingEvent.shipment_id == shipment.id).order_by(TrackingEvent.id)
    )
    return found.all()


async def load_stored_events(
    session: AsyncSession, shipment_ids: Sequence[int]
) -> Mapping[int, list[StoredEvent]]:
    """What is known of parcels already, by the parcel's id."""
    columns = [getattr(TrackingEvent, name) for name in STORED_COLUMNS]
    rows = await session.execute(
        select(TrackingEvent.shipment_id, *columns)
        .where(is_any_of(session, TrackingEvent.shipment_id, shipment_ids))
        .order_by(TrackingEvent.id)
    )
    found = defaultdict[int, list[StoredEvent]](list)
    for shipment_id, *values in rows:
        found[shipment_id].append(StoredEvent(*values))
    return found


async def report_tracking_event(
    session: AsyncSession,
    shipment_id: int,
    fact: TrackingFact,
    *,
    cause: Cause,
    receipt_after: timedelta,
) -> Shipment:
    """Store what the staff reports about a parcel that has left; WrongState where that could change nothing,
    since its journey is over.
    """
    _, shipment = await lock_shipment(session, shipment_id)
    if shipment.dispatched_at is None:
        raise WrongState("This shipment has not left yet.", field=("id",))
    with collect_refusals() as check:
        if fact.status is ShipmentStatus.PENDING:
            check.add(Invalid("A shipment that has left is not pending any more.", field=("status",)))
        else:
            with check:
                check_journey(shipment, fact)
        if not 1 <= len(fact.description) <= TEXT_LIMIT:
            template = "Say what happened, in at most {limit} characters."
            check.add(Invalid(template, limit=TEXT_LIMIT, field=("description",)))
        if not shipment.packed_at <= fact.occurred_at <= cause.now:
            check.add(Invalid("It happened after packing and not in the future.", field=("occurred_at",)))
        if len(fact.location) > TEXT_LIMIT:
            template = "A place has at most {limit} characters."
            check.add(Invalid(template, limit=TEXT_LIMIT, field=("location",)))
    await add_tracking_events(session, shipment, [fact], cause=cause, receipt_after=receipt_after)
    return shipment


def check_journey(shipment: Shipment, fact: TrackingFact) -> None:
    """Refuse another status for a parcel that keeps the one it has."""
    if fact.status is shipment.status:
        return
    if shipment.status in FINAL:
        raise WrongState(
            "This shipment is {status}: that stays.", status=status_text(shipment.status), field=("status",)
        )
    if shipment.ended_at is not None and fact.status is not ShipmentStatus.RETURNED:
        raise WrongState("This shipment has ended: it can only come back still.", field=("status",))
