"""Tickets against the parcels they are about, and the replacements that cost less or more."""

from datetime import timedelta

from sqlalchemy import String, and_, case, cast, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from domain.aftersales.states import AGREED, CHOOSABLE, DECLINED, SETTLED
from domain.audit.comparison import is_long_past, select_differences, select_rows, sum_by, total_of
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    Payment,
    PaymentStatus,
    ReturnCondition,
    ReturnInspection,
    Shipment,
    ShipmentLine,
    Ticket,
    TicketDifference,
    TicketLine,
    TicketMessage,
    TicketRepair,
    TicketStatus,
    TicketType,
    TicketUnits,
)
from models.sql.types import AnySelect

SERVED_WITHIN = timedelta(days=1)
"""How long after a deadline passed the timers have at the most to act on it."""


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


def find_waiting_ended_tickets() -> AnySelect:
    """Tickets that have ended and are still due, or for the staff though no message waits for an answer."""
    due = or_(Ticket.due_at.is_not(None), Ticket.overdue_since.is_not(None))
    waits = and_(Ticket.attend_by.is_not(None), Ticket.unanswered_since.is_(None))
    return select_rows(Ticket.number, expected=literal("nothing is due"), found=Ticket.status).where(
        Ticket.closed_at.is_not(None), or_(due, waits)
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


def find_foreign_lines() -> AnySelect:
    """Tickets with lines of another order than theirs; a question about no order has none."""
    return (
        select_rows(
            Ticket.number,
            expected=cast(func.coalesce(Ticket.order_id, 0), String),
            found=cast(OrderLine.order_id, String),
        )
        .join(TicketLine, TicketLine.ticket_id == Ticket.id)
        .join(OrderLine, OrderLine.id == TicketLine.order_line_id)
        .where(OrderLine.order_id.is_distinct_from(Ticket.order_id))
    )


def find_wrong_reductions() -> AnySelect:
    """Order lines whose replacements cost less or more than was refunded or paid for that.

    What is refunded is never more than what is left of the order: where nothing is, it may be too little.
    """
    settled = sum_by(TicketLine.order_line_id, TicketLine.difference_amount - TicketLine.surcharge_amount)
    left = sum_by(
        Payment.order_id, Payment.captured_amount - Payment.refunded_amount - Payment.disputed_amount
    )
    reduced = sum_by(
        DeliveryLine.order_line_id,
        (DeliveryLine.reduction_amount - DeliveryLine.replaced_reduction_amount) * DeliveryLine.quantity,
    )
    row = Order.number + literal(" line ") + cast(OrderLine.position, String)
    too_little = and_(total_of(reduced) > total_of(settled), total_of(left) > 0)
    return (
        select_rows(row, expected=total_of(settled), found=total_of(reduced))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .outerjoin(reduced, reduced.c.order_line_id == OrderLine.id)
        .outerjoin(settled, settled.c.order_line_id == OrderLine.id)
        .outerjoin(left, left.c.order_id == Order.id)
        .where(or_(too_little, total_of(reduced) < total_of(settled)))
    )


def find_wrong_surcharges() -> AnySelect:
    """Tickets for whose dearer replacements another amount was paid than their lines say."""
    lines = sum_by(TicketLine.ticket_id, TicketLine.surcharge_amount)
    paid = (
        select(TicketDifference.ticket_id, func.sum(Payment.captured_amount).label("total"))
        .join(Payment, Payment.id == TicketDifference.payment_id)
        .where(TicketDifference.paid_at.is_not(None))
        .group_by(TicketDifference.ticket_id)
        .subquery()
    )
    return (
        select_differences(Ticket.number, expected=total_of(paid), found=total_of(lines))
        .outerjoin(lines, lines.c.ticket_id == Ticket.id)
        .outerjoin(paid, paid.c.ticket_id == Ticket.id)
    )


def find_wrong_differences() -> AnySelect:
    """Payments for dearer replacements of another amount than those cost more."""
    return (
        select_differences(Payment.reference, expected=TicketDifference.amount, found=Payment.amount)
        .join(TicketDifference, TicketDifference.payment_id == Payment.id)
        .where(Payment.status != PaymentStatus.CLOSED)
    )


def find_unpaid_tickets() -> AnySelect:
    """Tickets that wait for a payment of nothing, or do not wait for what is to be paid."""
    waiting = sum_by(TicketDifference.ticket_id, literal(1), TicketDifference.paid_at.is_(None))
    expected = case((Ticket.status == TicketStatus.AWAITING_PAYMENT, 1), else_=0)
    return select_differences(Ticket.number, expected=expected, found=total_of(waiting)).outerjoin(
        waiting, waiting.c.ticket_id == Ticket.id
    )


def find_unsent_differences() -> AnySelect:
    """Differences that were paid long ago, and whose replacement was not sent, or is not of its ticket."""
    has_delivery = exists().where(Delivery.ticket_id == TicketDifference.ticket_id, ~Delivery.sends_back)
    is_forgotten = and_(
        TicketDifference.paid_at.is_(None),
        Payment.status == PaymentStatus.CAPTURED,
        is_long_past(Payment.captured_at, SERVED_WITHIN),
    )
    return (
        select_rows(Payment.reference, expected=literal("sent"), found=literal("not sent"))
        .join(TicketDifference, TicketDifference.payment_id == Payment.id)
        .where(or_(is_forgotten, and_(TicketDifference.paid_at.is_not(None), ~has_delivery)))
    )


def find_wrong_inspections() -> AnySelect:
    """Lines of inspected tickets of which not every unit was said how it came back."""
    inspected = (
        select(
            ReturnInspection.ticket_id,
            ReturnInspection.order_line_id,
            func.sum(ReturnInspection.quantity).label("total"),
        )
        .where(ReturnInspection.current)
        .group_by(ReturnInspection.ticket_id, ReturnInspection.order_line_id)
        .subquery()
    )
    same_line = and_(
        inspected.c.ticket_id == TicketLine.ticket_id, inspected.c.order_line_id == TicketLine.order_line_id
    )
    is_inspected = TicketLine.ticket_id.in_(select(inspected.c.ticket_id))
    return (
        select_differences(Ticket.number, expected=TicketLine.quantity, found=total_of(inspected))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .outerjoin(inspected, same_line)
        .where(is_inspected)
    )


def find_wrong_verdicts() -> AnySelect:
    """Tickets whose returned units were refused although they are granted, or the other way round."""
    accepted = case((ReturnInspection.accepted, "accepted units"), else_="refused units")
    wrong = or_(
        and_(ReturnInspection.accepted, Ticket.status.in_(DECLINED)),
        and_(~ReturnInspection.accepted, Ticket.status.in_(AGREED)),
    )
    return (
        select_rows(Ticket.number, expected=Ticket.status, found=accepted)
        .join(ReturnInspection, ReturnInspection.ticket_id == Ticket.id)
        .where(ReturnInspection.current, wrong)
    )


def find_wrong_deliveries_back() -> AnySelect:
    """Deliveries to customers of more than was refused, of units of the stock, or for a fee.

    What came back or got lost is not sent any more, and what was accepted at last is not refused, but of
    what was to be repaired. What is not the shop's goes back whatever a manager decides.
    """
    to_repair = ReturnInspection.ticket_id.in_(select(Ticket.id).where(Ticket.type == TicketType.REPAIR))
    goes_back = or_(to_repair, ReturnInspection.condition == ReturnCondition.NOT_OURS)
    refused = sum_by(
        ReturnInspection.delivery_line_id,
        ReturnInspection.quantity,
        or_(ReturnInspection.accepted.is_(False), goes_back),
    )
    ended = (
        select(ShipmentLine.delivery_line_id, func.sum(ShipmentLine.claimed).label("total"))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.ended_at.is_not(None))
        .group_by(ShipmentLine.delivery_line_id)
        .subquery()
    )
    sent = DeliveryLine.quantity - total_of(ended)
    row = literal("delivery line ") + cast(DeliveryLine.id, String)
    return (
        select_rows(row, expected=total_of(refused), found=sent)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .outerjoin(refused, refused.c.delivery_line_id == DeliveryLine.id)
        .outerjoin(ended, ended.c.delivery_line_id == DeliveryLine.id)
        .where(Delivery.sends_back)
        .where(
            or_(
                sent > total_of(refused),
                DeliveryLine.reserved,
                Delivery.ticket_id.is_(None),
                Delivery.fee_amount != 0,
            )
        )
    )


