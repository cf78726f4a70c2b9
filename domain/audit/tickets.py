"""Tickets against the parcels they are about, and the replacements that cost less."""

from sqlalchemy import String, and_, cast, func, literal, select

from domain.audit.comparison import select_differences, select_rows, sum_by, total_of
from models import DeliveryLine, Order, OrderLine, Payment, Ticket, TicketLine, TicketUnits
from models.sql.types import AnySelect


def find_wrong_ticket_units() -> AnySelect:
    """Lines of tickets that are about other units than those noted by parcel.

    Units that were never sent, and those of releases up to 0.2.0, are not noted.
    """
    noted = (
        select(
            TicketUnits.ticket_id, DeliveryLine.order_line_id, func.sum(TicketUnits.quantity).label("total")
        )
        .join(DeliveryLine, DeliveryLine.id == TicketUnits.delivery_line_id)
        .group_by(TicketUnits.ticket_id, DeliveryLine.order_line_id)
        .subquery()
    )
    same_line = and_(
        noted.c.ticket_id == TicketLine.ticket_id, noted.c.order_line_id == TicketLine.order_line_id
    )
    return (
        select_differences(Ticket.number, expected=TicketLine.quantity, found=total_of(noted))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .join(noted, same_line)
    )


def find_wrong_ticket_lines() -> AnySelect:
    """Tickets whose lines bring back more than they do: what lines do not, is for the fee.

    Units that were cancelled may not have been paid: what they cost came off the order then.
    """
    lines = sum_by(TicketLine.ticket_id, TicketLine.refund_amount, TicketLine.cancelled.is_(False))
    return (
        select_rows(Ticket.number, expected=Ticket.refund_amount, found=lines.c.total)
        .join(lines, lines.c.ticket_id == Ticket.id)
        .where(lines.c.total > Ticket.refund_amount)
    )


def find_wrong_reductions() -> AnySelect:
    """Deliveries whose units cost less than was refunded for that, on orders of which anything is left to be
    refunded: a refund is never more than that."""
    refunded = sum_by(TicketLine.order_line_id, TicketLine.difference_amount)
    left = sum_by(
        Payment.order_id, Payment.captured_amount - Payment.refunded_amount - Payment.disputed_amount
    )
    total = func.sum(DeliveryLine.reduction_amount * DeliveryLine.quantity)
    reduced = (
        select(DeliveryLine.delivery_id, DeliveryLine.order_line_id, total.label("total"))
        .group_by(DeliveryLine.delivery_id, DeliveryLine.order_line_id)
        .having(total != 0)
        .subquery()
    )
    row = Order.number + literal(" line ") + cast(OrderLine.position, String)
    return (
        select_rows(row, expected=total_of(refunded), found=reduced.c.total)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(reduced, reduced.c.order_line_id == OrderLine.id)
        .outerjoin(refunded, refunded.c.order_line_id == OrderLine.id)
        .outerjoin(left, left.c.order_id == Order.id)
        .where(reduced.c.total > total_of(refunded), total_of(left) > 0)
    )
