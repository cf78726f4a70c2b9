"""Stock levels against movements and orders."""

from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, literal, select, union_all

from domain.audit.comparing import differing, total_of, wrong_rows
from models import (
    DeliveryLine,
    Order,
    OrderLine,
    OrderStatus,
    Shipment,
    ShipmentLine,
    StockLevel,
    StockMovement,
)


def wrong_on_hand() -> Select[Any]:
    """What a warehouse has is the sum of its movements."""
    return against_movements(StockLevel.on_hand, StockMovement.on_hand)


def wrong_reserved() -> Select[Any]:
    """What a warehouse has set aside is the sum of its movements."""
    return against_movements(StockLevel.reserved, StockMovement.reserved)


def wrong_damaged() -> Select[Any]:
    """What a warehouse has damaged is the sum of its movements."""
    return against_movements(StockLevel.damaged, StockMovement.damaged)


def against_movements(kept: Any, moved: Any) -> Select[Any]:
    movements = (
        select(StockMovement.variant_id, StockMovement.warehouse_id, func.sum(moved).label("total"))
        .group_by(StockMovement.variant_id, StockMovement.warehouse_id)
        .subquery()
    )
    same = and_(
        movements.c.variant_id == StockLevel.variant_id, movements.c.warehouse_id == StockLevel.warehouse_id
    )
    return differing(place(StockLevel), expected=total_of(movements), found=kept).outerjoin(movements, same)


def moved_nowhere() -> Select[Any]:
    """Where goods moved, there is a level."""
    same = and_(
        StockLevel.variant_id == StockMovement.variant_id,
        StockLevel.warehouse_id == StockMovement.warehouse_id,
    )
    return (
        wrong_rows(place(StockMovement), expected=literal("a level"), found=literal("none"))
        .outerjoin(StockLevel, same)
        .where(StockLevel.variant_id.is_(None))
        .group_by(StockMovement.variant_id, StockMovement.warehouse_id)
    )


def wrongly_reserved() -> Select[Any]:
    """What is set aside is what orders wait for."""
    sent = (
        select(ShipmentLine.delivery_line_id, func.sum(ShipmentLine.quantity).label("total"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.dispatched_at.is_not(None))
        .group_by(ShipmentLine.delivery_line_id)
        .subquery()
    )
    waiting = (
        select(
            OrderLine.variant_id,
            DeliveryLine.warehouse_id,
            literal(0).label("kept"),
            (DeliveryLine.quantity - total_of(sent)).label("ordered"),
        )
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(sent, sent.c.delivery_line_id == DeliveryLine.id)
        .where(DeliveryLine.reserved, Order.status != OrderStatus.CANCELLED)
    )
    kept = select(StockLevel.variant_id, StockLevel.warehouse_id, StockLevel.reserved, literal(0))
    # Both on one pile: orders may wait where there is no level at all.
    both = union_all(waiting, kept).subquery()
    ordered, aside = func.sum(both.c.ordered), func.sum(both.c.kept)
    return (
        wrong_rows(place(both.c), expected=ordered, found=aside)
        .group_by(both.c.variant_id, both.c.warehouse_id)
        .having(ordered != aside)
    )


def place(of: Any) -> ColumnElement[str]:
    """A level as a person reads it."""
    variant, warehouse = cast(of.variant_id, String), cast(of.warehouse_id, String)
    return literal("variant ") + variant + literal(" in warehouse ") + warehouse
