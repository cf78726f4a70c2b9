"""Making an edit, and settling the difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.aftersales.order_editing.carrying_out import carry_out
from domain.aftersales.order_editing.changes import OrderChanges
from domain.aftersales.order_editing.extra_payment import check_cash, request_payment
from domain.aftersales.order_editing.quote import PricedEdit, price_edit_of
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import cut_payments, find_open_payments
from domain.cause import Cause
from domain.errors import Invalid, collect_refusals
from domain.events import OrderEdited, OrderEvent
from domain.ledger import refresh_payment_status
from domain.money import apportion
from domain.order import (
    EditTotalMismatch,
    NotOffered,
    OrderTerms,
    confirm_if_secured,
    lock_order,
)
from domain.order.cash import sum_cash_under_way
from domain.order.waiting_edit import drop_waiting_edit
from domain.payment import add_payments, refundable_amount, request_refund
from domain.shipment import set_receipt_due
from models import Money, Order, OrderStatus, Payment, PaymentMethod
from text.messages import Message

COMMAND = "orderEdit"
"""The name of the mutation, under which its idempotency keys are stored."""

EDIT_REASON = Message("The order was changed.")


@dataclass(frozen=True, slots=True)
class EditRequest:
    """An edit, the total it was quoted with, and how what is missing is paid."""

    changes: OrderChanges
    expected_total: Money
    payment_method: PaymentMethod | None
    idempotency_key: str


async def edit_order(
    session: AsyncSession,
    order_id: int,
    request: EditRequest,
    terms: OrderTerms,
    *,
    receipt_after: timedelta,
    cause: Cause,
) -> Order:
    """Edit an order in one step, or ask for the payment after which it is edited.

    A repeated idempotency key changes nothing. Raises EditTotalMismatch at another total.
    """
    content = [order_id, request.changes.content, request.expected_total, request.payment_method]
    with collect_refusals() as check:
        with check:
            earlier = await idempotency.claim_key(
                session,
                account_id=cause.person,
                command=COMMAND,
                key=request.idempotency_key,
                content=content,
                now=cause.now,
            )
            if earlier is not None:
                return await session.get_one(Order, earlier)
        order = await lock_order(session, order_id)
        with check:
            await drop_waiting_edit(session, order, cause=cause)
            priced = await price_edit_of(session, order, request.changes, now=cause.now)
    if request.expected_total != priced.total:
        raise EditTotalMismatch(total=priced.total, given=request.expected_total)
    await make_edit(session, priced, request.payment_method, terms, cause=cause)
    await finish_edit(session, order, receipt_after=receipt_after, cause=cause)
    await idempotency.save_result(
        session,
        account_id=cause.person,
        command=COMMAND,
        key=request.idempotency_key,
        result_id=order.id,
    )
    return order


async def make_edit(
    session: AsyncSession,
    priced: PricedEdit,
    method: PaymentMethod | None,
    terms: OrderTerms,
    *,
    cause: Cause,
) -> None:
    """Carry an edit out and settle the difference, or wait until it is paid."""
    order, event = priced.order, OrderEdited(priced.order)
    open_payments = await find_open_payments(session, order)
    joins_unpaid = open_payments and (order.status is OrderStatus.PENDING or method is None)
    if priced.plan.difference <= 0 or joins_unpaid:
        await settle_at_once(session, priced, open_payments, event, cause=cause)
    else:
        await collect_difference(session, priced, method, terms, open_payments, cause=cause)


async def settle_at_once(
    session: AsyncSession,
    priced: PricedEdit,
    open_payments: Sequence[Payment],
    event: OrderEvent,
    *,
    cause: Cause,
) -> None:
    """Carry an edit out that costs less, or whose difference is added to what is unpaid."""
    order, difference = priced.order, priced.plan.difference
    if difference <= 0:
        await give_back(session, priced, open_payments, event, cause=cause)
        return
    shares = apportion(difference, [payment.amount for payment in open_payments])
    for payment, share in zip(open_payments, shares, strict=True):
        payment.amount += share
    await check_cash(session, order, open_payments)
    await carry_out(session, priced.facts, priced.plan, event, total_change=difference, cause=cause)


async def collect_difference(
    session: AsyncSession,
    priced: PricedEdit,
    method: PaymentMethod | None,
    terms: OrderTerms,
    open_payments: Sequence[Payment],
    *,
    cause: Cause,
) -> None:
    """Add a payment for what is missing; the edit waits for it, unless it is collected at the door."""
    order, difference = priced.order, priced.plan.difference
    field = ("payment_method",)
    if method is None:
        raise Invalid("Say how you pay {amount} more.", amount=priced.difference, field=field)
    if method not in terms.offered_methods or method.paid_when_placed:
        raise NotOffered(method, field=field)
    parts = [(method, difference)]
    [payment] = await add_payments(session, order, parts, limit=terms.payments_limit, field=field)
    if method.collected_offline:
        await check_cash(session, order, [*open_payments, payment])
        event = OrderEdited(order)
        await carry_out(session, priced.facts, priced.plan, event, total_change=difference, cause=cause)
    else:
        await request_payment(session, order, priced.plan, payment, terms, cause=cause)


async def give_back(
    session: AsyncSession,
    priced: PricedEdit,
    open_payments: Sequence[Payment],
    event: OrderEvent,
    *,
    cause: Cause,
) -> None:
    """Take what the order costs less off what is unpaid; the rest is refunded over the payments."""
    order, less = priced.order, -priced.plan.difference
    under_way = await sum_cash_under_way(session, order)
    still_due = sum(payment.amount - payment.captured_amount for payment in open_payments) - under_way
    unpaid = min(less, still_due)
    if unpaid:
        cut_payments(open_payments, unpaid, cash_under_way=under_way, now=cause.now)
    await carry_out(session, priced.facts, priced.plan, event, total_change=-unpaid, cause=cause)
    refund = min(less - unpaid, (await refundable_amount(session, order)).minor)
    if refund > 0:
        await request_refund(session, order, order.money(refund), reason=str(EDIT_REASON), cause=cause)


async def finish_edit(session: AsyncSession, order: Order, *, receipt_after: timedelta, cause: Cause) -> None:
    """Bring the statuses of an order to what an edit has made of it."""
    await refresh_payment_status(session, order)
    await confirm_if_secured(session, order, cause=cause.automatic)
    set_receipt_due(order, receipt_after=receipt_after)
    await settle_claimed_order(session, order, cause=cause.automatic)
