"""Cancelling, confirming, completing and closing orders."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Invalid, NotFound, WrongState
from domain.events import (
    OrderCancelled,
    OrderClosed,
    OrderCompleted,
    OrderConfirmed,
    OrderReceiptConfirmed,
    OrderReopened,
    TicketCancelled,
)
from domain.ledger import NewPosting, is_waited_for, net_sales_by_order, write_postings
from domain.order.open_parts import check_no_open_ticket, find_open_orders
from domain.order.states import (
    CANCELLABLE_TICKETS,
    FINAL,
    NOT_DISPATCHED,
    TICKETS_BEFORE_CANCELLING,
    TRANSITIONS,
)
from domain.order.waiting_edit import drop_edits_of_orders
from domain.outbox import record, record_all
from domain.promotion import release_promotions
from domain.state import move
from domain.stock import Allocation, Reservation, release_reservations
from domain.store_credit import check_refund_target
from models import (
    OFFLINE_METHODS,
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    OrderEdit,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentStatus,
    PostingKind,
    RefundTarget,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    Ticket,
    TicketStatus,
    TicketType,
    sent_variant_id,
)
from text.messages import Message

REASON_LIMIT = 500
NOT_PAID = Message("Not paid in time.")
NOTHING_KEPT = Message("Nothing of it was kept.")


async def lock_order(
    session: AsyncSession, order_id: int, *, field: tuple[str | int, ...] = ("id",)
) -> Order:
    """The order, locked until the transaction ends: whatever changes anything about it waits."""
    await session.flush()
    # key_share: a movement of stock that fills a backorder of this order refers to it without waiting for it
    lock = {"key_share": True}
    order = await session.get(Order, order_id, with_for_update=lock, populate_existing=True)
    if order is None:
        raise NotFound("order", field=field)
    return order


async def lock_shipment(session: AsyncSession, shipment_id: int) -> tuple[Order, Shipment]:
    """A parcel and its order, locked until the transaction ends: the order first, which avoids deadlocks."""
    order_id = await session.scalar(select(Shipment.order_id).where(Shipment.id == shipment_id))
    if order_id is None:
        raise NotFound("shipment", field=("id",))
    order = await lock_order(session, order_id)
    shipment = await session.get(Shipment, shipment_id, with_for_update=True, populate_existing=True)
    if shipment is None:
        raise NotFound("shipment", field=("id",))
    return order, shipment


async def cancel_order(
    session: AsyncSession,
    order_id: int,
    *,
    refund_to: RefundTarget = RefundTarget.ORIGINAL,
    reason: str,
    cause: Cause,
) -> Order:
    """Cancel an order of which nothing has left: its stock is released and its invoice credited.

    What was paid is refunded by a reaction to OrderCancelled, the way it was paid or into store credit.
    """
    order = await lock_order(session, order_id)
    reason = required_reason(reason)
    if order.status not in FINAL and order.fulfilment_status not in NOT_DISPATCHED:
        raise WrongState("Part of this order is already on its way; open a ticket instead.", field=("id",))
    await check_no_open_ticket(session, order, TICKETS_BEFORE_CANCELLING)
    await check_refund_target(session, order, refund_to)
    await cancel_locked_orders(session, [order], refund_to=refund_to, reason=reason, cause=cause)
    return order


async def cancel_locked_orders(
    session: AsyncSession,
    orders: Sequence[Order],
    *,
    refund_to: RefundTarget = RefundTarget.ORIGINAL,
    reason: str,
    cause: Cause,
) -> None:
    """Cancel locked orders of which nothing has left, in a constant number of statements."""
    await drop_edits_of_orders(session, orders, cause=cause)
    # An order that was never paid has neither parcels nor tickets.
    confirmed = [order.id for order in orders if order.status is OrderStatus.CONFIRMED]
    for order in orders:
        move(order, OrderStatus.CANCELLED, TRANSITIONS)
        order.cancelled_at, order.cancel_reason = cause.now, reason
        order.payment_due_at, order.held_at, order.hold_reason = None, None, None
    cancelled = [OrderCancelled(order, reason=reason, refund_to=refund_to) for order in orders]
    await record_all(session, cancelled, cause)
    ids = [order.id for order in orders]
    await release_reservations(session, await reservations_of(session, ids, by=cause.by), now=cause.now)
    if confirmed:
        await end_packed_parcels(session, confirmed, now=cause.now)
        await cancel_open_tickets(session, confirmed, cause=cause.automatic)
    await release_promotions(session, ids, now=cause.now)
    net_sales = await net_sales_by_order(session, ids)
    credits = [
        NewPosting(
            order_id=order.id,
            payment_id=None,
            kind=PostingKind.CREDITED,
            amount=order.money(net_sales[order.id]),
            key=f"cancelled:{order.number}",
        )
        for order in orders
        if net_sales.get(order.id)
    ]
    await write_postings(session, credits, now=cause.now)


async def cancel_overdue_orders(session: AsyncSession, order_ids: Sequence[int], *, cause: Cause) -> int:
    """Cancel those of these orders that were not paid in time, but skip locked ones; how many."""
    rows = await session.scalars(
        select(Order)
        .where(Order.id.in_(order_ids), is_unpaid_at(cause.now))
        .order_by(Order.id)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    orders = rows.all()
    if orders:
        await cancel_locked_orders(session, orders, reason=str(NOT_PAID), cause=cause)
    return len(orders)


def is_unpaid_at(moment: datetime) -> ColumnElement[bool]:
    """Whether an order's time to pay is over at `moment`, and it is not held."""
    return and_(Order.status == OrderStatus.PENDING, Order.payment_due_at <= moment, Order.held_at.is_(None))