REPAIR_ENDED = CHOOSABLE | SETTLED | {TicketStatus.RESHIPPING}
"""What was sent in for a repair was repaired, or cannot be."""


def find_wrong_repairs() -> AnySelect:
    """Tickets that go on although nobody has said how their repair has ended, or of which that was said
    though they do not; and units that are kept of what was not to be repaired."""
    is_over = and_(Ticket.type == TicketType.REPAIR, Ticket.status.in_(REPAIR_ENDED))
    has_ended = exists().where(TicketRepair.ticket_id == Ticket.id)
    keeps = exists().where(
        ReturnInspection.ticket_id == Ticket.id,
        or_(
            ReturnInspection.kept < 0,
            ReturnInspection.lost < 0,
            ReturnInspection.kept + ReturnInspection.lost > ReturnInspection.quantity,
        )
        | and_(ReturnInspection.kept != 0, ~has_ended)
        | and_(ReturnInspection.lost != 0, Ticket.type != TicketType.REPAIR),
    )
    return select_rows(
        Ticket.number,
        expected=case((is_over, "an end of its repair"), else_="none"),
        found=cast(Ticket.status, String),
    ).where(or_(and_(is_over, ~has_ended), and_(~is_over, has_ended), keeps))


Other = aliased(Ticket)


def find_wrong_merges() -> AnySelect:
    """Duplicates that have not ended, have messages still, or do not go on as a ticket of the same order; and
    tickets that were split off from one of another order.

    A question about no order may go on as any ticket of its customer.
    """
    other_id = func.coalesce(Ticket.merged_into_id, Ticket.split_from_id)
    is_merged = Ticket.merged_into_id.is_not(None)
    has_messages = exists().where(TicketMessage.ticket_id == Ticket.id)
    ended_otherwise = or_(
        Ticket.status != TicketStatus.CANCELLED, Other.merged_into_id.is_not(None), has_messages
    )
    of_another_order = and_(Ticket.order_id.is_not(None), Other.order_id.is_distinct_from(Ticket.order_id))
    elsewhere = or_(Other.id.is_(None), of_another_order, Other.account_id != Ticket.account_id)
    return (
        select_rows(
            Ticket.number,
            expected=literal("a ticket of its order"),
            found=literal("id ") + cast(other_id, String),
        )
        .outerjoin(Other, Other.id == other_id)
        .where(other_id.is_not(None), or_(elsewhere, and_(is_merged, ended_otherwise)))
    )


def find_wrong_priorities() -> AnySelect:
    """Tickets that should be attended to only after they are due."""
    deadline = func.coalesce(Ticket.overdue_since, Ticket.due_at)
    return select_rows(
        Ticket.number, expected=literal("not later than due"), found=cast(Ticket.attend_by, String)
    ).where(Ticket.status == TicketStatus.APPLIED, Ticket.attend_by > deadline)


def find_unserved_questions() -> AnySelect:
    """Questions whose deadline passed long ago: nobody was told, or nothing has closed them."""
    served = (TicketStatus.APPLIED, TicketStatus.ANSWERED)
    return select_rows(Ticket.number, expected=literal("served"), found=cast(Ticket.status, String)).where(
        Ticket.type == TicketType.QUESTION,
        Ticket.status.in_(served),
        or_(Ticket.due_at.is_(None), is_long_past(Ticket.due_at, SERVED_WITHIN)),
    )
