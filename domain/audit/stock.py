"""Stock levels against movements and orders."""

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, select, union_all

from domain.audit.comparison import select_differences, select_rows, total_of
from models import (
    Backorder,
    DeliveryLine,
    MovementKind,
    Order,
    OrderEditUnits,
    OrderLine,
    OrderStatus,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    StockLevel,
    StockMovement,
    TicketDifferenceUnits,
    sent_variant_id,
    waiting_units,
)
from models.sql.types import AnyColumn, AnySelect


def find_wrong_on_hand() -> AnySelect:
    """Stock levels whose units on hand are not the sum of their movements."""
    return select_differences_from_movements(StockLevel.on_hand, StockMovement.on_hand)


def find_wrong_reserved() -> AnySelect:
    """Stock levels whose reserved units are not the sum of their movements."""
    return select_differences_from_movements(StockLevel.reserved, StockMovement.reserved)


def find_wrong_damaged() -> AnySelect:
    """Stock levels whose damaged units are not the sum of their movements."""
    return select_differences_from_movements(StockLevel.damaged, StockMovement.damaged)


def select_differences_from_movements(level: AnyColumn, movement: AnyColumn) -> AnySelect:
    """Stock levels of which a column is not the sum of the movements' column."""
    movements = (
        select(StockMovement.variant_id, StockMovement.warehouse_id, func.sum(movement).label("total"))
        .group_by(StockMovement.variant_id, StockMovement.warehouse_id)
        .subquery()
    )
    same = and_(
        movements.c.variant_id == StockLevel.variant_id, movements.c.warehouse_id == StockLevel.warehouse_id
    )
    return select_differences(
        level_label(StockLevel.variant_id, StockLevel.warehouse_id), expected=total_of(movements), found=level
    ).outerjoin(movements, same)


def find_movements_without_level() -> AnySelect:
    """Movements of a variant in a warehouse that has no stock level of it."""
    same = and_(
        StockLevel.variant_id == StockMovement.variant_id,
        StockLevel.warehouse_id == StockMovement.warehouse_id,
    )
    return (
        select_rows(
            level_label(StockMovement.variant_id, StockMovement.warehouse_id),
            expected=literal("a level"),
            found=literal("none"),
        )
        .outerjoin(StockLevel, same)
        .where(StockLevel.variant_id.is_(None))
        .group_by(StockMovement.variant_id, StockMovement.warehouse_id)
    )


def find_wrong_reservations() -> AnySelect:
    """Stock levels whose reserved units are not those that orders, edits and replacements wait for."""
    sent = (
        select(ShipmentLine.delivery_line_id, func.sum(ShipmentLine.quantity).label("total"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.dispatched_at.is_not(None))
        .where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        .group_by(ShipmentLine.delivery_line_id)
        .subquery()
    )
    waiting = (
        select(
            sent_variant_id().label("variant_id"),
            DeliveryLine.warehouse_id,
            literal(0).label("reserved"),
            (DeliveryLine.quantity - total_of(sent) - waiting_units()).label("ordered"),
        )
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(sent, sent.c.delivery_line_id == DeliveryLine.id)
        .where(DeliveryLine.reserved, Order.status != OrderStatus.CANCELLED)
    )
    for_edits = select(
        OrderEditUnits.variant_id, OrderEditUnits.warehouse_id, literal(0), OrderEditUnits.quantity
    )
    for_tickets = select(
        TicketDifferenceUnits.variant_id,
        TicketDifferenceUnits.warehouse_id,
        literal(0),
        TicketDifferenceUnits.quantity,
    )
    levels = select(StockLevel.variant_id, StockLevel.warehouse_id, StockLevel.reserved, literal(0))
    # A union, since orders may wait where there is no stock level at all.
    both = union_all(waiting, for_edits, for_tickets, levels).subquery()
    ordered, reserved = func.sum(both.c.ordered), func.sum(both.c.reserved)
    return (
        select_rows(level_label(both.c.variant_id, both.c.warehouse_id), expected=ordered, found=reserved)
        .group_by(both.c.variant_id, both.c.warehouse_id)
        .having(ordered != reserved)
    )


def find_wrong_shipped_units() -> AnySelect:
    """Orders of which more or fewer units have left the stock than are in parcels that have left."""
    sent = (
        select(
            Shipment.order_id,
            sent_variant_id().label("variant_id"),
            DeliveryLine.warehouse_id,
            ShipmentLine.quantity.label("sent"),
            literal(0).label("moved"),
        )
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(DeliveryLine, DeliveryLine.id == ShipmentLine.delivery_line_id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .where(Shipment.dispatched_at.is_not(None), DeliveryLine.reserved)
    )
    movements = select(
        StockMovement.order_id,
        StockMovement.variant_id,
        StockMovement.warehouse_id,
        literal(0),
        -StockMovement.on_hand,
    ).where(StockMovement.kind == MovementKind.SHIPPED)
    both = union_all(sent, movements).subquery()
    expected, found = func.sum(both.c.sent), func.sum(both.c.moved)
    order = func.coalesce(Order.number, "no order")
    row = order + literal(", ") + level_label(both.c.variant_id, both.c.warehouse_id)
    return (
        select_rows(row, expected=expected, found=found)
        .select_from(both)
        .outerjoin(Order, Order.id == both.c.order_id)
        .group_by(Order.number, both.c.variant_id, both.c.warehouse_id)
        .having(expected != found)
    )


def find_wrong_backorders() -> AnySelect:
    """Stock levels whose backordered units are not those that wait for them; none wait where any are
    available."""
    waiting = select(
        Backorder.variant_id,
        Backorder.warehouse_id,
        literal(0).label("backordered"),
        Backorder.quantity.label("ordered"),
        literal(0).label("available"),
    )
    levels = select(
        StockLevel.variant_id,
        StockLevel.warehouse_id,
        StockLevel.backordered,
        literal(0),
        StockLevel.available,
    )
    both = union_all(waiting, levels).subquery()
    ordered, backordered = func.sum(both.c.ordered), func.sum(both.c.backordered)
    expected = case((and_(func.sum(both.c.available) > 0, backordered > 0), 0), else_=ordered)
    return (
        select_rows(level_label(both.c.variant_id, both.c.warehouse_id), expected=expected, found=backordered)
        .group_by(both.c.variant_id, both.c.warehouse_id)
        .having(expected != backordered)
    )


def find_wrong_backordered() -> AnySelect:
    """Stock levels whose backordered units are not the sum of their movements."""
    return select_differences_from_movements(StockLevel.backordered, StockMovement.backordered)


def find_excessive_backorders() -> AnySelect:
    """Delivery lines of which more units wait than are not packed, or of which any wait after their order
    has been cancelled."""
    left = case((Order.status == OrderStatus.CANCELLED, 0), else_=DeliveryLine.quantity - DeliveryLine.packed)
    return (
        select_rows(
            literal("delivery line ") + cast(DeliveryLine.id, String), expected=left, found=waiting_units()
        )
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(DeliveryLine.id.in_(select(Backorder.delivery_line_id)), waiting_units() > left)
    )


def level_label(variant_id: AnyColumn, warehouse_id: AnyColumn) -> ColumnElement[str]:
    """What a level is called in a disagreement."""
    variant, warehouse = cast(variant_id, String), cast(warehouse_id, String)
    return literal("variant ") + variant + literal(" in warehouse ") + warehouse
