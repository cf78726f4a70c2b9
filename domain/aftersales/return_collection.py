"""A carrier collects what a customer sends back: booked once, followed, cancelled when nobody needs it."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import PostalAddress, normalize_address, postal_address_of
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.return_parcel import (
    AWAITS_GOODS,
    find_warehouse,
    follow_return,
    is_booked_for_others,
    leave_return,
)
from domain.aftersales.ticket import lock_ticket
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, WrongState
from domain.events import TicketCollectionBooked, TicketCollectionCancelled
from domain.outbox import record
from domain.shipment.carriers import find_carrier
from domain.shipment.pickup import PickupTime, check_pickup
from domain.shipment.waybills import (
    ANSWER_EXPECTED_WITHIN,
    LIVE,
    BookedFacts,
    give_up,
    lock_waybill,
    record_booked,
    record_cancel_refused,
    record_no_answer,
)
from models import (
    POSTAL_FIELDS,
    Carrier,
    CarrierChoice,
    CarrierCode,
    Delivery,
    DeliveryLine,
    OrderLine,
    ReturnCollection,
    ReturnParcel,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketUnits,
    Variant,
    Waybill,
    WaybillStatus,
)

MISSED_AFTER = timedelta(days=1)
"""From the end of the time in which a carrier was to come: then it has not."""
LIGHTEST_GRAMS = 1


@dataclass(frozen=True, slots=True)
class CollectionRequest:
    """What is to be collected: when, by whom and where."""

    carrier: CarrierCode
    pickup: PickupTime
    address: PostalAddress | None = None
    """None for where the goods were delivered to."""
    chosen: bool = True
    """Whether somebody has named the carrier."""


async def open_collection(
    session: AsyncSession,
    ticket_id: int,
    request: CollectionRequest,
    *,
    limit: int | None,
    cause: Cause,
) -> Waybill:
    """The waybill of what is collected for a ticket: the live one where the same carrier is to come at the
    same time, else a new one that is to be asked for.

    WrongState while another one is booked, or nothing is waited for; LimitReached beyond the limit.
    """
    _, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.AWAITING_RETURN:
        raise WrongState(
            "This ticket is {status}: nothing is to be sent back.", status=ticket.status, field=("id",)
        )
    carrier = await find_carrier(session, request.carrier)
    live = await lock_live_collection(session, ticket)
    if live is not None:
        if await is_asked_again(session, live, request):
            return live
        raise WrongState("A carrier comes already; cancel that first.", field=("id",))
    check_pickup(carrier, request.pickup, now=cause.now)
    before = await session.scalar(
        select(func.count(ReturnCollection.id)).where(ReturnCollection.ticket_id == ticket.id)
    )
    if limit is not None and (before or 0) >= limit:
        raise LimitReached(
            "A carrier is asked at most {limit} times for a ticket.", limit=limit, field=("id",)
        )
    collection = await add_collection(session, ticket, request.address, now=cause.now)
    return await add_collection_waybill(session, ticket, collection, request, before or 0, cause=cause)


async def is_asked_again(session: AsyncSession, waybill: Waybill, request: CollectionRequest) -> bool:
    """Whether a request is the one that a live waybill is of."""
    asked = (waybill.carrier, waybill.pickup_from, waybill.pickup_until)
    if asked != (request.carrier, request.pickup.begins_at, request.pickup.ends_at):
        return False
    if request.address is None:
        return True
    collection = await session.get_one(ReturnCollection, waybill.return_collection_id)
    postal = normalize_address(request.address, field=("address",))
    return all(getattr(collection, name) == getattr(postal, name) for name in POSTAL_FIELDS)


async def add_collection(
    session: AsyncSession, ticket: Ticket, address: PostalAddress | None, *, now: datetime
) -> ReturnCollection:
    found = address or await find_delivered_address(session, ticket)
    postal = normalize_address(found, field=("address",))
    collection = ReturnCollection(
        ticket_id=ticket.id,
        warehouse_id=await find_warehouse(session, ticket),
        weight_grams=await weigh_goods(session, ticket),
        requested_at=now,
        **asdict(postal),
    )
    session.add(collection)
    await session.flush()
    return collection


async def find_delivered_address(session: AsyncSession, ticket: Ticket) -> PostalAddress:
    """Where the first goods of a ticket were delivered to; Invalid where that was no address."""
    delivery = await session.scalar(
        select(Delivery)
        .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
        .join(TicketUnits, TicketUnits.delivery_line_id == DeliveryLine.id)
        .where(TicketUnits.ticket_id == ticket.id)
        .order_by(Delivery.id)
        .limit(1)
    )
    if delivery is None or not delivery.line1:
        raise Invalid("Say where the goods are to be collected.", field=("address",))
    return postal_address_of(delivery)


async def weigh_goods(session: AsyncSession, ticket: Ticket) -> int:
    """What the goods of a ticket weigh, in grams."""
    total = await session.scalar(
        select(func.sum(Variant.weight_grams * TicketLine.quantity))
        .select_from(TicketLine)
        .join(OrderLine, OrderLine.id == TicketLine.order_line_id)
        .join(Variant, Variant.id == OrderLine.variant_id)
        .where(TicketLine.ticket_id == ticket.id)
    )
    return max(int(total or 0), LIGHTEST_GRAMS)


async def add_collection_waybill(
    session: AsyncSession,
    ticket: Ticket,
    collection: ReturnCollection,
    request: CollectionRequest,
    before: int,
    *,
    cause: Cause,
) -> Waybill:
    """A row to ask a carrier with, by a reference that was never used."""
    waybill = Waybill(
        return_collection_id=collection.id,
        carrier=request.carrier,
        reference=f"{ticket.number}-{before + 1}",
        choice=CarrierChoice.STAFF if request.chosen else CarrierChoice.TURN,
        status=WaybillStatus.REQUESTED,
        children=[],
        requested_at=cause.now,
        call_at=cause.now + ANSWER_EXPECTED_WITHIN,
        calls=0,
        pickup_from=request.pickup.begins_at,
        pickup_until=request.pickup.ends_at,
    )
    session.add(waybill)
    await session.flush()
    return waybill


def is_live_of(ticket_id: int) -> ColumnElement[bool]:
    """Whether a waybill is, or may be, booked for the goods of a ticket."""
    collections = select(ReturnCollection.id).where(ReturnCollection.ticket_id == ticket_id)
    return Waybill.return_collection_id.in_(collections) & Waybill.status.in_(LIVE)


async def lock_live_collection(session: AsyncSession, ticket: Ticket) -> Waybill | None:
    """The waybill by which the goods of a locked ticket are, or may be, collected; None where none is."""
    found: Waybill | None = await session.scalar(
        select(Waybill)
        .where(is_live_of(ticket.id))
        .order_by(Waybill.id.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def record_collection_booked(
    session: AsyncSession, waybill_id: int, facts: BookedFacts, deadlines: Deadlines, *, cause: Cause
) -> Waybill:
    """The carrier comes: what it collects is followed from now on. Where the ticket does not wait any more,
    it is cancelled next."""
    ticket = await lock_ticket_of(session, waybill_id)
    before = (await lock_waybill(session, waybill_id)).status
    waybill = await record_booked(session, waybill_id, facts, now=cause.now)
    if waybill.status is not WaybillStatus.BOOKED or before is WaybillStatus.BOOKED:
        return waybill
    if ticket.status is not TicketStatus.AWAITING_RETURN:
        await give_up(session, waybill, now=cause.now)
        return waybill
    parcel = await follow_collection(session, ticket, waybill, deadlines, cause=cause)
    parcel.estimated_at = facts.estimated_at
    record(session, TicketCollectionBooked(ticket), cause)
    return waybill


async def record_collection_kept(
    session: AsyncSession, waybill_id: int, reason: str, deadlines: Deadlines, *, cause: Cause
) -> None:
    """The carrier refuses to cancel a collection, and may come."""
    ticket = await lock_ticket_of(session, waybill_id)
    await record_cancel_refused(session, waybill_id, reason, now=cause.now)
    await follow_kept(session, ticket, waybill_id, deadlines, cause=cause)


async def record_collection_unanswered(
    session: AsyncSession, waybill_id: int, reason: str, deadlines: Deadlines, *, cause: Cause
) -> Waybill:
    """The carrier has not answered: once it is not called any more, it may come for all that is known."""
    ticket = await lock_ticket_of(session, waybill_id)
    waybill = await record_no_answer(session, waybill_id, reason, now=cause.now)
    await follow_kept(session, ticket, waybill_id, deadlines, cause=cause)
    return waybill


async def follow_kept(
    session: AsyncSession, ticket: Ticket, waybill_id: int, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Follow the number of a collection again that was not cancelled, where its locked ticket waits for goods
    that nothing else brings."""
    waybill = await lock_waybill(session, waybill_id)
    if (
        waybill.status is not WaybillStatus.CANCEL_REFUSED
        or waybill.number is None
        or ticket.status is not TicketStatus.AWAITING_RETURN
        or ticket.return_parcel_id is not None
        or await lock_live_collection(session, ticket) is not None
    ):
        return
    await follow_collection(session, ticket, waybill, deadlines, cause=cause)


