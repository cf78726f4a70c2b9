"""Orders that have ended against what is open of them, and the cash of parcels against that of orders."""

from functools import partial

from sqlalchemy import ColumnElement, String, and_, cast, exists, literal, or_, select

from domain.audit.comparison import select_rows, sum_by, total_of
from domain.order.open_parts import OPEN_PARTS
from domain.order.states import OPEN_REFUNDS, OPEN_TICKETS
from models import (
    OFFLINE_METHODS,
    Delivery,
    Event,
    FulfilmentStatus,
    LedgerAccount,
    LedgerEntry,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderStatus,
    Payment,
    PaymentStatus,
    Pickup,
    PickupStatus,
    PromotionUse,
    Refund,
    Shipment,
    StockMovement,
    Subject,
    Ticket,
    TicketStatus,
    TicketType,
)
from models.sql.types import AnySelect

RECEIVED_OR_REFUNDED = (OrderStatus.COMPLETED, OrderStatus.CLOSED)
ENDED = (*RECEIVED_OR_REFUNDED, OrderStatus.CANCELLED)

WAITING_TICKETS = OPEN_TICKETS - {TicketStatus.REFUNDING, TicketStatus.REFUND_FAILED}


def find_open_parts(part: str) -> AnySelect:
    """Orders that have ended while something of them is open.

    Of a cancelled order refunds may be on their way, its lines stay as they were, and no payment is expected.
    A closed one stays closed when a refund of it comes back after it had been paid.
    """
    is_open = OPEN_PARTS[part]()
    ended: ColumnElement[bool] = Order.status.in_(RECEIVED_OR_REFUNDED)
    if part == "a parcel under way":
        ended = Order.status.in_(ENDED)
    if part == "a refund":
        came_back = and_(Order.status == OrderStatus.CLOSED, has_only_returned_refunds())
        ended = and_(ended, ~came_back)
    if part == "a ticket":
        waits = select(Ticket.id).where(
            Ticket.order_id == Order.id,
            Ticket.status.in_(WAITING_TICKETS),
            Ticket.type != TicketType.QUESTION,
        )
        ended = or_(ended, and_(Order.status == OrderStatus.CANCELLED, waits.exists()))
    return select_rows(Order.number, expected=literal("nothing"), found=literal(part)).where(ended, is_open)


def has_only_returned_refunds() -> ColumnElement[bool]:
    """Whether each open refund of the order had been paid, and its money came back."""
    open_refund = select(Refund.id).where(Refund.order_id == Order.id, Refund.status.in_(OPEN_REFUNDS))
    return ~open_refund.where(Refund.returns == 0).exists()


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


def find_waiting_edits() -> AnySelect:
    """Orders that have ended while an edit of them waits for its payment."""
    waiting = exists().where(
        OrderEdit.order_id == Order.id, OrderEdit.status == OrderEditStatus.AWAITING_PAYMENT
    )
    return select_ended_with(waiting, "an edit", Order.status.in_(ENDED))


def find_waiting_pickups() -> AnySelect:
    """Orders that were received or refunded while something of them waits to be collected.

    Those of a cancelled order end by a reaction.
    """
    waiting = exists().where(
        Delivery.order_id == Order.id,
        Pickup.delivery_id == Delivery.id,
        Pickup.status == PickupStatus.READY,
    )
    return select_ended_with(waiting, "a pickup", Order.status.in_(RECEIVED_OR_REFUNDED))


def find_open_payments() -> AnySelect:
    """Cancelled orders of which a payment is still open after all that followed their cancellation."""
    is_followed = ~exists().where(
        Event.subject == Subject.ORDER, Event.subject_id == Order.id, Event.relayed_at.is_(None)
    )
    return select_ended_with(
        and_(OPEN_PARTS["money due"](), is_followed), "a payment", Order.status == OrderStatus.CANCELLED
    )


def find_unreleased_promotions() -> AnySelect:
    """Cancelled orders that still use promotions."""
    used = exists().where(PromotionUse.order_id == Order.id, PromotionUse.released_at.is_(None))
    return select_ended_with(used, "a promotion", Order.status == OrderStatus.CANCELLED)


def select_ended_with(
    is_open: ColumnElement[bool], found: str, *conditions: ColumnElement[bool]
) -> AnySelect:
    """Ended orders of which something is still there."""
    return select_rows(Order.number, expected=literal("nothing"), found=literal(found)).where(
        *conditions, is_open
    )


def find_completed_on_the_way() -> AnySelect:
    """Completed orders whose parcels did not arrive, by their fulfilment status.

    Those of a former version of the shop may have come back.
    """
    arrived = (FulfilmentStatus.DELIVERED, FulfilmentStatus.RETURNED)
    status = cast(Order.fulfilment_status, String)
    return select_rows(Order.number, expected=literal("DELIVERED"), found=status).where(
        Order.status == OrderStatus.COMPLETED, Order.fulfilment_status.not_in(arrived)
    )


def find_forgotten_receipts() -> AnySelect:
    """Confirmed orders that have arrived, and of which no receipt is confirmed or falls due."""
    return select_rows(Order.number, expected=literal("a receipt"), found=literal("nothing")).where(
        Order.status == OrderStatus.CONFIRMED,
        Order.fulfilment_status == FulfilmentStatus.DELIVERED,
        Order.receipt_due_at.is_(None),
        Order.receipt_confirmed_at.is_(None),
    )


def find_unsettled_balances() -> AnySelect:
    """Completed orders whose customers owe something, or are owed: what was not paid was written off."""
    balance = sum_by(LedgerEntry.order_id, LedgerEntry.amount, LedgerEntry.account == LedgerAccount.CUSTOMER)
    return (
        select_rows(Order.number, expected=literal(0), found=balance.c.total)
        .join(balance, balance.c.order_id == Order.id)
        .where(Order.status == OrderStatus.COMPLETED, balance.c.total != 0)
        .where(~OPEN_PARTS["a refund"](), ~OPEN_PARTS["money due"]())
    )


def find_uncollectable_cash() -> AnySelect:
    """Confirmed orders with more cash due than their parcels bring, though nothing more is to be sent."""
    is_due = and_(Payment.method.in_(OFFLINE_METHODS), Payment.status == PaymentStatus.PENDING)
    due = sum_by(Payment.order_id, Payment.amount - Payment.captured_amount, is_due)
    is_brought = and_(Shipment.cash_collected_at.is_(None), Shipment.ended_at.is_(None))
    brought = sum_by(Shipment.order_id, Shipment.cash_amount, is_brought)
    unfixed = select(Shipment.id).where(
        Shipment.order_id == Order.id, Shipment.cash_amount.is_(None), Shipment.ended_at.is_(None)
    )
    may_be_sent = or_(unfixed.exists(), OPEN_PARTS["a ticket"](), OPEN_PARTS["units to pack"]())
    return (
        select_rows(Order.number, expected=total_of(brought), found=total_of(due))
        .join(due, due.c.order_id == Order.id)
        .outerjoin(brought, brought.c.order_id == Order.id)
        .where(Order.status == OrderStatus.CONFIRMED, total_of(due) > total_of(brought), ~may_be_sent)
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