async def confirm_if_secured(session: AsyncSession, order: Order, *, cause: Cause) -> bool:
    """Confirm a locked order once all payments in advance are captured; whether it was confirmed.

    One that was confirmed for cash, part of which is paid in advance instead, does not wait any longer then.
    """
    if not order.awaits_payment or await lacks_advance_payment(session, order):
        return False
    if order.status is OrderStatus.CONFIRMED:
        order.payment_due_at = None
        return False
    move(order, OrderStatus.CONFIRMED, TRANSITIONS)
    order.confirmed_at, order.payment_due_at = cause.now, None
    record(session, OrderConfirmed(order), cause)
    return True


async def confirm_receipt(session: AsyncSession, order_id: int, *, cause: Cause) -> Order:
    """Note that the customer has received everything; the order is completed when nothing of it is open."""
    order = await lock_order(session, order_id)
    if order.status is not OrderStatus.CONFIRMED:
        raise WrongState("This order is {status}.", status=order.status, field=("id",))
    if order.fulfilment_status is not FulfilmentStatus.DELIVERED:
        raise WrongState("Not everything on this order has been delivered yet.", field=("id",))
    if order.receipt_confirmed_at is not None:
        raise WrongState("Receipt has been confirmed already.", field=("id",))
    order.receipt_confirmed_at, order.receipt_due_at = cause.now, None
    await settle_order(session, order, cause=cause)
    if order.status is OrderStatus.CONFIRMED:
        record(session, OrderReceiptConfirmed(order), cause)
    return order


async def confirm_due_receipt(session: AsyncSession, order_id: int, *, cause: Cause) -> bool:
    """Complete an order whose customer has not confirmed receipt in time; False when it is not due."""
    order = await lock_order(session, order_id)
    due = order.receipt_due_at is not None and order.receipt_due_at <= cause.now
    return due and await settle_order(session, order, cause=cause)


async def settle_order(session: AsyncSession, order: Order, *, cause: Cause) -> bool:
    """End a locked order of which nothing is open any more; whether it has ended."""
    return bool(await settle_orders(session, [order], cause=cause))


async def settle_orders(session: AsyncSession, orders: Sequence[Order], *, cause: Cause) -> list[Order]:
    """End the locked orders of which nothing is open any more, in a constant number of statements; those that
    have ended.

    Called after everything that may have been the last: a ticket or a refund that ends, a parcel that arrives
    or is ended, cash, a receipt, cancelled lines. An order is closed when all that was paid was refunded,
    completed when its receipt is confirmed or due, and cancelled when nothing of it was kept or paid. A held
    order stays as it is until it is released.
    """
    live = [each for each in orders if each.status is OrderStatus.CONFIRMED and each.held_at is None]
    if not live:
        return []
    unsettled = await find_open_orders(session, [order.id for order in live])
    ended = []
    for order in live:
        to = None if order.id in unsettled else find_end(order, now=cause.now)
        if to is not None:
            end_order(session, order, to, cause=cause)
            ended.append(order)
    cancelled = [order.id for order in ended if order.status is OrderStatus.CANCELLED]
    if cancelled:
        await release_promotions(session, cancelled, now=cause.now)
    return ended


def end_order(session: AsyncSession, order: Order, to: OrderStatus, *, cause: Cause) -> None:
    """Give an order the status that it ends in, and record it."""
    move(order, to, TRANSITIONS)
    match to:
        case OrderStatus.COMPLETED:
            order.completed_at = cause.now
            order.receipt_confirmed_at = order.receipt_confirmed_at or cause.now
            record(session, OrderCompleted(order), cause)
        case OrderStatus.CLOSED:
            record(session, OrderClosed(order), cause.automatic)
        case _:
            order.cancelled_at, order.cancel_reason = cause.now, str(NOTHING_KEPT)
            record(session, OrderCancelled(order, reason=str(NOTHING_KEPT)), cause.automatic)
    order.receipt_due_at = None


