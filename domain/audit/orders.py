"""Orders against their lines, deliveries, payments and events."""

from sqlalchemy import String, Subquery, and_, case, cast, exists, func, or_, select, union_all

from domain.aftersales.states import DECLINED, SETTLED
from domain.audit.comparison import select_differences, select_rows, sum_by, total_of
from domain.order.states import WITHDRAWAL_REASONS
from models import (
    ArchivedEvent,
    Delivery,
    DeliveryLine,
    Event,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderLine,
    Payment,
    Refund,
    ReturnInspection,
    Shipment,
    ShipmentLine,
    Subject,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
    TicketUnits,
)
from models.sql.types import AnyColumn, AnySelect


def find_wrong_subtotals() -> AnySelect:
    """Orders whose price of goods is not the sum of their lines."""
    return select_wrong_sums(
        Order.subtotal_amount, sum_by(OrderLine.order_id, OrderLine.unit_amount * OrderLine.quantity)
    )


def find_wrong_discounts() -> AnySelect:
    """Orders whose discount is not the sum of the discounts of their lines."""
    return select_wrong_sums(Order.discount_amount, sum_by(OrderLine.order_id, OrderLine.discount_amount))


def find_wrong_shipping() -> AnySelect:
    """Orders whose shipping is not the sum of the fees of their deliveries after discounts."""
    return select_wrong_sums(
        Order.shipping_amount, sum_by(Delivery.order_id, Delivery.fee_amount - Delivery.discount_amount)
    )


def find_wrong_payments() -> AnySelect:
    """Orders whose total is not the sum of their payments.

    Those that others replace, and those of edits dropped unpaid, do not count.
    """
    dropped = select(OrderEdit.payment_id).where(OrderEdit.status == OrderEditStatus.DROPPED)
    is_due = and_(Payment.id.not_in(dropped), Payment.replaced_at.is_(None))
    counts = or_(Payment.captured_amount > 0, is_due)
    return select_wrong_sums(Order.total_amount, sum_by(Payment.order_id, Payment.amount, counts))


def select_wrong_sums(amount: AnyColumn, parts: Subquery) -> AnySelect:
    """Orders of which an amount is not the sum of its parts."""
    return select_differences(Order.number, expected=total_of(parts), found=amount).outerjoin(
        parts, parts.c.order_id == Order.id
    )


def find_wrong_cancellations() -> AnySelect:
    """Orders of which more was cancelled than came off the total or was refunded."""
    lines = sum_by(OrderLine.order_id, OrderLine.cancelled_amount)
    refunds = sum_by(Refund.order_id, Refund.amount)
    cancelled = total_of(lines) + Order.cancelled_shipping_amount
    most = Order.cancelled_amount + total_of(refunds)
    return (
        select_rows(Order.number, expected=most, found=cancelled)
        .outerjoin(lines, lines.c.order_id == Order.id)
        .outerjoin(refunds, refunds.c.order_id == Order.id)
        .where(cancelled > most)
    )


def find_version_gaps() -> AnySelect:
    """Orders whose events, archived ones too, are not numbered from 1 to their version without a gap."""
    recorded = union_all(
        select(Event.subject_id, Event.version).where(Event.subject == Subject.ORDER),
        select(ArchivedEvent.subject_id, ArchivedEvent.version).where(ArchivedEvent.subject == Subject.ORDER),
    ).subquery()
    last, least = func.max(recorded.c.version), func.min(recorded.c.version)
    events = (
        select(recorded.c.subject_id, last.label("total"), (last - least + 1 - func.count()).label("missing"))
        .group_by(recorded.c.subject_id)
        .subquery()
    )
    gap = func.coalesce(events.c.missing, 0) != 0
    expected = case((gap, "no gap"), else_=cast(total_of(events), String))
    found = case((gap, "a gap"), else_=cast(Order.version, String))
    return select_differences(Order.number, expected=expected, found=found).outerjoin(
        events, events.c.subject_id == Order.id
    )


def find_wrong_delivery_lines() -> AnySelect:
    """Order lines whose units sent or to be sent are not those bought and neither cancelled nor withdrawn."""
    sent = (
        select(
            DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity - DeliveryLine.ended).label("total")
        )
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id.is_(None))
        .group_by(DeliveryLine.order_line_id)
        .subquery()
    )
    withdrawn = (
        select(TicketLine.order_line_id, func.sum(TicketLine.quantity).label("total"))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.type == TicketType.REFUND_ONLY, Ticket.reason.in_(WITHDRAWAL_REASONS))
        .where(Ticket.status.in_(SETTLED), ~TicketLine.cancelled)
        .group_by(TicketLine.order_line_id)
        .subquery()
    )
    bought = OrderLine.quantity - OrderLine.cancelled - total_of(withdrawn)
    line = Order.number + " line " + cast(OrderLine.position, String)
    return (
        select_differences(line, expected=total_of(sent), found=bought)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(sent, sent.c.order_line_id == OrderLine.id)
        .outerjoin(withdrawn, withdrawn.c.order_line_id == OrderLine.id)
    )


def find_overclaimed_parcels() -> AnySelect:
    """Parcels of which tickets that were not declined claim more units than were in them.

    What is with its customer again after a repair can be claimed anew.
    """
    went_back = exists().where(
        ReturnInspection.ticket_id == Ticket.id,
        ReturnInspection.accepted,
        ReturnInspection.delivery_line_id.is_not(None),
    )
    is_repaired = and_(Ticket.type == TicketType.REPAIR, Ticket.status == TicketStatus.COMPLETED, went_back)
    declined = select(Ticket.id).where(or_(Ticket.status.in_(DECLINED), is_repaired))
    packed = sum_by(ShipmentLine.shipment_id, ShipmentLine.quantity)
    claimed = sum_by(TicketUnits.shipment_id, TicketUnits.quantity, TicketUnits.ticket_id.not_in(declined))
    most, found = total_of(packed), total_of(claimed)
    return (
        select_rows(Shipment.number, expected=most, found=found)
        .outerjoin(packed, packed.c.shipment_id == Shipment.id)
        .outerjoin(claimed, claimed.c.shipment_id == Shipment.id)
        .where(found > most)
    )
