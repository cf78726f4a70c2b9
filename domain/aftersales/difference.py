"""The payment for a replacement that costs more: asked for, made, or not made in time."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.replacement import find_owed_units
from domain.aftersales.sending import (
    planned_units,
    release_difference_units,
    send_units,
    sum_surcharges,
    take_difference_units,
)
from domain.aftersales.states import enter_status
from domain.aftersales.substitute import drop_substitutes
from domain.aftersales.ticket import lock_ticket, ticket_lines_of
from domain.cause import Cause
from domain.errors import DomainError, Invalid, WrongState
from domain.events import (
    OrderPaymentsChanged,
    TicketDifferencePaid,
    TicketDifferenceUnpaid,
    TicketReplacementUnavailable,
)
from domain.ledger import refresh_payment_status
from domain.order import NotOffered, OrderTerms
from domain.order.credit import take_credit
from domain.order.extra_amount import add_extra, take_extra_off
from domain.order.payments_under_way import check_none_under_way
from domain.outbox import record
from domain.payment import add_payments, refund_payment, replace_payment
from domain.payment.states import SETTLED_STATUSES
from models import Order, Payment, PaymentMethod, PaymentStatus, Ticket, TicketDifference, TicketStatus
from text.messages import Message

BEING_PAID = Message("The difference is being paid; try again when it is through.")
NOT_POSSIBLE_ANY_MORE = Message("What was paid for cannot be sent any more.")


async def find_waiting_difference(session: AsyncSession, ticket: Ticket) -> TicketDifference | None:
    """What a locked ticket waits to be paid."""
    return await session.scalar(
        select(TicketDifference)
        .where(TicketDifference.ticket_id == ticket.id, TicketDifference.paid_at.is_(None))
        .execution_options(populate_existing=True)
    )


async def choose_difference_payment(
    session: AsyncSession, ticket_id: int, method: PaymentMethod, terms: OrderTerms, *, cause: Cause
) -> Ticket:
    """Say by which method the difference is paid: its payment can be started then, in time.

    Another method takes the place of the one before; PaymentUnderWay while that is being used. Store credit
    pays it at once.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    difference = await find_waiting_difference(session, ticket)
    if ticket.status is not TicketStatus.AWAITING_PAYMENT or difference is None:
        template = "This ticket is {status}; nothing is to be paid for it."
        raise WrongState(template, status=ticket.status, field=("id",))
    if ticket.due_at is not None and ticket.due_at <= cause.now:
        raise WrongState("The time to pay the difference is over.", field=("id",))
    if method not in terms.offered_methods:
        raise NotOffered(method, field=("method",))
    if method.collected_offline:
        raise Invalid("It is paid before it is sent: cash is not possible.", field=("method",))
    former = await find_payment(session, difference)
    if former is not None and former.method is method and former.status not in SETTLED_STATUSES:
        return ticket
    if former is not None:
        await withdraw_payment(session, order, former, cause=cause)
    parts = [(method, difference.amount)]
    [payment] = await add_payments(session, order, parts, limit=terms.payments_limit, field=("method",))
    difference.payment_id = payment.id
    await add_extra(session, order, payment.total, key=f"difference:{payment.reference}", now=cause.now)
    await take_credit(session, order, [payment], field=("method",), cause=cause)
    record(session, OrderPaymentsChanged(order), cause)
    await session.flush()
    await refresh_payment_status(session, order)
    return ticket


async def find_payment(session: AsyncSession, difference: TicketDifference) -> Payment | None:
    if difference.payment_id is None:
        return None
    return await session.get_one(Payment, difference.payment_id, populate_existing=True)


async def withdraw_payment(session: AsyncSession, order: Order, payment: Payment, *, cause: Cause) -> None:
    """Expect a payment no more that was neither made nor is being made; what is paid late goes back."""
    if payment.status is PaymentStatus.CAPTURED:
        raise WrongState(BEING_PAID, field=("id",))
    check_none_under_way([payment], BEING_PAID)
    await close_payment(session, order, payment, cause=cause)


async def close_payment(session: AsyncSession, order: Order, payment: Payment, *, cause: Cause) -> None:
    amount = payment.total
    if payment.status is not PaymentStatus.CLOSED:
        replace_payment(payment, now=cause.now)
    key = f"difference dropped:{payment.reference}"
    await take_extra_off(session, order, amount, key=key, now=cause.now)


