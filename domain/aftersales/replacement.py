"""Replacements: the goods of a ticket sent again, as a delivery of their own."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import OutOfStock
from domain.order.allocation import AllocatedUnits, AvailableStock, DeliveryPlace, allocate_units
from domain.stock import Allocation, LineAllocation, levels_by_variant, reserve_line_units
from models import (
    POSTAL_FIELDS,
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    Ticket,
    TicketLine,
    Variant,
    Warehouse,
)

Destination = tuple[Delivery, dict[int, int]]
"""A delivery that was made, and the units by order line that go there again."""


async def find_replaced_ticket(session: AsyncSession, shipment_id: int) -> int | None:
    """The id of the ticket that a shipment is a replacement for; None for the goods of an order."""
    return await session.scalar(
        select(Delivery.ticket_id)
        .join(Shipment, Shipment.delivery_id == Delivery.id)
        .where(Shipment.id == shipment_id)
    )


async def create_replacement(session: AsyncSession, ticket: Ticket, order: Order, *, cause: Cause) -> None:
    """Reserve the goods of a ticket once more and add deliveries of them, to where they went.

    Units of which more can be sold than there are wait for stock. Raises OutOfStock.
    """
    destinations = await find_destinations(session, ticket)
    lines = {line.id: line for line in await find_ticket_order_lines(session, ticket)}
    stock = await find_available_stock(session, lines, destinations.values())
    warehouses = list(
        await session.scalars(
            select(Warehouse).where(Warehouse.active).order_by(Warehouse.position, Warehouse.id)
        )
    )
    places = [(DeliveryPlace.of(delivery), quantities) for delivery, quantities in destinations.values()]
    parts = allocate_units(places, stock, warehouses)
    first = 1 + (await session.scalar(select_last_position(order)) or 0)
    added: list[tuple[DeliveryLine, AllocatedUnits]] = []
    for index, (original, _) in enumerate(destinations.values()):
        replacement = build_replacement(original, ticket, position=first + index)
        session.add(replacement)
        await session.flush()
        delivery_lines = [
            DeliveryLine(
                delivery_id=replacement.id,
                order_line_id=part.line,
                warehouse_id=part.warehouse_id,
                quantity=part.quantity,
                packed=0,
                reserved=part.line not in stock.unlimited,
            )
            for part in parts
            if part.delivery == index
        ]
        session.add_all(delivery_lines)
        added += zip(delivery_lines, (part for part in parts if part.delivery == index), strict=True)
    await session.flush()
    counted = [
        LineAllocation(
            delivery_line.id,
            Allocation(lines[part.line].variant_id, part.warehouse_id, part.quantity),
            part.backordered,
        )
        for delivery_line, part in added
        if delivery_line.reserved
    ]
    await reserve_line_units(session, counted, order_id=order.id, cause=cause)


async def find_destinations(session: AsyncSession, ticket: Ticket) -> Mapping[int, Destination]:
    """Where the lines of a ticket go, by the delivery: each to the first address it went to."""
    rows = await session.execute(
        select(Delivery, TicketLine)
        .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
        .join(TicketLine, TicketLine.order_line_id == DeliveryLine.order_line_id)
        .where(TicketLine.ticket_id == ticket.id, Delivery.ticket_id.is_(None), DeliveryLine.packed > 0)
        .order_by(Delivery.position, TicketLine.order_line_id)
    )
    found: dict[int, Destination] = {}
    placed = set()
    for delivery, line in rows:
        if line.order_line_id not in placed:
            placed.add(line.order_line_id)
            found.setdefault(delivery.id, (delivery, {}))[1][line.order_line_id] = line.quantity
    return found


async def find_ticket_order_lines(session: AsyncSession, ticket: Ticket) -> Sequence[OrderLine]:
    rows = await session.scalars(
        select(OrderLine)
        .join(TicketLine, TicketLine.order_line_id == OrderLine.id)
        .where(TicketLine.ticket_id == ticket.id)
        .order_by(OrderLine.position)
    )
    return rows.all()


async def find_available_stock(
    session: AsyncSession, lines: Mapping[int, OrderLine], destinations: Iterable[Destination]
) -> AvailableStock:
    """What is available of these lines and where; OutOfStock when it is not enough."""
    variants = {line.variant_id for line in lines.values()}
    rows = await session.scalars(select(Variant).where(Variant.id.in_(variants)))
    variants_by_id = {variant.id: variant for variant in rows}
    found = await levels_by_variant(session, variants, active=True)
    left = {
        (line.id, level.warehouse_id): level.available
        for line in lines.values()
        for level in found.get(line.variant_id, [])
    }
    for line_id, quantity in (each for _, quantities in destinations for each in quantities.items()):
        line = lines[line_id]
        available = sum(level.available for level in found.get(line.variant_id, []))
        if variants_by_id[line.variant_id].can_sell_out and available < quantity:
            raise OutOfStock(line.title, left=available, field=())
    return AvailableStock(
        left,
        unlimited=frozenset(
            line.id for line in lines.values() if not variants_by_id[line.variant_id].tracked
        ),
        backordered=frozenset(
            line.id for line in lines.values() if variants_by_id[line.variant_id].is_backordered_when_out
        ),
    )


def build_replacement(original: Delivery, ticket: Ticket, *, position: int) -> Delivery:
    return Delivery(
        order_id=original.order_id,
        ticket_id=ticket.id,
        position=position,
        method=original.method,
        currency=original.currency,
        fee_amount=0,
        **{name: getattr(original, name) for name in POSTAL_FIELDS},
    )


def select_last_position(order: Order) -> Select[int]:
    return select(func.max(Delivery.position)).where(Delivery.order_id == order.id)


async def has_replacement_arrived(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether every unit of a ticket's replacement has been delivered."""
    sent = await session.scalar(
        select(func.sum(DeliveryLine.quantity))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id == ticket.id)
    )
    arrived = await session.scalar(
        select(func.sum(ShipmentLine.quantity))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Delivery.ticket_id == ticket.id, Shipment.status == ShipmentStatus.DELIVERED)
    )
    return sent is not None and arrived == sent
