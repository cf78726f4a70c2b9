"""Orders that have ended against what is open of them, and the cash of parcels against that of orders."""

from functools import partial

from sqlalchemy import ColumnElement, and_, literal, or_, select

from domain.audit.comparison import select_rows, sum_by, total_of
from domain.order.open_parts import OPEN_PARTS
from domain.order.states import OPEN_TICKETS
from models import (
    OFFLINE_METHODS,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Shipment,
    StockMovement,
    Ticket,
    TicketStatus,
)
from models.sql.types import AnySelect

RECEIVED_OR_REFUNDED = (OrderStatus.COMPLETED, OrderStatus.CLOSED)
ENDED = (*RECEIVED_OR_REFUNDED, OrderStatus.CANCELLED)

WAITING_TICKETS = OPEN_TICKETS - {TicketStatus.REFUNDING, TicketStatus.REFUND_FAILED}


def find_open_parts(part: str) -> AnySelect:
    """Orders that have ended while something of them is open.

    Of a cancelled order refunds may be on their way, its lines stay as they were, and no payment is expected.
    """
    is_open = OPEN_PARTS[part]()
    ended: ColumnElement[bool] = Order.status.in_(RECEIVED_OR_REFUNDED)
    if part == "a parcel under way":
        ended = Order.status.in_(ENDED)
    if part == "a ticket":
        waits = select(Ticket.id).where(Ticket.order_id == Order.id, Ticket.status.in_(WAITING_TICKETS))
        ended = or_(ended, and_(Order.status == OrderStatus.CANCELLED, waits.exists()))
    return select_rows(Order.number, expected=literal("nothing"), found=literal(part)).where(ended, is_open)


find_open_tickets = partial(find_open_parts, "a ticket")
find_units_to_pack = partial(find_open_parts, "units to pack")
find_parcels_under_way = partial(find_open_parts, "a parcel under way")
find_open_refunds = partial(find_open_parts, "a refund")
find_money_due = partial(find_open_parts, "money due")


def find_reserved_stock() -> AnySelect:
    """Orders that have ended with units still reserved for them."""
    reserved = sum_by(StockMovement.order_id, StockMovement.reserved, StockMovement.order_id.is_not(None))
    return (
        select_rows(Order.number, expected=literal(0), found=reserved.c.total)
        .join(reserved, reserved.c.order_id == Order.id)
        .where(Order.status.in_(ENDED), reserved.c.total != 0)
    )


def find_wrong_cash() -> AnySelect:
    """Orders of which more or less cash was collected for parcels than posted, or is to be than is due.

    Orders of former versions of the shop, which fixed no cash for a parcel, are left out.
    """
    is_cash = Payment.method.in_(OFFLINE_METHODS)
    captured = sum_by(Payment.order_id, Payment.captured_amount, is_cash)
    due = sum_by(
        Payment.order_id,
        Payment.amount - Payment.captured_amount,
        is_cash,
        Payment.status == PaymentStatus.PENDING,
    )
    collected = sum_by(Shipment.order_id, Shipment.cash_amount, Shipment.cash_collected_at.is_not(None))
    under_way = sum_by(
        Shipment.order_id,
        Shipment.cash_amount,
        Shipment.cash_collected_at.is_(None),
        Shipment.ended_at.is_(None),
    )
    fixed = select(Shipment.id).where(Shipment.order_id == Order.id, Shipment.cash_amount.is_not(None))
    wrong = or_(total_of(collected) != total_of(captured), total_of(under_way) > total_of(due))
    statement = select_rows(
        Order.number,
        expected=total_of(captured) + total_of(due),
        found=total_of(collected) + total_of(under_way),
    )
    for sums in (captured, due, collected, under_way):
        statement = statement.outerjoin(sums, sums.c.order_id == Order.id)
    return statement.where(fixed.exists(), wrong)
