"""Paying orders with store credit: in the transaction that places them, out of locked balances."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, Path
from domain.events import OrderConfirmed, PaymentCaptured
from domain.ledger import payment_status_for
from domain.order.batch import BatchItem
from domain.order.insert import InsertPlan
from domain.order.states import TRANSITIONS
from domain.outbox import record_all
from domain.state import move
from domain.store_credit import CreditPayment, lock_balances, spend_credit
from models import CurrencyCode, Money, Order, OrderStatus, Payment, PaymentMethod, PaymentStatus

Balances = Mapping[tuple[int, CurrencyCode], Money]


class CreditTooSmall(DomainError):
    """More store credit was to be spent than there is; guests have none."""

    code = ErrorCode.AMOUNT_MISMATCH

    def __init__(self, left: Money, *, field: Path = ("payments",)) -> None:
        super().__init__("You have {left} of store credit.", left=left, field=field)
        self.left = left


class CreditOfCustomer(DomainError):
    """Staff were to spend the store credit of somebody else."""

    code = ErrorCode.INVALID

    def __init__(self, *, field: Path = ("payments",)) -> None:
        super().__init__("Only customers themselves pay with their store credit.", field=field)


def credit_of(item: BatchItem) -> Mapping[CurrencyCode, int]:
    """How much store credit an order is to be paid with, in minor units."""
    requested: dict[CurrencyCode, int] = {}
    for payment in item.payment_plan.payments:
        if payment.method is PaymentMethod.STORE_CREDIT:
            currency = payment.amount.currency
            requested[currency] = requested.get(currency, 0) + payment.amount.minor
    return requested


async def lock_credit(session: AsyncSession, items: Sequence[BatchItem]) -> Balances:
    """The balances that these orders are to be paid from, locked; nothing is read where none is."""
    holders = [
        (account_id, currency)
        for item in items
        for currency in credit_of(item)
        if (account_id := item.request.owner.account_id) is not None and not item.guest
    ]
    return await lock_balances(session, holders) if holders else {}


def check_credit(item: BatchItem, balances: Balances) -> None:
    """Refuse to spend more store credit than there is, or somebody else's."""
    if item.placed_by is not None and credit_of(item):
        raise CreditOfCustomer
    account_id = None if item.guest else item.request.owner.account_id
    for currency, requested in credit_of(item).items():
        zero = Money.zero(currency)
        left = zero if account_id is None else balances.get((account_id, currency), zero)
        if requested > left.minor:
            raise CreditTooSmall(left)


async def pay_with_credit(session: AsyncSession, plans: Sequence[InsertPlan], *, cause: Cause) -> None:
    """Capture what new orders pay with store credit; those that are paid so are confirmed.

    A constant number of statements for all, none where no order has such a payment.
    """
    orders = {
        plan.order.id: plan.order
        for plan in plans
        if any(payment.method.paid_when_placed for payment in plan.payments)
    }
    if not orders:
        return
    rows = await session.scalars(
        select(Payment).where(Payment.order_id.in_(orders)).order_by(Payment.order_id, Payment.position)
    )
    payments = rows.all()
    spent = [
        CreditPayment(orders[payment.order_id], payment)
        for payment in payments
        if payment.method.paid_when_placed
    ]
    await capture_credit(session, spent, cause=cause)
    for order in orders.values():
        captured = sum(each.captured_amount for each in payments if each.order_id == order.id)
        order.payment_status = payment_status_for(
            total=order.total_amount, cancelled=order.cancelled_amount, captured=captured, refunded=0
        )
    waiting = {each.order_id for each in payments if each.method.has_provider}
    await confirm_paid(session, [order for id, order in orders.items() if id not in waiting], cause=cause)


async def capture_credit(session: AsyncSession, spent: Sequence[CreditPayment], *, cause: Cause) -> None:
    """Capture payments out of balances that are locked and were found sufficient."""
    await spend_credit(session, spent, now=cause.now)
    for each in spent:
        each.payment.status = PaymentStatus.CAPTURED
        each.payment.captured_amount, each.payment.captured_at = each.payment.amount, cause.now
    captures = [PaymentCaptured(each.order, payment_id=each.payment.id) for each in spent]
    await record_all(session, captures, cause)


async def take_credit(
    session: AsyncSession,
    order: Order,
    payments: Sequence[Payment],
    *,
    field: Path = ("payments",),
    cause: Cause,
) -> None:
    """Capture those of the new payments of a locked order that are made with store credit."""
    spent = [CreditPayment(order, payment) for payment in payments if payment.method.paid_when_placed]
    if not spent:
        return
    if cause.by != order.account_id:
        raise CreditOfCustomer(field=field)
    holder = order.account_id, order.currency
    left = (await lock_balances(session, [holder])).get(holder, Money.zero(order.currency))
    if sum(each.payment.amount for each in spent) > left.minor:
        raise CreditTooSmall(left, field=field)
    await capture_credit(session, spent, cause=cause)
    await session.flush()


async def confirm_paid(session: AsyncSession, orders: Sequence[Order], *, cause: Cause) -> None:
    """Confirm new orders of which nothing more is paid in advance."""
    for order in orders:
        move(order, OrderStatus.CONFIRMED, TRANSITIONS)
        order.confirmed_at, order.payment_due_at = cause.now, None
    await record_all(session, [OrderConfirmed(order) for order in orders], cause.automatic)
