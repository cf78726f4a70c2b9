"""Payments for what an edit makes dearer: until they are made, the order is as it was."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.carrying_out import carry_out
from domain.aftersales.order_editing.changes import OrderChanges
from domain.aftersales.order_editing.facts import EditFacts, load_edit_facts
from domain.aftersales.order_editing.plan import EditPlan, load_plan
from domain.cause import Cause
from domain.errors import DomainError, WrongState
from domain.events import OrderEdited, OrderEditRequested
from domain.ledger import refresh_payment_status
from domain.order import OrderTerms, check_cash_amount, find_cash_terms, lock_order
from domain.order.extra_amount import add_extra
from domain.order.open_parts import check_no_open_ticket
from domain.order.waiting_edit import (
    EDIT_TRANSITIONS,
    drop_edit,
    drop_waiting_edit,
    find_waiting_edit,
    release_edit_units,
)
from domain.outbox import record
from domain.payment import refund_payment
from domain.shipment import set_receipt_due
from domain.state import move
from domain.stock import Allocation, reserve_stock
from models import (
    Money,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderEditUnits,
    OrderStatus,
    Payment,
    PaymentStatus,
)
from text.messages import Message

NOT_POSSIBLE_ANY_MORE = Message("The change that was paid for is not possible any more.")


async def check_cash(
    session: AsyncSession,
    order: Order,
    payments: Sequence[Payment],
    *,
    field: tuple[str, ...] = ("payment_method",),
) -> None:
    """Refuse more cash at the door than a courier may collect there."""
    may_be_cash = order.status is OrderStatus.CONFIRMED  # what is not paid in time returns to cash
    cash = sum(each.amount for each in payments if each.method.collected_offline or may_be_cash)
    if cash:
        terms = await find_cash_terms(session, order)
        # the change may make it less than the least that is taken otherwise
        check_cash_amount(order.money(cash), replace(terms, minimum=Money.zero(order.currency)), field=field)


async def request_payment(
    session: AsyncSession,
    order: Order,
    plan: EditPlan,
    payment: Payment,
    terms: OrderTerms,
    *,
    cause: Cause,
) -> OrderEdit:
    """Keep an edit until its payment is made, with its stock reserved."""
    within = terms.time_to_pay([payment.method]) or timedelta(0)
    edit = OrderEdit(
        order_id=order.id,
        payment_id=payment.id,
        status=OrderEditStatus.AWAITING_PAYMENT,
        currency=order.currency,
        amount=payment.amount,
        plan=plan.dump(),
        requested_by=cause.by,
        created_at=cause.now,
        due_at=cause.now + within,
    )
    session.add(edit)
    await session.flush()
    await reserve_edit_units(session, order, edit, plan, cause=cause)
    key = f"edit requested:{payment.reference}"
    await add_extra(session, order, payment.total, key=key, now=cause.now)
    record(session, OrderEditRequested(order, payment_id=payment.id), cause)
    return edit


async def reserve_edit_units(
    session: AsyncSession, order: Order, edit: OrderEdit, plan: EditPlan, *, cause: Cause
) -> None:
    """Reserve what the edit adds; units that wait for stock are counted when it is carried out."""
    units = Counter[tuple[int, int]]()
    for addition in plan.additions:
        for source in addition.sources:
            if addition.tracked:
                units[addition.variant_id, source.warehouse_id] += source.quantity - source.backordered
    allocations = [Allocation(*key, quantity) for key, quantity in sorted(units.items()) if quantity]
    session.add_all(
        OrderEditUnits(
            edit_id=edit.id,
            variant_id=each.variant_id,
            warehouse_id=each.warehouse_id,
            quantity=each.quantity,
        )
        for each in allocations
    )
    await session.flush()
    await reserve_stock(session, allocations, order_id=order.id, cause=cause)


async def carry_out_paid_edit(
    session: AsyncSession, payment_id: int, *, receipt_after: timedelta, cause: Cause
) -> None:
    """Carry out the edit that a payment was made for; a second time changes nothing.

    An edit that is not possible any more is dropped, and its payment refunded.
    """
    found = await session.scalar(select(OrderEdit).where(OrderEdit.payment_id == payment_id))
    if found is None:
        return
    order = await lock_order(session, found.order_id)
    edit = await session.get_one(OrderEdit, found.id, populate_existing=True)
    payment = await session.get_one(Payment, payment_id, populate_existing=True)
    if edit.status is not OrderEditStatus.AWAITING_PAYMENT or payment.status is not PaymentStatus.CAPTURED:
        return
    try:
        async with session.begin_nested():
            await carry_out_edit(session, order, edit, cause=cause)
    except DomainError:
        await session.refresh(order)
        edit = await session.get_one(OrderEdit, found.id, populate_existing=True)
        await drop_edit(session, order, edit, cause=cause)
        await refund_payment(session, order, payment, reason=str(NOT_POSSIBLE_ANY_MORE), cause=cause)
    await refresh_payment_status(session, order)
    set_receipt_due(order, receipt_after=receipt_after)


async def carry_out_edit(session: AsyncSession, order: Order, edit: OrderEdit, *, cause: Cause) -> None:
    await check_no_open_ticket(session, order)
    facts = await load_edit_facts(session, order, OrderChanges(), now=cause.now)
    if edit.plan is None:
        raise WrongState("This change has ended.")
    plan = load_plan(edit.plan)
    check_unchanged(facts, plan)
    await release_edit_units(session, order, edit, cause=cause)
    by = Cause(cause.now, edit.requested_by)
    await carry_out(session, facts, plan, OrderEdited(order), total_change=0, cause=by)
    move(edit, OrderEditStatus.DONE, EDIT_TRANSITIONS)
    edit.plan = None
    await session.flush()


def check_unchanged(facts: EditFacts, plan: EditPlan) -> None:
    """Raise WrongState where the order is not what the plan was made from."""
    now = {line_id: (each.units, each.amount) for line_id, each in facts.kept.items()}
    units = {line.id: line.quantity - line.packed for line in facts.sending.lines}
    same = now == {line.line_id: (line.units_before, line.before) for line in plan.lines}
    if not same or any(units.get(each.delivery_line_id, 0) < each.units for each in plan.removals):
        raise WrongState("This order has been changed meanwhile.")


async def withdraw_edit(session: AsyncSession, order_id: int, *, cause: Cause) -> Order:
    """Drop the edit that waits for its payment, since its customer gives it up."""
    order = await lock_order(session, order_id)
    if await find_waiting_edit(session, order.id) is None:
        raise WrongState("No change of this order waits for a payment.", field=("id",))
    await drop_waiting_edit(session, order, cause=cause)
    return order


async def drop_unpaid_edit(session: AsyncSession, edit_id: int, *, cause: Cause) -> bool:
    """Drop an edit that was not paid in time, unless its order is held; whether it was dropped."""
    order_id = await session.scalar(select(OrderEdit.order_id).where(OrderEdit.id == edit_id))
    if order_id is None:
        return False
    order = await lock_order(session, order_id)
    edit = await session.get_one(OrderEdit, edit_id, populate_existing=True)
    payment = await session.get_one(Payment, edit.payment_id, populate_existing=True)
    is_due = edit.status is OrderEditStatus.AWAITING_PAYMENT and edit.due_at <= cause.now
    if not is_due or order.held_at is not None or payment.status is PaymentStatus.CAPTURED:
        return False
    await drop_edit(session, order, edit, cause=cause)
    return True
