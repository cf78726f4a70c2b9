"""Tracking events of carriers: each is stored once, in whatever order and however often it comes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, WrongState, collect_refusals
from domain.events import ShipmentDelivered, ShipmentReturned, ShipmentTracked
from domain.order import lock_order, lock_shipment, settle_order
from domain.outbox import record
from domain.shipment.fulfilment import refresh_fulfilment, set_receipt_due
from domain.shipment.states import FINAL, NOT_KEPT, TRANSITIONS, status_after
from domain.state import move, status_text
from models import Carrier, CarrierConnection, Shipment, ShipmentStatus, TrackingEvent

TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class TrackingFact:
    """One thing a carrier or the staff reports about a parcel."""

    status: ShipmentStatus | None
    """None where a carrier gave no code, or one that the shop does not know."""
    code: str
    description: str
    occurred_at: datetime
    location: str = ""
    latitude: float | None = None
    longitude: float | None = None
    by_carrier: bool = False
    """Carriers send their texts again and again, and the codes of one text may change or come later."""

    @property
    def text_hash(self) -> str:
        return hash_text(self.description if self.by_carrier else f"{self.code} {self.description}")

    @property
    def key(self) -> tuple[datetime, str]:
        """What tells it from other facts about the same parcel: its time and the hash of its text."""
        return self.occurred_at, self.text_hash


def hash_text(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def keys_of(event: TrackingEvent) -> list[tuple[datetime, str]]:
    """The keys of a stored event; a row of before the keys has that of a carrier and that of the staff."""
    if event.text_hash is not None:
        return [(event.occurred_at, event.text_hash)]
    texts = (event.description, f"{event.code} {event.description}")
    return [(event.occurred_at, hash_text(text)) for text in texts]


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
    by_key = {key: event for event in known for key in keys_of(event)}
    new_facts = {fact.key: fact for fact in facts if fact.key not in by_key}
    learned = learn_statuses(by_key, facts)
    if not new_facts and not learned:
        return []
    new_events = [
        build_event(shipment, fact, now=cause.now)
        for fact in sorted(new_facts.values(), key=lambda fact: fact.occurred_at)
    ]
    session.add_all(new_events)
    order, was = await lock_order(session, shipment.order_id), shipment.status
    update_status(shipment, [*known, *new_events], now=cause.now)
    statuses = [event.status.value for event in (*learned, *new_events) if event.status]
    record(session, ShipmentTracked(shipment, account_id=order.account_id, statuses=statuses), cause)
    if shipment.status is ShipmentStatus.DELIVERED and was is not ShipmentStatus.DELIVERED:
        record(session, ShipmentDelivered(shipment, account_id=order.account_id), cause)
    if shipment.waiting_since == cause.now and shipment.status is not was:
        record(session, ShipmentReturned(shipment, account_id=order.account_id), cause)
    if await refresh_fulfilment(session, order, cause=cause):
        set_receipt_due(order, receipt_after=receipt_after)
    await settle_order(session, order, cause=cause.automatic)
    return new_events


def learn_statuses(
    by_key: Mapping[tuple[datetime, str], TrackingEvent], facts: Sequence[TrackingFact]
) -> list[TrackingEvent]:
    """Give stored events that had no status the one that their carrier says now; returns them."""
    learned = []
    for fact in facts:
        event = by_key.get(fact.key)
        if event is not None and event.status is None and fact.status is not None:
            event.status, event.code = fact.status, fact.code
            learned.append(event)
    return learned


def build_event(shipment: Shipment, fact: TrackingFact, *, now: datetime) -> TrackingEvent:
    return TrackingEvent(
        shipment_id=shipment.id,
        status=fact.status,
        code=fact.code,
        description=fact.description,
        location=fact.location,
        latitude=fact.latitude,
        longitude=fact.longitude,
        occurred_at=fact.occurred_at,
        received_at=now,
        text_hash=fact.text_hash,
    )


def update_status(shipment: Shipment, events: Sequence[TrackingEvent], *, now: datetime) -> None:
    """Set a shipment's status to what its events, in order of time, lead to; a final status stays.

    One that has ended can only come back still: the warehouse books it.
    """
    in_order = sort_events(events)
    shipment.last_event_at = in_order[-1].occurred_at
    status = status_after(
        event.status for event in in_order if event.status is not None and event.revoked_at is None
    )
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
    """Tracking events in order of time; those of one moment stay in theirs."""
    return sorted(events, key=lambda event: (event.occurred_at, event.received_at))


async def load_tracking_events(session: AsyncSession, shipment: Shipment) -> Sequence[TrackingEvent]:
    found = await session.scalars(
        select(TrackingEvent).where(TrackingEvent.shipment_id == shipment.id).order_by(TrackingEvent.id)
    )
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


async def claim_poll(
    session: AsyncSession, shipment_id: int, *, now: datetime, next_at: datetime, shortest: timedelta
) -> bool:
    """Whether it is this caller's turn to ask a carrier about a shipment; then nobody's until `next_at`.

    Where it was asked less than `shortest` ago, it is nobody's turn until that is over.
    """
    row = await session.execute(
        select(Shipment.poll_at, Shipment.polled_at).where(Shipment.id == shipment_id)
    )
    due = row.one_or_none()
    allowed_at = due.polled_at + shortest if due and due.polled_at else now
    is_allowed = allowed_at <= now
    claimed = await session.scalar(
        update(Shipment)
        .where(Shipment.id == shipment_id, Shipment.poll_at <= now)
        .where(Shipment.polled_at == due.polled_at if due and due.polled_at else Shipment.polled_at.is_(None))
        .values({"poll_at": next_at, "polled_at": now} if is_allowed else {"poll_at": allowed_at})
        .returning(Shipment.id)
    )
    return is_allowed and claimed is not None


async def record_subscribed(session: AsyncSession, shipment_id: int, *, now: datetime) -> None:
    """The carrier of a parcel has agreed to report by itself."""
    await session.execute(update(Shipment).where(Shipment.id == shipment_id).values(subscribed_at=now))


async def resubscribe(
    session: AsyncSession, shipment_id: int, *, company_code: str | None, poll_at: datetime
) -> None:
    """The connection has found that another carrier has a parcel, or has given it up: it is asked anew."""
    values: dict[str, object] = {"company_code": company_code} if company_code else {"subscribed_at": None}
    await session.execute(
        update(Shipment)
        .where(Shipment.id == shipment_id, Shipment.poll_at.is_not(None))
        .values(poll_at=poll_at, **values)
    )


async def find_numbered(
    session: AsyncSession, connection: CarrierConnection, tracking_number: str
) -> Sequence[tuple[int, str | None, str | None]]:
    """The parcels of a connection with a number, the newest first: id, and the codes of their companies."""
    found = await session.execute(
        select(Shipment.id, Carrier.company_code, Shipment.company_code)
        .join(Carrier, Carrier.code == Shipment.carrier)
        .where(Carrier.connection == connection, Shipment.tracking_number == tracking_number)
        .order_by(Shipment.id.desc())
    )
    return [(row[0], row[1], row[2]) for row in found]
