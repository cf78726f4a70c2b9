"""How goods travel back: with a carrier of the shop or another one, under a number of their own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.return_collection import give_up_collection, lock_live_collection
from domain.aftersales.return_parcel import follow_return, is_booked_for_others, leave_return
from domain.aftersales.states import enter_status
from domain.aftersales.texts import TRACKING_LIMIT, clean_text
from domain.aftersales.ticket import lock_ticket
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, Taken, collect_refusals
from domain.events import TicketReturnDelivered, TicketReturnOverdue, TicketReturnShipped
from domain.outbox import record
from models import (
    OWN_COURIERS,
    Carrier,
    CarrierCode,
    ReturnInspection,
    ReturnParcel,
    ReturnTask,
    Shipment,
    Ticket,
    TicketStatus,
)
from models.sql.types import AnySelect

OTHER_CARRIER = "OTHER"
"""What a customer names whose carrier is none of the shop's."""

TRACKING_NUMBER = re.compile(r"[0-9A-Z][0-9A-Z-]{3,39}")


@dataclass(frozen=True, slots=True)
class ReturnWaybill:
    """What a customer says about a parcel on its way back."""

    carrier: str
    """The code or the name of one of the shop's carriers, or OTHER."""
    tracking_number: str
    carrier_name: str = ""
    """Who carries it, where it is none of the shop's."""


@dataclass(frozen=True, slots=True)
class ReturnCarrier:
    """Who carries a return; without a code it is none of the shop's."""

    name: str
    code: CarrierCode | None = None

    carrier: Carrier | None = None

    @classmethod
    def of(cls, carrier: Carrier) -> "ReturnCarrier":
        return cls(carrier.name, carrier.code, carrier)


def select_return_carriers() -> AnySelect:
    """The carriers that a customer can name."""
    return (
        select(Carrier)
        .where(Carrier.archived_at.is_(None), Carrier.code != OWN_COURIERS)
        .order_by(Carrier.position, Carrier.id)
    )


async def ship_return(
    session: AsyncSession,
    ticket_id: int,
    waybill: ReturnWaybill,
    deadlines: Deadlines,
    *,
    decides: bool = False,
    corrections: int | None = None,
    cause: Cause,
) -> Ticket:
    """Record with which carrier and number the goods travel back, and follow them where a carrier of the
    shop's reports on parcels.

    It can be corrected until they are inspected, by a customer at most so often; the time for that counts
    from when it was said first. The staff decide whose a number is that two customers give.
    """
    _, ticket = await lock_ticket(session, ticket_id)
    is_first = ticket.status is not TicketStatus.RETURN_SHIPPED
    if is_first:
        await start_return(session, ticket, deadlines, now=cause.now)
    carriers = (await session.scalars(select_return_carriers())).all()
    with collect_refusals() as check:
        carrier = check.value(find_return_carrier, ReturnCarrier(""), waybill, carriers)
        number = check.value(clean_tracking_number, "", waybill.tracking_number)
    booked = await lock_live_collection(session, ticket)
    if booked is not None and (booked.carrier, booked.number) != (carrier.code, number):
        await give_up_collection(session, ticket, now=cause.now)  # it is sent otherwise
    same = (carrier.code, carrier.name, number) == (
        ticket.return_carrier_code,
        ticket.return_carrier,
        ticket.return_tracking_number,
    )
    if same and not (decides and await is_contested(session, ticket)):
        return ticket
    if not is_first and not same:
        count_correction(ticket, corrections)
    await check_return_number_free(session, ticket, carrier, number)
    if carrier.code is not None and not decides:
        await check_undecided(session, ticket, carrier.code, number)
    ticket.return_carrier_code, ticket.return_carrier = carrier.code, carrier.name
    ticket.return_tracking_number = number
    await follow_number(session, ticket, carrier.carrier, number, deadlines, decides=decides, cause=cause)
    return ticket


def count_correction(ticket: Ticket, limit: int | None) -> None:
    """Count another number for the same goods; LimitReached beyond the limit."""
    if limit is None:
        return
    if ticket.return_corrections >= limit:
        raise LimitReached(
            "The number was corrected {limit} times. Write to us.", limit=limit, field=("tracking_number",)
        )
    ticket.return_corrections += 1


async def follow_number(
    session: AsyncSession,
    ticket: Ticket,
    carrier: Carrier | None,
    number: str,
    deadlines: Deadlines,
    *,
    decides: bool,
    cause: Cause,
) -> None:
    """Follow a locked ticket's goods by their number and record that they are on their way."""
    record(session, TicketReturnShipped(ticket), cause)
    if carrier is None:
        await leave_return(session, ticket, now=cause.now)
        ticket.return_parcel_id = None
        return
    parcel = await follow_return(session, ticket, carrier, number, deadlines, decides=decides, cause=cause)
    if parcel.delivered_at is not None and parcel.contested_at is None:  # it came with another ticket's goods
        record(session, TicketReturnDelivered(ticket), cause)
    if parcel.contested_at is not None:
        record(session, TicketReturnOverdue(ticket, task=ReturnTask.CONTESTED), cause)


