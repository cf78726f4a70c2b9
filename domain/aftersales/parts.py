"""Parting a ticket: units that another end is decided for go on as a ticket of their own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.sent_units import load_sent_units, reduction_of, units_of_ticket
from domain.aftersales.ticket import copy_ticket, ticket_lines_of
from domain.promotion.engine import refund_share
from models import (
    DeliveryLine,
    Order,
    ReturnInspection,
    Ticket,
    TicketLine,
    TicketMedia,
    TicketStatus,
    TicketUnits,
)

PartedUnits = Mapping[int, int]
"""Units by the id of the inspection that says how they came back."""


@dataclass(frozen=True, slots=True)
class PartingLine:
    """A line of a ticket of which some units stay and the others go, and what those bring that stay."""

    line: TicketLine
    leaving: int
    kept_amount: int


async def part_ticket(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    parted: PartedUnits,
    to: TicketStatus,
    *,
    number: str,
) -> Ticket:
    """Move inspected units of a locked ticket to a new one in the status `to`; some always stay.

    What they bring back goes along; to the cent, both together bring what they did.
    """
    inspections = await current_inspections_of(session, ticket)
    leaving = Counter[int]()
    for each in inspections:
        leaving[each.order_line_id] += parted.get(each.id, 0)
    lines = await plan_lines(session, ticket, order, leaving)
    part = copy_ticket(ticket, to, number=number)
    part.part_of_id, part.return_parcel_id = ticket.id, ticket.return_parcel_id
    part.return_carrier_code, part.return_carrier = ticket.return_carrier_code, ticket.return_carrier
    part.return_tracking_number = ticket.return_tracking_number
    session.add(part)
    await session.flush()
    await move_units(session, ticket, part, leaving)
    await move_lines(session, ticket, part, lines)
    move_inspections(session, inspections, parted, part)
    media = await session.scalars(select(TicketMedia.media_id).where(TicketMedia.ticket_id == ticket.id))
    session.add_all(TicketMedia(ticket_id=part.id, media_id=media_id) for media_id in media.all())
    await session.flush()
    return part


async def current_inspections_of(session: AsyncSession, ticket: Ticket) -> Sequence[ReturnInspection]:
    """How the units of a ticket came back the last time; none where nobody has inspected any."""
    rows = await session.scalars(
        select(ReturnInspection)
        .where(ReturnInspection.ticket_id == ticket.id, ReturnInspection.current)
        .order_by(ReturnInspection.id)
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def plan_lines(
    session: AsyncSession, ticket: Ticket, order: Order, leaving: Mapping[int, int]
) -> list[PartingLine]:
    picked = units_of_ticket(await load_sent_units(session, order), ticket.id)
    planned = []
    for line in await ticket_lines_of(session, ticket):
        of_line = [(each, units) for each, units in picked if each.order_line_id == line.order_line_id]
        kept = line.quantity - leaving.get(line.order_line_id, 0)
        whole = line.refund_amount + reduction_of(of_line)
        amount = refund_share(whole, line.quantity, 0, kept) - reduction_of(of_line, kept)
        amount = min(max(0, amount), line.refund_amount) if kept < line.quantity else line.refund_amount
        planned.append(PartingLine(line, line.quantity - kept, amount))
    return planned


async def move_units(session: AsyncSession, ticket: Ticket, part: Ticket, leaving: Mapping[int, int]) -> None:
    """Move the noted units by their parcels, those that were taken last first."""
    sent = await load_noted_units(session, ticket)
    left = dict(leaving)
    for row, order_line_id in reversed(sent):
        taken = min(row.quantity, left.get(order_line_id, 0))
        if not taken:
            continue
        left[order_line_id] -= taken
        session.add(
            TicketUnits(
                ticket_id=part.id,
                shipment_id=row.shipment_id,
                delivery_line_id=row.delivery_line_id,
                quantity=taken,
            )
        )
        if taken == row.quantity:
            await session.delete(row)
        else:
            row.quantity -= taken


async def load_noted_units(session: AsyncSession, ticket: Ticket) -> Sequence[tuple[TicketUnits, int]]:
    """The units of a ticket as they are noted by parcel, each with the id of its order line."""
    rows = await session.execute(
        select(TicketUnits, DeliveryLine.order_line_id)
        .join(DeliveryLine, DeliveryLine.id == TicketUnits.delivery_line_id)
        .where(TicketUnits.ticket_id == ticket.id)
        .order_by(TicketUnits.shipment_id, TicketUnits.delivery_line_id)
        .execution_options(populate_existing=True)
    )
    return [(units, order_line_id) for units, order_line_id in rows]


async def move_lines(
    session: AsyncSession, ticket: Ticket, part: Ticket, lines: Sequence[PartingLine]
) -> None:
    for each in lines:
        line = each.line
        if not each.leaving:
            continue
        amount = line.refund_amount - each.kept_amount
        session.add(
            TicketLine(
                ticket_id=part.id,
                order_line_id=line.order_line_id,
                quantity=each.leaving,
                currency=line.currency,
                refund_amount=amount,
                substitute_variant_id=line.substitute_variant_id,
                substitute_reduction_amount=line.substitute_reduction_amount,
            )
        )
        part.refund_amount += amount
        if each.leaving == line.quantity:
            await session.delete(line)
        else:
            line.quantity -= each.leaving
            line.refund_amount = each.kept_amount
    ticket.refund_amount = sum(each.kept_amount for each in lines)
    part.bonus_amount = share_bonus(ticket, part)
    ticket.bonus_amount -= part.bonus_amount


def share_bonus(ticket: Ticket, part: Ticket) -> int:
    """What of the bonus that is promised to a ticket goes along with what leaves it, in minor units."""
    whole = ticket.refund_amount + part.refund_amount
    return ticket.bonus_amount * part.refund_amount // whole if whole else 0


def move_inspections(
    session: AsyncSession, inspections: Sequence[ReturnInspection], parted: PartedUnits, part: Ticket
) -> None:
    """Give the part what was said of its units; of a row that stays in part, it gets one of its own.

    What sends them back stays with the row: units that leave it are not sent, and those that got lost leave.
    """
    for each in inspections:
        units = parted.get(each.id, 0)
        if units == each.quantity:
            each.ticket_id = part.id
        elif units:
            lost = min(units, each.lost)
            each.quantity -= units
            each.lost -= lost
            session.add(
                ReturnInspection(
                    ticket_id=part.id,
                    order_line_id=each.order_line_id,
                    condition=each.condition,
                    quantity=units,
                    accepted=each.accepted,
                    customers_fault=each.customers_fault,
                    note=each.note,
                    inspected_by_id=each.inspected_by_id,
                    inspected_at=each.inspected_at,
                    current=True,
                    lost=lost,
                )
            )
