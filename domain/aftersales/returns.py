"""Returns: goods that came back go into the stock they left."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.states import SETTLED, STATUS_WHEN_ACCEPTED
from domain.aftersales.ticket import ticket_lines_of
from domain.cause import Cause
from domain.stock import Allocation, return_stock
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    Ticket,
    TicketLine,
    TicketStatus,
)


async def restock_return(
    session: AsyncSession, ticket: Ticket, order: Order, *, damaged: bool, cause: Cause
) -> None:
    """Put the returned goods of a ticket into the warehouses they came from, to be sold or as damaged."""
    returned = [
        part
        for line in await ticket_lines_of(session, ticket)
        for part in slice_allocations(
            await find_shipped(session, line.order_line_id),
            skip=await count_returned(session, line.order_line_id, except_ticket_id=ticket.id),
            units=line.quantity,
        )
    ]
    await return_stock(session, returned, damaged=damaged, order_id=order.id, cause=cause)


def slice_allocations(parts: Sequence[Allocation], *, skip: int, units: int) -> list[Allocation]:
    """`units` of allocations to several warehouses, after the first `skip`."""
    found = []
    for part in parts:
        passed = min(skip, part.quantity)
        taken = min(units, part.quantity - passed)
        skip, units = skip - passed, units - taken
        if taken:
            found.append(Allocation(part.variant_id, part.warehouse_id, taken))
    return found


async def find_shipped(session: AsyncSession, order_line_id: int) -> Sequence[Allocation]:
    """What was shipped of an order line and from where, without what is sold without a stock limit."""
    rows = await session.execute(
        select(OrderLine.variant_id, DeliveryLine.warehouse_id, ShipmentLine.quantity)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(DeliveryLine, DeliveryLine.id == ShipmentLine.delivery_line_id)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.order_line_id == order_line_id, DeliveryLine.reserved)
        .where(Shipment.dispatched_at.is_not(None), Delivery.ticket_id.is_(None))
        .order_by(Shipment.id, DeliveryLine.id)
    )
    return [Allocation(*row) for row in rows]


async def count_returned(session: AsyncSession, order_line_id: int, *, except_ticket_id: int) -> int:
    """Units of an order line that other tickets have brought back."""
    found = await session.scalar(
        select(func.sum(TicketLine.quantity))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(TicketLine.order_line_id == order_line_id, Ticket.id != except_ticket_id)
        .where(Ticket.type.in_(STATUS_WHEN_ACCEPTED), Ticket.status.in_(SETTLED | {TicketStatus.RESHIPPING}))
    )
    return int(found or 0)
