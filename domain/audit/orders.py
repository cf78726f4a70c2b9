"""Orders against what they consist of."""

from typing import Any

from sqlalchemy import Select, String, Subquery, case, cast, func, select

from domain.aftersales.states import SETTLED
from domain.audit.comparing import differing, summed, total_of, wrong_rows
from models import (
    Delivery,
    DeliveryLine,
    Event,
    Order,
    OrderLine,
    Payment,
    Refund,
    Subject,
    Ticket,
    TicketLine,
    TicketReason,
    TicketType,
)


def wrong_goods() -> Select[Any]:
    """An order's goods are its lines."""
    return summing(Order.goods_amount, summed(OrderLine.order_id, OrderLine.unit_amount * OrderLine.quantity))


def wrong_discount() -> Select[Any]:
    """An order's discount is that of its lines."""
    return summing(Order.discount_amount, summed(OrderLine.order_id, OrderLine.discount_amount))


def wrong_shipping() -> Select[Any]:
    """An order's shipping is the fees of its deliveries after their discounts."""
    return summing(
        Order.shipping_amount, summed(Delivery.order_id, Delivery.fee_amount - Delivery.discount_amount)
    )


def wrong_payments() -> Select[Any]:
    """An order's total is its payments."""
    return summing(Order.total_amount, summed(Payment.order_id, Payment.amount))


def summing(amount: Any, parts: Subquery) -> Select[Any]:
    """Orders of which an amount is not the sum of its parts."""
    return differing(Order.number, expected=total_of(parts), found=amount).outerjoin(
        parts, parts.c.order_id == Order.id
    )


def wrong_cancellations() -> Select[Any]:
    """What was cancelled of lines and fees came off the total or went back."""
    lines = summed(OrderLine.order_id, OrderLine.cancelled_amount)
    refunds = summed(Refund.order_id, Refund.amount)
    cancelled = total_of(lines) + Order.cancelled_shipping_amount
    most = Order.cancelled_amount + total_of(refunds)
    return (
        wrong_rows(Order.number, expected=most, found=cancelled)
        .outerjoin(lines, lines.c.order_id == Order.id)
        .outerjoin(refunds, refunds.c.order_id == Order.id)
        .where(cancelled > most)
    )


def wrong_versions() -> Select[Any]:
    """An order's events are numbered from 1 to its version, without a gap."""
    last, least = func.max(Event.version), func.min(Event.version)
    events = (
        select(Event.subject_id, last.label("total"), (last - least + 1 - func.count()).label("missing"))
        .where(Event.subject == Subject.ORDER)
        .group_by(Event.subject_id)
        .subquery()
    )
    gap = func.coalesce(events.c.missing, 0) != 0
    expected = case((gap, "no gap"), else_=cast(total_of(events), String))
    found = case((gap, "a gap"), else_=cast(Order.version, String))
    return differing(Order.number, expected=expected, found=found).outerjoin(
        events, events.c.subject_id == Order.id
    )


def wrongly_sent() -> Select[Any]:
    """What is sent of a line, or will be, is what was bought less what was cancelled or withdrawn."""
    sent = (
        select(DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity).label("total"))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id.is_(None))
        .group_by(DeliveryLine.order_line_id)
        .subquery()
    )
    withdrawn = (
        select(TicketLine.order_line_id, func.sum(TicketLine.quantity).label("total"))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.type == TicketType.REFUND_ONLY, Ticket.reason == TicketReason.NO_REASON)
        .where(Ticket.status.in_(SETTLED))
        .group_by(TicketLine.order_line_id)
        .subquery()
    )
    bought = OrderLine.quantity - OrderLine.cancelled - total_of(withdrawn)
    line = Order.number + " line " + cast(OrderLine.position, String)
    return (
        differing(line, expected=total_of(sent), found=bought)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(sent, sent.c.order_line_id == OrderLine.id)
        .outerjoin(withdrawn, withdrawn.c.order_line_id == OrderLine.id)
    )
