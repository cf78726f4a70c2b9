"""What needs no shipping: it is delivered when the order is paid, without a parcel that anybody sees."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import lock_order, settle_order
from domain.shipment.fulfilment import refresh_fulfilment, set_receipt_due
from domain.stock import Allocation, ship_stock
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    OrderStatus,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    ShippingMethod,
    waiting_units,
)
from models.sql.types import AnySelect

ReadyUnits = tuple[Delivery, DeliveryLine, OrderLine, int]
"""Units of a delivery line that can be delivered."""


async def deliver_unshipped(
    session: AsyncSession, order_id: int, *, cause: Cause, receipt_after: timedelta
) -> Sequence[int]:
    """Deliver what of a confirmed order needs no shipping and is there; ids of the tickets it was for.

    Nothing happens while the order is held or not paid, and what was delivered stays so: it may be called
    after everything that may have been the last condition.
    """
    if not (await session.execute(select_ready_units(order_id).limit(1))).first():
        return []
    order = await lock_order(session, order_id)
    if order.status is not OrderStatus.CONFIRMED or order.held_at is not None:
        return []
    rows = await session.execute(select_ready_units(order_id))
    ready = [(delivery, delivery_line, line, int(units)) for delivery, delivery_line, line, units in rows]
    tickets = []
    for _, group in groupby(ready, key=lambda each: (each[0].id, each[1].warehouse_id)):
        parts = list(group)
        await deliver_units(session, order, parts, cause=cause)
        if (ticket_id := parts[0][0].ticket_id) is not None:
            tickets.append(ticket_id)
    await refresh_fulfilment(session, order, cause=cause)
    set_receipt_due(order, receipt_after=receipt_after)
    await settle_order(session, order, cause=cause)
    return tickets


def select_ready_units(order_id: int) -> AnySelect:
    """The lines of an order that need no shipping, with the units that are there and not delivered yet."""
    units = DeliveryLine.quantity - DeliveryLine.packed - waiting_units()
    return (
        select(Delivery, DeliveryLine, OrderLine, units)
        .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(Delivery.order_id == order_id, Delivery.method == ShippingMethod.NONE, units > 0)
        .order_by(Delivery.id, DeliveryLine.warehouse_id, DeliveryLine.id)
        .execution_options(populate_existing=True)
    )


async def deliver_units(
    session: AsyncSession, order: Order, parts: Sequence[ReadyUnits], *, cause: Cause
) -> None:
    """Take units of one delivery and warehouse out of the stock, as a shipment that arrives at once."""
    delivery, first, _, _ = parts[0]
    counted = [
        Allocation(delivery_line.variant_id or line.variant_id, delivery_line.warehouse_id, units)
        for _, delivery_line, line, units in parts
        if delivery_line.reserved
    ]
    await ship_stock(session, counted, order_id=order.id, cause=cause)
    before = await session.scalar(select(func.count(Shipment.id)).where(Shipment.delivery_id == delivery.id))
    shipment = Shipment(
        number=f"{order.number}-{delivery.position}-{(before or 0) + 1}",
        order_id=order.id,
        delivery_id=delivery.id,
        warehouse_id=first.warehouse_id,
        status=ShipmentStatus.DELIVERED,
        weight_grams=0,
        version=0,
        packed_at=cause.now,
        packed_by_id=cause.by,
        dispatched_at=cause.now,
        delivered_at=cause.now,
        last_event_at=cause.now,
        cash_amount=0,
    )
    session.add(shipment)
    await session.flush()
    for _, delivery_line, line, units in parts:
        delivery_line.packed += units
        session.add(
            ShipmentLine(
                shipment_id=shipment.id,
                delivery_line_id=delivery_line.id,
                order_line_id=line.id,
                quantity=units,
            )
        )
    await session.flush()
