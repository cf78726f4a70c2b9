"""Which parcel a ticket's goods come back in, and whether it is followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.cause import Cause
from domain.shipment.carriers import is_polled
from domain.shipment.states import FINAL, NOT_KEPT
from models import (
    Carrier,
    CarrierCode,
    DeliveryLine,
    Order,
    ReturnCollection,
    ReturnParcel,
    Shipment,
    ShipmentStatus,
    Ticket,
    TicketStatus,
    TicketUnits,
    Warehouse,
    Waybill,
)
from models.sql.parameters import is_any_of
from models.sql.types import AnySelect

AWAITS_GOODS = frozenset({TicketStatus.AWAITING_RETURN, TicketStatus.RETURN_SHIPPED})
"""A ticket in one of these waits for what its customer sends back."""


@dataclass(frozen=True, slots=True)
class LockedReturn:
    """A parcel that comes back and the tickets that wait for it, all locked."""

    parcel: ReturnParcel
    tickets: Sequence[Ticket]


async def follow_return(
    session: AsyncSession,
    ticket: Ticket,
    carrier: Carrier,
    number: str,
    deadlines: Deadlines,
    *,
    decides: bool,
    cause: Cause,
) -> ReturnParcel:
    """The parcel in which the goods of a locked ticket come back, followed from now on.

    A number that another customer has given, too, is followed for neither, unless this one `decides` whose
    it is, as the staff and the shop's own bookings do: then the others' is not followed any more.
    """
    # of two customers who give the same new number at once, one waits for the other, and holds no parcel
    locked = select(Carrier.id).where(Carrier.id == carrier.id)
    await session.execute(locked.with_for_update(key_share=True))
    await leave_return(session, ticket, now=cause.now)
    namesakes = await lock_namesakes(session, carrier.code, number)
    parcel = next((each for each in namesakes if each.account_id == ticket.account_id), None)
    strangers = [each for each in namesakes if each is not parcel]
    others = [each for each in strangers if each.ended_at is None]
    has_moved = any(each for each in strangers if moves_since(each, ticket.opened_at))
    if parcel is None:
        parcel = await add_parcel(session, ticket, carrier, number, now=cause.now)
    parcel.ended_at, parcel.contested_at = None, None
    parcel.sent_after = min(parcel.sent_after, ticket.opened_at)
    if (others or has_moved) and not decides:
        for each in [parcel, *others]:
            contest(each, now=cause.now)
    else:
        for each in others:
            contest(each, now=cause.now)
            each.ended_at = cause.now
        resume(parcel, carrier, deadlines, now=cause.now)
    await session.flush()
    ticket.return_parcel_id = parcel.id
    return parcel


async def is_booked_for_others(
    session: AsyncSession, ticket: Ticket, carrier: CarrierCode, number: str
) -> bool:
    """Whether the shop has booked a number, but not to collect goods of the customer of a ticket."""
    own = (
        select(ReturnCollection.id)
        .join(Ticket, Ticket.id == ReturnCollection.ticket_id)
        .where(Ticket.account_id == ticket.account_id, ReturnCollection.id == Waybill.return_collection_id)
    )
    booked = select(Waybill.id).where(Waybill.carrier == carrier, Waybill.number == number, ~own.exists())
    return await session.scalar(booked.limit(1)) is not None


async def add_parcel(
    session: AsyncSession, ticket: Ticket, carrier: Carrier, number: str, *, now: datetime
) -> ReturnParcel:
    parcel = ReturnParcel(
        account_id=ticket.account_id,
        warehouse_id=await find_warehouse(session, ticket),
        carrier=carrier.code,
        tracking_number=number,
        status=ShipmentStatus.PENDING,
        sent_after=ticket.opened_at,
        given_at=now,
    )
    session.add(parcel)
    return parcel


def moves_since(parcel: ReturnParcel, moment: datetime) -> bool:
    """Whether a carrier has reported on a parcel that was not sent before, though nobody waits for it now."""
    return parcel.last_event_at is not None and parcel.last_event_at >= moment


def contest(parcel: ReturnParcel, *, now: datetime) -> None:
    parcel.contested_at = parcel.contested_at or now
    parcel.poll_at = parcel.attend_at = None


def resume(parcel: ReturnParcel, carrier: Carrier, deadlines: Deadlines, *, now: datetime) -> None:
    """Follow a parcel; one of a carrier that reports nothing is only known by its number."""
    if not is_polled(carrier):
        return
    if parcel.status not in FINAL:
        parcel.poll_at = now
    if parcel.delivered_at is not None:
        parcel.attend_at = now + deadlines.inspect_arrived
    elif parcel.taken_at is None:
        parcel.attend_at = now + deadlines.see_return


async def leave_return(session: AsyncSession, ticket: Ticket, *, now: datetime) -> None:
    """A locked ticket does not wait for its parcel any more, which ends unless another one does."""
    if ticket.return_parcel_id is None:
        return
    parcel = await session.get_one(ReturnParcel, ticket.return_parcel_id)
    namesakes = await lock_namesakes(session, parcel.carrier, parcel.tracking_number)
    awaited = exists().where(
        Ticket.return_parcel_id == parcel.id, Ticket.id != ticket.id, Ticket.status.in_(AWAITS_GOODS)
    )
    if parcel.ended_at is not None or await session.scalar(select(awaited)):
        return
    parcel.ended_at, parcel.poll_at, parcel.attend_at = now, None, None
    left = [each for each in namesakes if each.ended_at is None]
    if len(left) == 1 and left[0].contested_at is not None:
        [only] = left
        if not any(moves_since(each, only.sent_after) for each in namesakes if each not in (only, parcel)):
            await end_contest(session, only, now=now)


async def end_contest(session: AsyncSession, parcel: ReturnParcel, *, now: datetime) -> None:
    """Nobody else says any more that a locked parcel is theirs: it is followed, and looked after at once."""
    parcel.contested_at = None
    carrier = (await session.scalars(select(Carrier).where(Carrier.code == parcel.carrier))).one()
    if not is_polled(carrier):
        return
    parcel.poll_at = None if parcel.status in FINAL else now
    parcel.attend_at = now if parcel.delivered_at is not None or parcel.taken_at is None else None


async def lock_namesakes(session: AsyncSession, carrier: CarrierCode, number: str) -> Sequence[ReturnParcel]:
    """All parcels that customers have given with one number, locked."""
    found = await session.scalars(
        select(ReturnParcel)
        .where(ReturnParcel.carrier == carrier, ReturnParcel.tracking_number == number)
        .order_by(ReturnParcel.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def find_warehouse(session: AsyncSession, ticket: Ticket) -> int:
    """Where goods of a ticket go: to the warehouse that the first of them came from, else to the main one."""
    came_from = (
        select(DeliveryLine.warehouse_id)
        .join(TicketUnits, TicketUnits.delivery_line_id == DeliveryLine.id)
        .where(TicketUnits.ticket_id == ticket.id)
        .order_by(DeliveryLine.id)
    )
    main = select(Warehouse.id).order_by(Warehouse.position, Warehouse.id)
    return await session.scalar(came_from.limit(1)) or (await session.scalars(main.limit(1))).one()


async def end_unawaited_return(session: AsyncSession, ticket: Ticket, *, now: datetime) -> None:
    """Follow the parcel of a locked ticket no longer where the ticket does not wait for goods any more."""
    if ticket.status not in AWAITS_GOODS:
        await leave_return(session, ticket, now=now)


async def lock_return(
    session: AsyncSession, parcel_id: int, *, skip_locked: bool = False
) -> LockedReturn | None:
    """A parcel and the tickets that wait for it, after their orders; None where somebody else is changing one
    of them, with `skip_locked`."""
    rows = await session.execute(
        select(Ticket.id, Ticket.order_id).where(
            Ticket.return_parcel_id == parcel_id, Ticket.status.in_(AWAITS_GOODS)
        )
    )
    orders = {ticket_id: order_id for ticket_id, order_id in rows}  # noqa: C416 - rows have a type each
    locked_orders = await session.scalars(
        select(Order.id)
        .where(is_any_of(session, Order.id, set(orders.values())))
        .order_by(Order.id)
        .with_for_update(skip_locked=skip_locked)
    )
    found_tickets = await session.scalars(
        select(Ticket)
        .where(is_any_of(session, Ticket.id, orders.keys()))
        .order_by(Ticket.id)
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )
    parcel = await session.scalar(
        select(ReturnParcel)
        .where(ReturnParcel.id == parcel_id)
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )
    tickets = found_tickets.all()
    if parcel is None or len(tickets) < len(orders) or set(locked_orders) < set(orders.values()):
        return None
    waiting = [each for each in tickets if each.status in AWAITS_GOODS]
    since = await session.scalars(
        select(Ticket.id).where(Ticket.return_parcel_id == parcel_id, Ticket.status.in_(AWAITS_GOODS))
    )
    if not orders.keys() >= set(since):  # one has joined them meanwhile
        return None
    return LockedReturn(parcel, [each for each in waiting if each.return_parcel_id == parcel_id])


def due_return_polls(carrier: CarrierCode, now: datetime) -> AnySelect:
    """Select the ids of parcels that come back about which a carrier is to be asked, the longest due first.

    A number that one of the shop's own parcels has is never followed as a return.
    """
    sent = exists().where(
        Shipment.carrier == ReturnParcel.carrier, Shipment.tracking_number == ReturnParcel.tracking_number
    )
    return (
        select(ReturnParcel.id)
        .where(ReturnParcel.carrier == carrier, ReturnParcel.poll_at <= now, ~sent)
        .order_by(ReturnParcel.poll_at)
    )


async def is_under_way(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether the goods of a ticket are followed and have not reached the warehouse, as far as is known.

    So are those whose number is somebody else's, or was given in place of one that was followed.
    """
    if ticket.return_parcel_id is None:
        return ticket.return_corrections > 0
    parcel = await session.get_one(ReturnParcel, ticket.return_parcel_id)
    if parcel.contested_at is not None:
        return True
    if parcel.ended_at is not None or parcel.delivered_at is not None:
        return False
    return parcel.poll_at is not None or parcel.status in FINAL | NOT_KEPT
