"""What may happen to an order once it is placed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, NotFound, WrongState
from domain.ledger import ToPost, post_all, sold_of
from domain.offer import give_back_offers
from domain.order.states import GONE, IN_HOUSE, OVER, TRANSITIONS
from domain.outbox import record, record_all
from domain.state import move
from domain.stock import Allocation, Reservation, release_all
from models import (
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PostingKind,
)

REASON_LIMIT = 500
NOT_PAID = "Not paid in time."


async def lock_order(
    session: AsyncSession, order_id: int, *, field: tuple[str | int, ...] = ("id",)
) -> Order:
    """The order, held until the transaction ends: everything about it, its money too, waits for this lock."""
    await session.flush()
    order = await session.get(Order, order_id, with_for_update=True, populate_existing=True)
    if order is None:
        raise NotFound("order", field=field)
    return order


async def cancel_order(
    session: AsyncSession, order_id: int, *, reason: str, now: datetime, by: int | None = None
) -> Order:
    """End an order of which nothing has left: its goods go back on the shelf, its invoice is void.

    What was paid is refunded by a reaction to "order.cancelled".
    """
    order = await lock_order(session, order_id)
    said = stated(reason)
    if order.status not in OVER and order.fulfilment_status not in IN_HOUSE:
        raise WrongState("Part of this order is already on its way; open a ticket instead.", field=("id",))
    await end(session, [order], reason=said, now=now, by=by)
    return order


async def end(
    session: AsyncSession, orders: Sequence[Order], *, reason: str, now: datetime, by: int | None = None
) -> None:
    """Cancel locked orders of which nothing has left: as many statements for many as for one."""
    for order in orders:
        move(order, OrderStatus.CANCELLED, TRANSITIONS)
        order.cancelled_at, order.cancel_reason = now, reason
        order.payment_due_at, order.held_at, order.hold_reason = None, None, None
    await record_all(session, "order.cancelled", orders, now=now, by=by, reason=reason)
    ids = [order.id for order in orders]
    await release_all(session, await reserved(session, ids, by=by), now=now)
    await give_back_offers(session, ids, now=now)
    sold = await sold_of(session, ids)
    void = [
        ToPost(
            order_id=order.id,
            payment_id=None,
            kind=PostingKind.CREDITED,
            amount=order.money(sold[order.id]),
            key=f"cancelled:{order.number}",
        )
        for order in orders
        if sold.get(order.id)
    ]
    await post_all(session, void, now=now)


async def close_unpaid(session: AsyncSession, order_ids: Sequence[int], *, now: datetime) -> int:
    """Of these, cancel all whose time to pay is over and that nobody else holds at this moment; how many."""
    found = await session.scalars(
        select(Order)
        .where(Order.id.in_(order_ids), unpaid_at(now))
        .order_by(Order.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    orders = found.all()
    if orders:
        await end(session, orders, reason=NOT_PAID, now=now)
    return len(orders)


def unpaid_at(moment: datetime) -> ColumnElement[bool]:
    """Orders whose time to pay is over, and that are not held."""
    return and_(Order.status == OrderStatus.PENDING, Order.payment_due_at <= moment, Order.held_at.is_(None))


async def confirm_if_secured(session: AsyncSession, order: Order, *, now: datetime) -> bool:
    """Accept a locked order once all that is paid in advance has arrived; cash is taken at the door."""
    if order.status is not OrderStatus.PENDING or await unsecured(session, order):
        return False
    move(order, OrderStatus.CONFIRMED, TRANSITIONS)
    order.confirmed_at, order.payment_due_at = now, None
    record(session, "order.confirmed", order, now=now)
    return True


async def confirm_receipt(
    session: AsyncSession, order_id: int, *, now: datetime, by: int | None = None
) -> Order:
    """Complete an order whose goods have all arrived."""
    order = await lock_order(session, order_id)
    if order.status is OrderStatus.CONFIRMED and order.fulfilment_status is not FulfilmentStatus.DELIVERED:
        raise WrongState("Not everything on this order has been delivered yet.", field=("id",))
    move(order, OrderStatus.COMPLETED, TRANSITIONS)
    order.completed_at, order.receipt_due_at = now, None
    record(session, "order.completed", order, now=now, by=by)
    await close_if_refunded(session, order, now=now)
    return order


async def assume_receipt(session: AsyncSession, order_id: int, *, now: datetime) -> bool:
    """Complete an order whose customer has said nothing for long enough; False when it is not due."""
    order = await lock_order(session, order_id)
    if order.status is not OrderStatus.CONFIRMED or order.held_at or not due(order.receipt_due_at, now):
        return False
    await confirm_receipt(session, order_id, now=now)
    return True


async def close_if_refunded(session: AsyncSession, order: Order, *, now: datetime) -> bool:
    """Close a locked order that has left the house and of which every cent taken went back."""
    if OrderStatus.CLOSED not in TRANSITIONS[order.status] or order.fulfilment_status not in GONE:
        return False
    if order.payment_status is not OrderPaymentStatus.REFUNDED or await unpaid(session, order):
        return False
    move(order, OrderStatus.CLOSED, TRANSITIONS)
    order.receipt_due_at = None
    record(session, "order.closed", order, now=now)
    return True


async def reserved(
    session: AsyncSession, order_ids: Sequence[int], *, by: int | None
) -> Sequence[Reservation]:
    """What is set aside for orders of which nothing has left."""
    place = OrderLine.variant_id, DeliveryLine.warehouse_id
    rows = await session.execute(
        select(Delivery.order_id, *place, func.sum(DeliveryLine.quantity))
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id.in_(order_ids), DeliveryLine.reserved)
        .group_by(Delivery.order_id, *place)
    )
    return [
        Reservation(order_id, by, Allocation(variant, warehouse, int(quantity)))
        for order_id, variant, warehouse, quantity in rows
    ]


async def unsecured(session: AsyncSession, order: Order) -> bool:
    """Whether a payment in advance is still missing."""
    return await missing(session, order, Payment.method != PaymentMethod.CASH_ON_DELIVERY)


async def unpaid(session: AsyncSession, order: Order) -> bool:
    """Whether any payment, cash too, is still missing."""
    return await missing(session, order)


async def missing(session: AsyncSession, order: Order, *which: ColumnElement[bool]) -> bool:
    found = await session.scalar(
        select(Payment.id)
        .where(Payment.order_id == order.id, Payment.amount > 0)
        .where(Payment.status != PaymentStatus.CAPTURED, *which)
        .limit(1)
    )
    return found is not None


def due(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def stated(reason: str) -> str:
    """A reason somebody gave, or a refusal to go on without one."""
    said = reason.strip()
    if not 1 <= len(said) <= REASON_LIMIT:
        raise Invalid(f"Say why, in at most {REASON_LIMIT} characters.", field=("reason",))
    return said