async def follow_collection(
    session: AsyncSession, ticket: Ticket, waybill: Waybill, deadlines: Deadlines, *, cause: Cause
) -> ReturnParcel:
    """Follow what a carrier is to collect for a locked ticket, by the number of its locked waybill."""
    carrier = (await session.scalars(select(Carrier).where(Carrier.code == waybill.carrier))).one()
    number = waybill.number or ""
    # a carrier that gives one number twice has not said whose parcel it is: people look
    decides = not await is_booked_for_others(session, ticket, carrier.code, number)
    parcel = await follow_return(session, ticket, carrier, number, deadlines, decides=decides, cause=cause)
    if waybill.pickup_until is not None and parcel.attend_at is not None:
        parcel.attend_at = waybill.pickup_until + MISSED_AFTER
    return parcel


async def lock_ticket_of(session: AsyncSession, waybill_id: int) -> Ticket:
    """The ticket whose goods a waybill brings back, locked before the waybill."""
    ticket_id = await session.scalar(
        select(ReturnCollection.ticket_id)
        .join(Waybill, Waybill.return_collection_id == ReturnCollection.id)
        .where(Waybill.id == waybill_id)
    )
    _, ticket = await lock_ticket(session, ticket_id or 0)
    return ticket


async def cancel_collection(session: AsyncSession, ticket_id: int, *, cause: Cause) -> Ticket:
    """The carrier need not come: the customer sends the goods otherwise, or has them collected anew."""
    _, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.AWAITING_RETURN:
        raise WrongState("The goods of this ticket are not collected any more.", field=("id",))
    if not await give_up_collection(session, ticket, now=cause.now):
        raise WrongState("No carrier is to collect the goods of this ticket.", field=("id",))
    record(session, TicketCollectionCancelled(ticket), cause)
    return ticket


