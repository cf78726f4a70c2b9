"""Returns against the stock they go into."""

from sqlalchemy import ColumnElement, case, exists, func, literal, or_, select, union_all

from domain.aftersales.states import AGREED, STATUS_WHEN_ACCEPTED
from domain.audit.comparison import select_rows
from models import (
    Delivery,
    DeliveryLine,
    MovementKind,
    Order,
    ReturnCondition,
    ReturnInspection,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    StockMovement,
    Ticket,
    TicketLine,
    TicketType,
)
from models.sql.types import AnySelect

OF_STOCK = (ReturnCondition.AS_NEW, ReturnCondition.DAMAGED, ReturnCondition.INCOMPLETE)
"""What goes into the stock when it is accepted."""

NONE = literal(0)


def find_unbooked_returns() -> AnySelect:
    """Orders of which more or fewer units came into the stock from customers than were accepted.

    Of what was refused, sent back and accepted at last, those are missing that got lost on their way. What a
    former release has accepted, or silence, is not in the inspections: it may be in the stock. Of what was
    sent in for a repair only what is kept comes into the stock.
    """
    is_repair = Ticket.type == TicketType.REPAIR
    booked_units = case((is_repair, ReturnInspection.kept), else_=ReturnInspection.quantity)
    accepted = (
        select(Ticket.order_id, booked_units.label("least"), booked_units)
        .add_columns(NONE.label("found"))
        .join(Ticket, Ticket.id == ReturnInspection.ticket_id)
        .where(ReturnInspection.accepted, ReturnInspection.condition.in_(OF_STOCK))
    )
    has_accepted = exists().where(ReturnInspection.ticket_id == Ticket.id, ReturnInspection.accepted)
    unseen = (
        select(Ticket.order_id, NONE, TicketLine.quantity, NONE)
        .join(TicketLine, TicketLine.ticket_id == Ticket.id)
        .where(Ticket.type.in_(STATUS_WHEN_ACCEPTED), Ticket.status.in_(AGREED), ~has_accepted, ~is_repair)
    )
    is_back = Shipment.status == ShipmentStatus.RETURNED
    booked = ShipmentLine.restocked + ShipmentLine.damaged
    lost = (
        select(Shipment.order_id, case((is_back, booked), else_=0) - ShipmentLine.quantity, NONE, NONE)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .join(Ticket, Ticket.id == Delivery.ticket_id)
        .where(Delivery.sends_back, Shipment.ended_at.is_not(None), ~is_repair)
        .where(Shipment.ending != ShipmentEnding.SENT_AGAIN)
    )
    moved = select(StockMovement.order_id, NONE, NONE, StockMovement.on_hand + StockMovement.damaged).where(
        StockMovement.kind == MovementKind.RETURNED, StockMovement.order_id.is_not(None)
    )
    undelivered = (
        select(Shipment.order_id, NONE, NONE, -booked)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(~Delivery.sends_back)
    )
    both = union_all(accepted, unseen, lost, moved, undelivered).subquery()
    least, most, found = (func.sum(column) for column in list(both.c)[1:])
    return (
        select_rows(Order.number, expected=least, found=found)
        .join(both, both.c.order_id == Order.id)
        .where(~has_unlimited_units())
        .group_by(Order.number)
        .having(or_(found < least, found > most))
    )


def has_unlimited_units() -> ColumnElement[bool]:
    """Whether something of an order was sent that is sold without a stock limit: it comes into no stock."""
    return exists().where(
        Delivery.order_id == Order.id,
        DeliveryLine.delivery_id == Delivery.id,
        ~Delivery.sends_back,
        ~DeliveryLine.reserved,
    )
