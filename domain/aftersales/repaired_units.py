"""Units that were sent in for a repair and go back to their customer, counted by order line."""

from collections import Counter

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    DeliveryLine,
    ReturnInspection,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    Ticket,
    TicketType,
)


async def count_going_back(session: AsyncSession, ticket: Ticket) -> Counter[int]:
    """Units of a repair that are to be sent back, are on their way or have arrived; else none."""
    if ticket.type is not TicketType.REPAIR:
        return Counter()
    ended = case((Shipment.ended_at.is_not(None), ShipmentLine.quantity), else_=0)
    parcels = await session.execute(select_units_back(ticket, func.sum(ended)))
    lines = await session.execute(
        select(DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity))
        .join(ReturnInspection, ReturnInspection.delivery_line_id == DeliveryLine.id)
        .where(ReturnInspection.ticket_id == ticket.id, ReturnInspection.current, ReturnInspection.accepted)
        .group_by(DeliveryLine.order_line_id)
    )
    going = Counter({line_id: int(total) for line_id, total in lines})
    going.subtract({line_id: int(total) for line_id, total in parcels})
    return going


async def is_repair_under_way(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether anything of a repair that goes back has not arrived."""
    going = await count_going_back(session, ticket)
    if not any(going.values()):
        return False
    arrived = case((Shipment.status == ShipmentStatus.DELIVERED, ShipmentLine.quantity), else_=0)
    open_parcels = select_units_back(ticket, func.sum(arrived)).where(Shipment.ended_at.is_(None))
    found = {line_id: int(total) for line_id, total in await session.execute(open_parcels)}
    return any(found.get(line_id, 0) < units for line_id, units in going.items())


def select_units_back(ticket: Ticket, total: ColumnElement[int]) -> Select[int, int]:
    """A sum over what was packed of a repair, by order line; without parcels that were sent once more."""
    return (
        select(DeliveryLine.order_line_id, total)
        .join(ReturnInspection, ReturnInspection.delivery_line_id == DeliveryLine.id)
        .join(ShipmentLine, ShipmentLine.delivery_line_id == DeliveryLine.id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ReturnInspection.ticket_id == ticket.id, ReturnInspection.current, ReturnInspection.accepted)
        .where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        .group_by(DeliveryLine.order_line_id)
    )
