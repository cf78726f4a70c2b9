"""What carriers say: each thing kept once, in whatever order and however often it comes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, WrongState
from domain.order import lock_order
from domain.outbox import record
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.states import FINAL, TRANSITIONS, lock_shipment, status_after
from domain.state import move
from models import FulfilmentStatus, Shipment, ShipmentStatus, TrackingEvent

TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class TrackingFact:
    """One thing a carrier, or somebody of ours, says about a parcel."""

    status: ShipmentStatus
    code: str
    description: str
    occurred_at: datetime
    location: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def key(self) -> tuple[datetime, str]:
        return self.occurred_at, self.code


async def add_tracking_events(
    session: AsyncSession,
    shipment: Shipment,
    facts: Sequence[TrackingFact],
    *,
    now: datetime,
    receipt_after: timedelta,
    by: int | None = None,
) -> list[TrackingEvent]:
    """Keep what is new of a locked shipment's news and let its status follow; returns what was new.

    When the last parcel of an order arrives, its customer has `receipt_after` to confirm the receipt.
    """
    known = await events_of(session, shipment)
    heard = {(event.occurred_at, event.code) for event in known}
    fresh = {fact.key: fact for fact in facts if fact.key not in heard}
    if not fresh:
        return []
    news = [
        TrackingEvent(shipment_id=shipment.id, received_at=now, **asdict(fact))
        for _, fact in sorted(fresh.items())
    ]
    session.add_all(news)
    order, was = await lock_order(session, shipment.order_id), shipment.status
    follow(shipment, [*known, *news])
    statuses = [event.status.value for event in news]
    told: dict[str, Any] = {"now": now, "by": by, "account_id": order.account_id}
    record(session, "shipment.tracked", shipment, statuses=statuses, **told)
    if shipment.status is ShipmentStatus.DELIVERED and was is not ShipmentStatus.DELIVERED:
        record(session, "shipment.delivered", shipment, **told)
    changed = await refresh_fulfilment(session, order, now=now, by=by)
    if changed and order.fulfilment_status is FulfilmentStatus.DELIVERED and order.delivered_at:
        order.receipt_due_at = order.delivered_at + receipt_after
    return news


def follow(shipment: Shipment, events: Sequence[TrackingEvent]) -> None:
    """Bring a shipment to where its events, in order of time, say it is; never back from its end."""
    in_order = sorted(events, key=lambda event: (event.occurred_at, event.received_at, event.code))
    shipment.last_event_at = in_order[-1].occurred_at
    status = status_after(event.status for event in in_order)
    if shipment.status in FINAL or status is shipment.status:
        return
    move(shipment, status, TRANSITIONS)
    if status in FINAL:
        shipment.poll_at = None
    if status is ShipmentStatus.DELIVERED:
        shipment.delivered_at = next(event.occurred_at for event in in_order if event.status is status)


async def events_of(session: AsyncSession, shipment: Shipment) -> Sequence[TrackingEvent]:
    found = await session.scalars(select(TrackingEvent).where(TrackingEvent.shipment_id == shipment.id))
    return found.all()


async def report_tracking_event(
    session: AsyncSession,
    shipment_id: int,
    fact: TrackingFact,
    *,
    now: datetime,
    receipt_after: timedelta,
    by: int | None = None,
) -> Shipment:
    """Something one of our own people saw happen to a parcel that has left."""
    _, shipment = await lock_shipment(session, shipment_id)
    if shipment.dispatched_at is None:
        raise WrongState("This shipment has not left yet.", field=("id",))
    if fact.status is ShipmentStatus.PENDING:
        raise Invalid("A shipment that has left is not pending any more.", field=("status",))
    if not shipment.packed_at <= fact.occurred_at <= now:
        raise Invalid("It happened after packing and not in the future.", field=("occurred_at",))
    if not 1 <= len(fact.description) <= TEXT_LIMIT:
        raise Invalid(f"Say what happened, in at most {TEXT_LIMIT} characters.", field=("description",))
    if len(fact.location) > TEXT_LIMIT:
        raise Invalid(f"A place has at most {TEXT_LIMIT} characters.", field=("location",))
    await add_tracking_events(session, shipment, [fact], now=now, receipt_after=receipt_after, by=by)
    return shipment


async def claim_poll(session: AsyncSession, shipment_id: int, *, now: datetime, next_at: datetime) -> bool:
    """Take the turn to ask a carrier; whoever comes second finds it taken until `next_at`."""
    claimed = await session.scalar(
        update(Shipment)
        .where(Shipment.id == shipment_id, Shipment.poll_at <= now)
        .values(poll_at=next_at)
        .returning(Shipment.id)
    )
    return claimed is not None