async def give_up_collection(session: AsyncSession, ticket: Ticket, *, now: datetime) -> bool:
    """Have what is booked for a locked ticket cancelled and not followed; False where nothing is, or where
    the carrier has collected it."""
    waybill = await lock_live_collection(session, ticket)
    if waybill is None:
        return False
    if waybill.number is not None and await is_taken(session, ticket, waybill):
        return False
    await give_up(session, waybill, now=now)
    if waybill.number is not None:
        await leave_return(session, ticket, now=now)
        ticket.return_parcel_id = None
    return True


async def is_taken(session: AsyncSession, ticket: Ticket, waybill: Waybill) -> bool:
    """Whether the carrier of a booked waybill has collected the goods."""
    taken = select(ReturnParcel.id).where(
        ReturnParcel.account_id == ticket.account_id,
        ReturnParcel.carrier == waybill.carrier,
        ReturnParcel.tracking_number == waybill.number,
        ReturnParcel.taken_at.is_not(None),
    )
    return await session.scalar(taken) is not None


async def end_unneeded_collection(session: AsyncSession, ticket: Ticket, *, now: datetime) -> None:
    """Have what is booked cancelled where a locked ticket does not wait for goods any more."""
    if ticket.status not in AWAITS_GOODS:
        await give_up_collection(session, ticket, now=now)


async def find_collected_by(session: AsyncSession, ticket: Ticket) -> datetime | None:
    """Until when a carrier is to come for the goods of a locked ticket; None where none is."""
    waybill = await lock_live_collection(session, ticket)
    if waybill is not None or ticket.return_parcel_id is None:
        return waybill.pickup_until if waybill else None
    kept = (
        select(func.max(Waybill.pickup_until))
        .join(ReturnCollection, ReturnCollection.id == Waybill.return_collection_id)
        .where(ReturnCollection.ticket_id == ticket.id, Waybill.status == WaybillStatus.CANCEL_REFUSED)
    )
    return await session.scalar(kept)


async def find_returning(session: AsyncSession, ticket_ids: Collection[int]) -> set[int]:
    """Those of these tickets whose goods come back in a parcel that is followed, or are to be collected."""
    followed = exists().where(ReturnParcel.id == Ticket.return_parcel_id, ReturnParcel.ended_at.is_(None))
    collected = exists().where(
        ReturnCollection.ticket_id == Ticket.id,
        Waybill.return_collection_id == ReturnCollection.id,
        Waybill.status.in_(LIVE),
    )
    rows = await session.scalars(select(Ticket.id).where(Ticket.id.in_(ticket_ids), or_(followed, collected)))
    return set(rows)