async def is_contested(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether another customer has given the number of a ticket's goods, too."""
    contested = select(ReturnParcel.id).where(
        ReturnParcel.id == ticket.return_parcel_id, ReturnParcel.contested_at.is_not(None)
    )
    return await session.scalar(contested) is not None


async def start_return(session: AsyncSession, ticket: Ticket, deadlines: Deadlines, *, now: datetime) -> None:
    """The goods of a locked ticket come: what was found of them before does not hold any more."""
    enter_status(ticket, TicketStatus.RETURN_SHIPPED, deadlines, now=now)
    await drop_inspections(session, ticket)


async def arrive_on_the_way(
    session: AsyncSession, ticket: Ticket, parcel: ReturnParcel, deadlines: Deadlines, *, cause: Cause
) -> None:
    """A carrier has collected the goods of a locked ticket: they are on their way under its number."""
    await start_return(session, ticket, deadlines, now=cause.now)
    carrier = (await session.scalars(select(Carrier).where(Carrier.code == parcel.carrier))).one()
    ticket.return_carrier_code, ticket.return_carrier = carrier.code, carrier.name
    ticket.return_tracking_number = parcel.tracking_number
    record(session, TicketReturnShipped(ticket), cause)


async def drop_inspections(session: AsyncSession, ticket: Ticket) -> None:
    """What comes once more is inspected anew: what was said of it before does not hold any more."""
    await session.execute(
        update(ReturnInspection).where(ReturnInspection.ticket_id == ticket.id).values(current=False)
    )


def find_return_carrier(waybill: ReturnWaybill, carriers: Sequence[Carrier]) -> ReturnCarrier:
    """The carrier that a customer names; Invalid, with those there are, for an unknown one."""
    named = waybill.carrier.strip().casefold()
    for carrier in carriers:
        if named in {carrier.code.casefold(), carrier.name.casefold()}:
            return ReturnCarrier.of(carrier)
    if named == OTHER_CARRIER.casefold():
        in_words = waybill.carrier_name.strip().casefold()
        for carrier in carriers:  # in words it is the same carrier, with the same numbers
            if in_words in {carrier.code.casefold(), carrier.name.casefold()}:
                return ReturnCarrier.of(carrier)
        return ReturnCarrier(clean_text(waybill.carrier_name, limit=TRACKING_LIMIT, field="carrier_name"))
    known = ", ".join([*(carrier.code for carrier in carriers), OTHER_CARRIER])
    raise Invalid("This carrier is not known. Name one of: {carriers}.", carriers=known, field=("carrier",))


def clean_tracking_number(text: str) -> str:
    """A number in capitals and without blanks; Invalid for what no carrier would give."""
    number = "".join(text.split()).upper()
    if not TRACKING_NUMBER.fullmatch(number):
        template = "A tracking number has 4 to 40 letters, digits and hyphens."
        raise Invalid(template, field=("tracking_number",))
    return number


async def check_return_number_free(
    session: AsyncSession, ticket: Ticket, carrier: ReturnCarrier, number: str
) -> None:
    """Taken for a number of a parcel that the shop has sent, or of another customer's return with a carrier
    that is none of the shop's.

    A customer may send the goods of several tickets in one parcel. With the shop's carriers nobody is refused
    because somebody else has been quicker: the staff say whose the number is.
    """
    path = ("tracking_number",)
    if carrier.code is not None:
        sent = select(Shipment.id).where(Shipment.carrier == carrier.code, Shipment.tracking_number == number)
        if await session.scalar(sent.limit(1)) is not None:
            raise Taken("This is the number of a parcel that the shop has sent.", field=path)
        if await is_booked_for_others(session, ticket, carrier.code, number):
            raise Taken("This number belongs to another parcel.", field=path)
        if await has_come_before(session, ticket, carrier.code, number):
            template = "Something came back under this number before this ticket was opened."
            raise Taken(template, field=path)
        return
    other = select(Ticket.id).where(
        Ticket.return_tracking_number == number,
        func.lower(Ticket.return_carrier) == carrier.name.lower(),
        Ticket.account_id != ticket.account_id,
    )
    if await session.scalar(other.limit(1)) is not None:
        raise Taken("This number belongs to another return.", field=path)


async def check_undecided(session: AsyncSession, ticket: Ticket, carrier: CarrierCode, number: str) -> None:
    """Taken where it was said whose a number is that several customers gave: it is not contested again."""
    followed, given_up = aliased(ReturnParcel), aliased(ReturnParcel)
    decided = (
        select(followed.id)
        .join(
            given_up,
            and_(given_up.carrier == followed.carrier, given_up.tracking_number == followed.tracking_number),
        )
        .where(
            followed.carrier == carrier,
            followed.tracking_number == number,
            followed.account_id != ticket.account_id,
            followed.ended_at.is_(None),
            followed.contested_at.is_(None),
            given_up.contested_at.is_not(None),
            given_up.ended_at.is_not(None),
        )
    )
    if await session.scalar(decided.limit(1)) is not None:
        raise Taken("This number belongs to another return.", field=("tracking_number",))


async def has_come_before(session: AsyncSession, ticket: Ticket, carrier: CarrierCode, number: str) -> bool:
    """Whether the customer of a ticket has sent something under a number that a carrier had before the ticket
    was opened, and that has come or is not waited for any more."""
    came = select(ReturnParcel.id).where(
        ReturnParcel.account_id == ticket.account_id,
        ReturnParcel.carrier == carrier,
        ReturnParcel.tracking_number == number,
        ReturnParcel.taken_at < ticket.opened_at,
        or_(ReturnParcel.delivered_at < ticket.opened_at, ReturnParcel.ended_at.is_not(None)),
    )
    return await session.scalar(came.limit(1)) is not None
