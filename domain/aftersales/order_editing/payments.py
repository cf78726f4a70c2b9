"""Dividing what is still to be paid among other payment methods, and returning to cash what was not paid."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.extra_payment import check_cash
from domain.aftersales.withdrawal import find_open_payments
from domain.cause import Cause
from domain.errors import Invalid, WrongState
from domain.events import OrderPaymentsChanged
from domain.ledger import is_waited_for, refresh_payment_status
from domain.order import (
    AmountMismatch,
    OrderTerms,
    PlannedPayment,
    check_each_payment,
    confirm_if_secured,
    lock_order,
)
from domain.order.cash import find_cash_payments, sum_cash_under_way
from domain.order.credit import take_credit
from domain.order.waiting_edit import drop_waiting_edit
from domain.outbox import record
from domain.payment import add_payments, replace_payment
from domain.payment.states import SETTLED_STATUSES
from domain.state import status_text
from models import (
    OFFLINE_METHODS,
    Order,
    OrderEdit,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentMethod,
)


async def change_payments(
    session: AsyncSession,
    order_id: int,
    planned: Sequence[PlannedPayment],
    terms: OrderTerms,
    *,
    cause: Cause,
) -> Order:
    """Pay what is still to be paid by these methods; the time to pay stays.

    An order of which nothing is to be paid in advance any more is confirmed. One that was confirmed for cash,
    part of which is to be paid in advance now, waits for that with nothing packed, and returns to cash
    otherwise (`return_to_cash`). WrongState while a payment is being made, and once a parcel has left for
    which cash is collected.
    """
    order = await lock_order(session, order_id)
    if order.status not in (OrderStatus.PENDING, OrderStatus.CONFIRMED):
        raise WrongState(
            "This order is {status}; its payments stay.", status=status_text(order.status), field=("id",)
        )
    if order.payment_due_at is not None and order.payment_due_at <= cause.now:
        raise WrongState("The time to pay for this order is over.", field=("id",))
    await drop_waiting_edit(session, order, cause=cause)
    open_payments = await find_open_payments(session, order)
    await check_nothing_collected(session, order, open_payments)
    check_each_payment(planned, order.currency, terms)
    unpaid = sum(payment.amount for payment in open_payments)
    given = sum(each.amount.minor for each in planned)
    if given != unpaid:
        raise AmountMismatch(due=order.money(unpaid), given=order.money(given), field=("payments",))
    await check_paid_at_door(session, order, planned, unpaid=unpaid)
    added = await divide_anew(session, order, open_payments, planned, terms, now=cause.now)
    await take_credit(session, order, added, cause=cause)
    if order.status is OrderStatus.CONFIRMED and order.payment_due_at is None:
        within = terms.time_to_pay(each.method for each in planned)
        order.payment_due_at = cause.now + within if within is not None else None
    record(session, OrderPaymentsChanged(order), cause)
    await session.flush()
    await refresh_payment_status(session, order)
    await confirm_if_secured(session, order, cause=cause.automatic)
    return order


async def check_nothing_collected(
    session: AsyncSession, order: Order, open_payments: Sequence[Payment]
) -> None:
    """Refuse where nothing is unpaid, or where cash is collected for what has left."""
    if not open_payments:
        raise WrongState("Nothing of this order is unpaid.", field=("id",))
    collected = any(payment.captured_amount for payment in open_payments)
    if collected or await sum_cash_under_way(session, order):
        raise WrongState(
            "Cash is collected for a parcel that has left: the rest is paid in cash, too.", field=("id",)
        )


async def check_paid_at_door(
    session: AsyncSession, order: Order, planned: Sequence[PlannedPayment], *, unpaid: int
) -> None:
    """Refuse cash for what comes to no door, by the rules for orders that are placed."""
    cash = sum(each.amount.minor for each in planned if each.method.collected_offline)
    if not cash:
        return
    rows = await session.scalars(
        select(OrderLine).where(OrderLine.order_id == order.id, OrderLine.cancelled < OrderLine.quantity)
    )
    lines = rows.all()
    if not any(line.requires_shipping for line in lines):
        raise Invalid("Nothing of this order comes to a door, where it could be paid.", field=("payments",))
    unshipped = sum(line.total.minor - line.cancelled_amount for line in lines if not line.requires_shipping)
    due_in_advance = max(0, unshipped - (order.total_amount - unpaid))
    if cash > unpaid - due_in_advance:
        raise Invalid(
            "{amount} must be paid in advance, for what is delivered when it is paid.",
            amount=order.money(due_in_advance),
            field=("payments",),
        )


async def divide_anew(
    session: AsyncSession,
    order: Order,
    open_payments: Sequence[Payment],
    planned: Sequence[PlannedPayment],
    terms: OrderTerms,
    *,
    now: datetime,
) -> list[Payment]:
    """Replace the open payments by others, which are returned; one of the same method and amount stays."""
    left = list(planned)
    kept: list[Payment] = []
    for payment in open_payments:
        same = PlannedPayment(payment.method, payment.total)
        if same in left:
            left.remove(same)
            kept.append(payment)
        else:
            replace_payment(payment, now=now)
    parts = [(each.method, each.amount.minor) for each in left]
    added = await add_payments(session, order, parts, limit=terms.payments_limit)
    await check_cash(session, order, [*kept, *added], field=("payments",))
    return added


async def return_to_cash(session: AsyncSession, order_id: int, *, cause: Cause) -> bool:
    """Collect at the door what was to be paid in advance and was not paid in time; whether that was due.

    What is still paid at a provider then goes back by itself.
    """
    order = await lock_order(session, order_id)
    is_due = order.payment_due_at is not None and order.payment_due_at <= cause.now
    if order.status is not OrderStatus.CONFIRMED or order.held_at or not is_due:
        return False
    payments = await find_unpaid_in_advance(session, order)
    amount = sum(payment.amount for payment in payments)
    for payment in payments:
        replace_payment(payment, now=cause.now)
    order.payment_due_at = None
    if amount:
        await add_cash(session, order, amount)
    record(session, OrderPaymentsChanged(order), cause)
    await session.flush()
    await refresh_payment_status(session, order)
    return True


async def find_unpaid_in_advance(session: AsyncSession, order: Order) -> Sequence[Payment]:
    """The payments of a locked order that are not made at the door, nor for what waits, and are not paid."""
    for_edits = select(OrderEdit.payment_id).where(OrderEdit.order_id == order.id)
    rows = await session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id, Payment.method.not_in(OFFLINE_METHODS))
        .where(Payment.status.not_in(SETTLED_STATUSES), Payment.id.not_in(for_edits), ~is_waited_for())
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def add_cash(session: AsyncSession, order: Order, amount: int) -> None:
    """Add to what is paid at the door."""
    cash = await find_cash_payments(session, order)
    if cash:
        cash[0].amount += amount
    else:
        await add_payments(session, order, [(PaymentMethod.CASH_ON_DELIVERY, amount)], limit=None)
