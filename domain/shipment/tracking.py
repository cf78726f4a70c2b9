"""Tracking events of carriers: each is stored once, in whatever order and however often it comes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, WrongState
from domain.events import ShipmentDelivered, ShipmentReturned, ShipmentTracked
from domain.order import lock_order, lock_shipment, settle_order
from domain.outbox import record
from domain.shipment.fulfilment import refresh_fulfilment, set_receipt_due
from domain.shipment.states import FINAL, NOT_KEPT, TRANSITIONS, status_after
from domain.state import move, status_text
from models import Shipment, ShipmentStatus, TrackingEvent

TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class TrackingFact:
    """One thing a carrier or the staff reports about a parcel."""

    status: ShipmentStatus
    code: str
    description: str
    occurred_at: datetime
    location: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def key(self) -> tuple[datetime, str]:
        """What tells it from other facts about the same parcel."""
        return self.occurred_at, self.code


async def add_tracking_events(
    session: AsyncSession,
    shipment: Shipment,
    facts: Sequence[TrackingFact],
    *,
    cause: Cause,
    receipt_after: timedelta,
) -> list[TrackingEvent]:
    """Store the facts about a locked shipment that are new and update its status; returns the new events.

    When the last parcel of an order arrives, its customer has `receipt_after` to confirm the receipt.
    """
    known = await load_tracking_events(session, shipment)
    known_keys = {(event.occurred_at, event.code) for event in known}
    new_facts = {fact.key: fact for fact in facts if fact.key not in known_keys}
    if not new_facts:
        return []
    new_events = [
        TrackingEvent(shipment_id=shipment.id, received_at=cause.now, **asdict(fact))
        for _, fact in sorted(new_facts.items())
    ]
    session.add_all(new_events)
    order, was = await lock_order(session, shipment.order_id), shipment.status
    update_status(shipment, [*known, *new_events], now=cause.now)
    statuses = [event.status.value for event in new_events]
    record(session, ShipmentTracked(shipment, account_id=order.account_id, statuses=statuses), cause)
    if shipment.status is ShipmentStatus.DELIVERED and was is not ShipmentStatus.DELIVERED:
        record(session, ShipmentDelivered(shipment, account_id=order.account_id), cause)
    if shipment.waiting_since == cause.now and shipment.status is not was:
        record(session, ShipmentReturned(shipment, account_id=order.account_id), cause)
    if await refresh_fulfilment(session, order, cause=cause):
        set_receipt_due(order, receipt_after=receipt_after)
    await settle_order(session, order, cause=cause.automatic)
    return new_events


def update_status(shipment: Shipment, events: Sequence[TrackingEvent], *, now: datetime) -> None:
    """Set a shipment's status to what its events, in order of time, lead to; a final status stays.

    One that has ended can only come back still: the warehouse books it.
    """
    in_order = sort_events(events)
    shipment.last_event_at = in_order[-1].occurred_at
    status = status_after(event.status for event in in_order if event.revoked_at is None)
    if shipment.status in FINAL or status is shipment.status:
        return
    if shipment.ended_at is not None:
        if status is ShipmentStatus.RETURNED:
            move(shipment, status, TRANSITIONS)
        return
    move(shipment, status, TRANSITIONS)
    shipment.waiting_since = now if status in NOT_KEPT else None
    if status in FINAL:
        shipment.poll_at = None
    if status is ShipmentStatus.DELIVERED:
        shipment.delivered_at = next(
            event.occurred_at for event in in_order if event.status is status and event.revoked_at is None
        )


def sort_events(events: Iterable[TrackingEvent]) -> list[TrackingEvent]:
    """Tracking events in order of time."""
    return sorted(events, key=lambda event: (event.occurred_at, event.received_at, event.code))


async def load_tracking_events(session: AsyncSession, shipment: Shipment) -> Sequence[TrackingEvent]:
    found = await session.scalars(select(TrackingEvent).where(TrackingEvent.shipment_id == shipment.id))
    return found.all()


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
    if fact.status is ShipmentStatus.PENDING:
        raise Invalid("A shipment that has left is not pending any more.", field=("status",))
    if not shipment.packed_at <= fact.occurred_at <= cause.now:
        raise Invalid("It happened after packing and not in the future.", field=("occurred_at",))
    if not 1 <= len(fact.description) <= TEXT_LIMIT:
        raise Invalid(
            "Say what happened, in at most {limit} characters.", limit=TEXT_LIMIT, field=("description",)
        )
    if len(fact.location) > TEXT_LIMIT:
        raise Invalid("A place has at most {limit} characters.", limit=TEXT_LIMIT, field=("location",))
    check_journey(shipment, fact)
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


async def claim_poll(session: AsyncSession, shipment_id: int, *, now: datetime, next_at: datetime) -> bool:
    """Whether it is this caller's turn to ask a carrier about a shipment; then nobody's until `next_at`."""
    claimed = await session.scalar(
        update(Shipment)
        .where(Shipment.id == shipment_id, Shipment.poll_at <= now)
        .values(poll_at=next_at)
        .returning(Shipment.id)
    )
    return claimed is not None
