"""How goods travel back: with a carrier of the shop or another one, under a number of their own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.states import enter_status
from domain.aftersales.texts import TRACKING_LIMIT, clean_text
from domain.aftersales.ticket import lock_ticket
from domain.cause import Cause
from domain.errors import Invalid, Taken, collect_refusals
from domain.events import TicketReturnShipped
from domain.outbox import record
from models import OWN_COURIERS, Carrier, CarrierCode, ReturnInspection, Shipment, Ticket, TicketStatus
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

    @classmethod
    def of(cls, carrier: Carrier) -> "ReturnCarrier":
        return cls(carrier.name, carrier.code)


def select_return_carriers() -> AnySelect:
    """The carriers that a customer can name."""
    return (
        select(Carrier)
        .where(Carrier.archived_at.is_(None), Carrier.code != OWN_COURIERS)
        .order_by(Carrier.position, Carrier.id)
    )


async def ship_return(
    session: AsyncSession, ticket_id: int, waybill: ReturnWaybill, deadlines: Deadlines, *, cause: Cause
) -> Ticket:
    """Record with which carrier and number the goods travel back.

    It can be corrected until they are inspected; the time for that counts from when it was said first.
    """
    _, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.RETURN_SHIPPED:
        enter_status(ticket, TicketStatus.RETURN_SHIPPED, deadlines, now=cause.now)
        await drop_inspections(session, ticket)
    carriers = (await session.scalars(select_return_carriers())).all()
    with collect_refusals() as check:
        carrier = check.value(find_return_carrier, ReturnCarrier(""), waybill, carriers)
        number = check.value(clean_tracking_number, "", waybill.tracking_number)
    if (carrier.code, carrier.name, number) == (
        ticket.return_carrier_code,
        ticket.return_carrier,
        ticket.return_tracking_number,
    ):
        return ticket
    await check_return_number_free(session, ticket, carrier, number)
    ticket.return_carrier_code, ticket.return_carrier = carrier.code, carrier.name
    ticket.return_tracking_number = number
    record(session, TicketReturnShipped(ticket), cause)
    return ticket


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
    """Taken for a number of a parcel that the shop has sent, or of another customer's return.

    A customer may send the goods of several tickets in one parcel.
    """
    path = ("tracking_number",)
    if carrier.code is not None:
        sent = select(Shipment.id).where(Shipment.carrier == carrier.code, Shipment.tracking_number == number)
        if await session.scalar(sent.limit(1)) is not None:
            raise Taken("This is the number of a parcel that the shop has sent.", field=path)
    other = select(Ticket.id).where(
        Ticket.return_tracking_number == number,
        func.lower(Ticket.return_carrier) == carrier.name.lower(),
        Ticket.account_id != ticket.account_id,
    )
    if await session.scalar(other.limit(1)) is not None:
        raise Taken("This number belongs to another return.", field=path)
