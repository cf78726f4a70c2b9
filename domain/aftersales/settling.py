"""How a ticket that was granted comes to its end: the money goes back, or the goods go out again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.facts import facts_of, refundable
from domain.aftersales.goods import all_arrived, send_again, withdraw
from domain.aftersales.quote import capped
from domain.aftersales.rules import Stage
from domain.aftersales.states import TRANSITIONS, Deadlines, enter
from domain.aftersales.sums import shipping_refund
from domain.aftersales.ticket import claim_of, lines_of, lock_ticket
from domain.errors import WrongState
from domain.order import OVER
from domain.outbox import record
from domain.payment import request_refund, retry_refund
from domain.state import move, words
from models import Order, Refund, RefundStatus, Ticket, TicketStatus


async def grant(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    to: TicketStatus,
    deadlines: Deadlines,
    *,
    now: datetime,
    by: int | None,
) -> None:
    """Move a locked ticket to what was agreed, and begin with it."""
    if order.status in OVER:
        raise WrongState(f"This order is {words(order.status)}: nothing is left to grant.", field=("id",))
    enter(ticket, to, deadlines, now=now)
    match to:
        case TicketStatus.REFUNDING:
            await pay(session, ticket, order, now=now, by=by)
        case TicketStatus.RESHIPPING:
            await send_again(session, ticket, order, now=now, by=by)


async def pay(session: AsyncSession, ticket: Ticket, order: Order, *, now: datetime, by: int | None) -> None:
    """Promise the refund: what was shown, and the fee if this turns out to be the last of the order.

    Never more than is left of what was paid: staff may have given something back meanwhile.
    """
    claim = await claim_of(session, ticket)
    if claim.stage is Stage.WAITING:
        await withdraw(session, order, claim.lines, now=now, by=by)
    facts = await facts_of(session, order, claim, own=ticket.id)
    lines = await lines_of(session, ticket)
    fee = shipping_refund(order, claim, facts.case.units)
    promised = [*(line.refund_amount for line in lines), fee]
    *goods, shipping = capped(promised, refundable(facts.payments))
    for line, amount in zip(lines, goods, strict=True):
        line.refund_amount = amount
    ticket.refund_amount = sum(goods) + shipping
    if ticket.refund:
        reason = ticket.reason.value
        await request_refund(
            session, order, ticket.refund, ticket_id=ticket.id, reason=reason, now=now, by=by
        )
    else:
        end(ticket, now=now)


async def follow_refunds(session: AsyncSession, ticket_id: int, *, now: datetime) -> None:
    """Bring a ticket to where its refunds are; nothing changes when it is there already."""
    _, ticket = await lock_ticket(session, ticket_id)
    if ticket.status not in {TicketStatus.REFUNDING, TicketStatus.REFUND_FAILED}:
        return
    found = await session.scalars(select(Refund.status).where(Refund.ticket_id == ticket_id))
    statuses = set(found)
    if RefundStatus.FAILED in statuses:
        go(session, ticket, TicketStatus.REFUND_FAILED, "ticket.refund_failed", now=now)
        return
    if RefundStatus.PENDING in statuses:
        go(session, ticket, TicketStatus.REFUNDING, "ticket.refund_retried", now=now)
        return
    if ticket.status is TicketStatus.REFUND_FAILED:
        move(ticket, TicketStatus.REFUNDING, TRANSITIONS)
    end(ticket, now=now)
    record(session, "ticket.completed", ticket, now=now)


async def retry_refunds(session: AsyncSession, ticket_id: int, *, now: datetime, by: int) -> Ticket:
    """Try at once what would be tried later, or was given up."""
    _, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.REFUND_FAILED:
        raise WrongState(f"This ticket is {words(ticket.status)}; no refund has failed.", field=("id",))
    move(ticket, TicketStatus.REFUNDING, TRANSITIONS)
    failed = await session.scalars(
        select(Refund)
        .where(Refund.ticket_id == ticket_id, Refund.status == RefundStatus.FAILED)
        .order_by(Refund.id)
    )
    for refund in failed.all():
        refund.retry_at = now
        await session.flush()
        await retry_refund(session, refund.id, now=now)
    record(session, "ticket.refund_retried", ticket, now=now, by=by)
    return ticket


async def follow_replacement(session: AsyncSession, ticket_id: int, *, now: datetime) -> None:
    """Close a ticket once the last parcel of its replacement has arrived."""
    _, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is TicketStatus.RESHIPPING and await all_arrived(session, ticket):
        end(ticket, now=now)
        record(session, "ticket.completed", ticket, now=now)


def go(session: AsyncSession, ticket: Ticket, to: TicketStatus, name: str, *, now: datetime) -> None:
    if ticket.status is not to:
        move(ticket, to, TRANSITIONS)
        record(session, name, ticket, now=now)


def end(ticket: Ticket, *, now: datetime) -> None:
    move(ticket, TicketStatus.COMPLETED, TRANSITIONS)
    ticket.due_at, ticket.closed_at = None, now
