"""Dividing what is still to be paid among other payment methods."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.extra_payment import add_payment, check_cash
from domain.aftersales.withdrawal import find_open_payments
from domain.cause import Cause
from domain.errors import WrongState
from domain.events import OrderPaymentsChanged
from domain.ledger import refresh_payment_status
from domain.order import (
    AmountMismatch,
    OrderTerms,
    PlannedPayment,
    check_each_payment,
    confirm_if_secured,
    lock_order,
)
from domain.outbox import record
from domain.payment.states import TRANSITIONS
from domain.state import move, status_text
from models import Order, OrderStatus, Payment, PaymentStatus


async def change_payments(
    session: AsyncSession,
    order_id: int,
    planned: Sequence[PlannedPayment],
    terms: OrderTerms,
    *,
    cause: Cause,
) -> Order:
    """Pay what is still to be paid by these methods; the time to pay stays.

    An order of which nothing is to be paid in advance any more is confirmed. WrongState while a payment is
    being made, and where nothing is to be paid in advance.
    """
    order = await lock_order(session, order_id)
    if order.status is not OrderStatus.PENDING:
        raise WrongState(
            "This order is {status}; its payments stay.", status=status_text(order.status), field=("id",)
        )
    if order.payment_due_at is not None and order.payment_due_at <= cause.now:
        raise WrongState("The time to pay for this order is over.", field=("id",))
    open_payments = await find_open_payments(session, order)
    check_each_payment(planned, order.currency, terms)
    unpaid = sum(payment.amount for payment in open_payments)
    given = sum(each.amount.minor for each in planned)
    if given != unpaid:
        raise AmountMismatch(due=order.money(unpaid), given=order.money(given), field=("payments",))
    await divide_anew(session, order, open_payments, planned, terms)
    record(session, OrderPaymentsChanged(order), cause)
    await session.flush()
    await refresh_payment_status(session, order)
    await confirm_if_secured(session, order, cause=cause.automatic)
    return order


async def divide_anew(
    session: AsyncSession,
    order: Order,
    open_payments: Sequence[Payment],
    planned: Sequence[PlannedPayment],
    terms: OrderTerms,
) -> None:
    """Close the open payments and add others; one of the same method and amount stays as it is."""
    left = list(planned)
    kept: list[Payment] = []
    for payment in open_payments:
        same = PlannedPayment(payment.method, payment.total)
        if same in left:
            left.remove(same)
            kept.append(payment)
        else:
            payment.amount = 0
            move(payment, PaymentStatus.CLOSED, TRANSITIONS)
    added = [
        await add_payment(session, order, each.method, each.amount.minor, limit=terms.payments_limit)
        for each in left
    ]
    check_cash(order, [*kept, *added], field=("payments",))