async def give_up_difference(session: AsyncSession, ticket: Ticket, order: Order, *, cause: Cause) -> None:
    """Drop what a locked ticket waits to be paid, since its customer chooses something else.

    PaymentUnderWay while it is being paid.
    """
    difference = await find_waiting_difference(session, ticket)
    if difference is None:
        return
    payment = await find_payment(session, difference)
    if payment is not None:
        await withdraw_payment(session, order, payment, cause=cause)
    await drop_difference(session, ticket, order, difference, cause=cause)


async def drop_difference(
    session: AsyncSession, ticket: Ticket, order: Order, difference: TicketDifference, *, cause: Cause
) -> None:
    """Release what was kept, and owe again what was bought where it cost more; its payment is closed, or was
    made."""
    surcharges = sum_surcharges(planned_units(difference))
    await release_difference_units(session, order, difference, cause=cause)
    paid_for = difference.payment_id is not None
    await session.delete(difference)
    await session.flush()
    lines = await ticket_lines_of(session, ticket)
    drop_substitutes(line for line in lines if surcharges.get(line.order_line_id))
    await refresh_payment_status(session, order)
    if paid_for:
        record(session, OrderPaymentsChanged(order), cause.automatic)


async def drop_unpaid_difference(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    """Nobody has paid in time: the customer chooses what to get instead, the same again among it."""
    difference = await find_waiting_difference(session, ticket)
    if difference is not None:
        payment = await find_payment(session, difference)
        if payment is not None and payment.status is PaymentStatus.CAPTURED:
            return  # it is sent by what follows the payment
        if payment is not None:
            await close_payment(session, order, payment, cause=cause)
        await drop_difference(session, ticket, order, difference, cause=cause)
    enter_status(ticket, TicketStatus.AWAITING_CHOICE, deadlines, now=cause.now)
    record(session, TicketDifferenceUnpaid(ticket), cause.automatic)


async def send_paid_replacement(
    session: AsyncSession, payment_id: int, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Send the replacement that a payment was made for; a second time changes nothing.

    Where it cannot be sent any more the payment goes back, and the customer chooses.
    """
    ticket_id = await session.scalar(
        select(TicketDifference.ticket_id).where(
            TicketDifference.payment_id == payment_id, TicketDifference.paid_at.is_(None)
        )
    )
    if ticket_id is None:
        return
    order, ticket = await lock_ticket(session, ticket_id)
    difference = await find_waiting_difference(session, ticket)
    payment = await session.get_one(Payment, payment_id, populate_existing=True)
    if difference is None or difference.payment_id != payment_id:
        return
    if payment.status is not PaymentStatus.CAPTURED:
        return
    try:
        async with session.begin_nested():
            await send_kept_units(session, ticket, order, difference, deadlines, cause=cause)
    except DomainError:
        await session.refresh(order)
        await session.refresh(ticket)
        await session.refresh(difference)
        await drop_difference(session, ticket, order, difference, cause=cause)
        reason = str(NOT_POSSIBLE_ANY_MORE)
        await refund_payment(session, order, payment, reason=reason, cause=cause)
        enter_status(ticket, TicketStatus.AWAITING_CHOICE, deadlines, now=cause.now)
        record(session, TicketReplacementUnavailable(ticket), cause.automatic)
    else:
        record(session, TicketDifferencePaid(ticket), cause)
    await refresh_payment_status(session, order)


async def send_kept_units(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    difference: TicketDifference,
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    planned = planned_units(difference)
    owed = await find_owed_units(session, ticket, order)
    if sum(units.quantity for units in planned) != sum(units.quantity for units in owed):
        raise WrongState("What is owed has changed meanwhile.")
    # Released, they might go to whoever waits for stock.
    kept = await take_difference_units(session, difference)
    await send_units(session, ticket, order, planned, kept=kept, cause=cause)
    surcharges = sum_surcharges(planned)
    for line in await ticket_lines_of(session, ticket):
        line.surcharge_amount += surcharges.get(line.order_line_id, 0)
    difference.paid_at = cause.now
    enter_status(ticket, TicketStatus.RESHIPPING, deadlines, now=cause.now)
    await session.flush()