def find_end(order: Order, *, now: datetime) -> OrderStatus | None:
    """How an order ends of which nothing is open; None while its customer may still confirm the receipt."""
    if order.payment_status is OrderPaymentStatus.REFUNDED:
        return OrderStatus.CLOSED
    if order.fulfilment_status is not FulfilmentStatus.DELIVERED:
        paid = order.payment_status is not OrderPaymentStatus.UNPAID and order.total_amount
        return OrderStatus.CLOSED if paid else OrderStatus.CANCELLED
    received = order.receipt_confirmed_at or (order.receipt_due_at and order.receipt_due_at <= now)
    return OrderStatus.COMPLETED if received else None


async def reopen_order(session: AsyncSession, order: Order, *, cause: Cause) -> None:
    """Confirm a locked completed order again, in which a claim or a refund opens; others stay as they are.

    Its receipt stays confirmed: it completes by itself when what was opened has ended.
    """
    if order.status is not OrderStatus.COMPLETED:
        return
    move(order, OrderStatus.CONFIRMED, TRANSITIONS)
    order.receipt_confirmed_at = order.receipt_confirmed_at or order.completed_at
    order.completed_at = None
    record(session, OrderReopened(order), cause)


async def cancel_open_tickets(session: AsyncSession, order_ids: Sequence[int], *, cause: Cause) -> None:
    """Cancel the tickets of cancelled orders that nothing was granted for; questions are still answered."""
    rows = await session.scalars(
        select(Ticket)
        .where(Ticket.order_id.in_(order_ids), Ticket.status.in_(CANCELLABLE_TICKETS))
        .where(Ticket.type != TicketType.QUESTION)
        .order_by(Ticket.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    tickets = rows.all()
    for ticket in tickets:
        ticket.status, ticket.closed_at = TicketStatus.CANCELLED, cause.now
        ticket.end_waiting()
    await record_all(session, [TicketCancelled(ticket, order_over=True) for ticket in tickets], cause)


async def end_packed_parcels(session: AsyncSession, order_ids: Sequence[int], *, now: datetime) -> None:
    """End the parcels of cancelled orders that were packed and have not left."""
    await session.execute(
        update(Shipment)
        .where(Shipment.order_id.in_(order_ids), Shipment.dispatched_at.is_(None))
        .values(ended_at=now, ending=ShipmentEnding.CANCELLED)
        .execution_options(synchronize_session="fetch")
    )


async def reservations_of(
    session: AsyncSession, order_ids: Sequence[int], *, by: int | None
) -> Sequence[Reservation]:
    """The units reserved or backordered for orders, without those that have left, to be released by `by`."""
    level = sent_variant_id(), DeliveryLine.warehouse_id
    left = (
        select(func.sum(ShipmentLine.quantity))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.delivery_line_id == DeliveryLine.id, Shipment.dispatched_at.is_not(None))
        .where(Shipment.ending.is_distinct_from(ShipmentEnding.SENT_AGAIN))
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Delivery.order_id, *level, func.sum(DeliveryLine.quantity - func.coalesce(left, 0)))
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id.in_(order_ids), DeliveryLine.reserved)
        .group_by(Delivery.order_id, *level)
    )
    return [
        Reservation(order_id, by, Allocation(variant_id, warehouse_id, int(quantity)))
        for order_id, variant_id, warehouse_id, quantity in rows
        if quantity
    ]


async def lacks_advance_payment(session: AsyncSession, order: Order) -> bool:
    """Whether a payment in advance is not captured; cash comes at the door, and edits wait for theirs."""
    payment_id = await session.scalar(
        select(Payment.id)
        .where(Payment.order_id == order.id, Payment.amount > 0, Payment.method.not_in(OFFLINE_METHODS))
        .where(Payment.status != PaymentStatus.CAPTURED, Payment.replaced_at.is_(None))
        .where(Payment.id.not_in(select(OrderEdit.payment_id).where(OrderEdit.order_id == order.id)))
        .where(~is_waited_for())
        .limit(1)
    )
    return payment_id is not None


def required_reason(reason: str) -> str:
    """The reason without surrounding space; Invalid where it is empty or too long."""
    text = reason.strip()
    if not 1 <= len(text) <= REASON_LIMIT:
        raise Invalid("Say why, in at most {limit} characters.", limit=REASON_LIMIT, field=("reason",))
    return text
