"""How a granted ticket is settled: by a refund or by a replacement, followed until it ends."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import ClaimFacts, load_claim_facts, refundable_amount
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.reasons import ClaimStage
from domain.aftersales.refund_amounts import cap_amounts, shipping_refund
from domain.aftersales.replacement import find_owed_units, is_replacement_under_way
from domain.aftersales.rules import ClaimCase
from domain.aftersales.sending import send_owed_units
from domain.aftersales.sent_units import load_sent_units, units_of_ticket
from domain.aftersales.states import TRANSITIONS, enter_status
from domain.aftersales.ticket import claim_of, lock_ticket, ticket_lines_of
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import RefundTerms, load_sending_plan, quote_planned, withdraw_lines
from domain.cause import Cause
from domain.errors import OutOfStock, WrongState
from domain.events import (
    TicketCompleted,
    TicketEvent,
    TicketRefundFailed,
    TicketRefundRetried,
    TicketReplacementUnavailable,
)
from domain.order import FINAL, reopen_order
from domain.order.waiting_edit import drop_waiting_edit
from domain.outbox import record
from domain.payment import request_refund, retry_refund
from domain.shipment import end_claimed_units, refresh_fulfilment, set_receipt_due
from domain.state import move
from models import Order, Refund, RefundStatus, Ticket, TicketLine, TicketStatus
from models.sql.together import read_together

SENDS_AND_REFUNDS = (
    TicketStatus.RESHIPPING,
    TicketStatus.AWAITING_CHOICE,
    TicketStatus.AWAITING_STOCK,
    TicketStatus.AWAITING_PAYMENT,
)
"""Beside a refund, something is still to be sent or chosen."""


async def grant_ticket(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    to: TicketStatus,
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Move a locked ticket to what was agreed, and request its refund or create its replacement.

    Where the replacement is sold out, the customer chooses what to get instead; where it costs more, they pay
    that first.
    """
    if order.status in FINAL:
        raise WrongState(
            "This order is {status}: nothing is left to grant.", status=order.status, field=("id",)
        )
    await reopen_order(session, order, cause=cause)
    if to is TicketStatus.RESHIPPING:
        await settle_in_goods(session, ticket, order, deadlines, cause=cause)
    else:
        enter_status(ticket, to, deadlines, now=cause.now)
    if to is TicketStatus.REFUNDING:
        await settle_in_money(session, ticket, order, deadlines, cause=cause)
    await end_lost_parcels(session, ticket, order, deadlines, cause=cause)
    await follow_replaced_tickets(session, ticket, order, deadlines, cause=cause)
    await settle_claimed_order(session, order, cause=cause.automatic)


def record_unavailable(session: AsyncSession, ticket: Ticket, *, cause: Cause) -> None:
    """Record that the customer has to choose, where a replacement was agreed to and cannot be sent."""
    if ticket.status is TicketStatus.AWAITING_CHOICE:
        record(session, TicketReplacementUnavailable(ticket), cause.automatic)


async def end_lost_parcels(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Expect nothing more of the parcels with units that a granted ticket settles as not received.

    Where all others have arrived, the order has: its receipt falls due.
    """
    claim = await claim_of(session, ticket)
    if claim.stage is ClaimStage.SENT:
        picked = units_of_ticket(await load_sent_units(session, order), ticket.id)
        units = {(each.shipment.id, each.delivery_line.id): quantity for each, quantity in picked}
        await end_claimed_units(session, order, units, cause=cause)
        set_receipt_due(order, receipt_after=deadlines.receipt)


async def settle_in_goods(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Send the replacement, or wait until it is paid where it costs more; who gets none chooses."""
    ticket.refund_amount = ticket.bonus_amount = 0  # what it was to bring is refunded as it is settled
    try:
        await send_owed_units(session, ticket, order, deadlines, cause=cause)
    except OutOfStock:
        enter_status(ticket, TicketStatus.AWAITING_CHOICE, deadlines, now=cause.now)


async def settle_in_money(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Withdraw what was not packed yet as cancelling it would; request the refund of everything else."""
    claim = await claim_of(session, ticket)
    if claim.stage is ClaimStage.WAITING:
        await drop_waiting_edit(session, order, cause=cause)
    facts = await load_claim_facts(session, order, claim, ticket_id=ticket.id)
    if claim.stage is ClaimStage.WAITING:
        await withdraw_ticket_lines(session, ticket, facts.case, deadlines, cause=cause)
    else:
        await request_ticket_refund(session, ticket, facts, cause=cause)


async def withdraw_ticket_lines(
    session: AsyncSession, ticket: Ticket, case: ClaimCase, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Withdraw the units of a ticket; it is completed at once where nothing of them was paid."""
    amounts = await withdraw_lines(
        session,
        case,
        terms=RefundTerms(ticket.reason.value, ticket.id, ticket.refund_target),
        receipt_after=deadlines.receipt,
        cause=cause,
    )
    for line, amount in zip(await ticket_lines_of(session, ticket), amounts.lines, strict=True):
        line.refund_amount, line.cancelled = amount, True
    ticket.refund_amount = amounts.refund
    if not amounts.refund:
        complete_ticket(ticket, now=cause.now)


async def request_ticket_refund(
    session: AsyncSession, ticket: Ticket, facts: ClaimFacts, *, cause: Cause
) -> None:
    """Request the refund that was quoted, with the shipping fee where this is the last of the order.

    It is never more than is left of what was paid: staff may have refunded something meanwhile.
    """
    order, lines = facts.case.order, await ticket_lines_of(session, ticket)
    *line_amounts, shipping = price_ticket_refund(lines, facts)
    for line, amount in zip(lines, line_amounts, strict=True):
        line.refund_amount = amount
    ticket.refund_amount = sum(line_amounts) + shipping
    if ticket.refund:
        reason = ticket.reason.value
        await request_refund(
            session,
            order,
            ticket.refund,
            ticket_id=ticket.id,
            target=ticket.refund_target,
            reason=reason,
            cause=cause,
        )
    else:
        ticket.bonus_amount = 0
        complete_ticket(ticket, now=cause.now)


def price_ticket_refund(lines: Sequence[TicketLine], facts: ClaimFacts) -> Sequence[int]:
    """What each line of a ticket brings back, and the shipping fee, in minor units."""
    fee = shipping_refund(facts.case.order, facts.case.claim, facts.case.units)
    return cap_amounts([*(line.refund_amount for line in lines), fee], refundable_amount(facts.payments))


async def quote_grant(session: AsyncSession, ticket: Ticket, order: Order) -> int:
    """What would be refunded if a locked ticket were granted now, in minor units.

    It may be more than when it was opened: the shipping fee goes back with the last units of the order.
    Raises AlreadyPacked where granting it would.
    """
    claim = await claim_of(session, ticket)
    if not claim.refunds:
        return 0
    found = load_claim_facts(session, order, claim, ticket_id=ticket.id)
    if claim.stage is ClaimStage.WAITING:
        facts, plan = await read_together(session, found, load_sending_plan(session, order))
        return quote_planned(plan, facts.case).refund
    facts, lines = await read_together(session, found, ticket_lines_of(session, ticket))
    return sum(price_ticket_refund(lines, facts))


async def follow_refunds(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Bring a ticket to the status its refunds have reached; nothing changes when it is there already."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is TicketStatus.RESHIPPING:
        await complete_if_done(session, ticket, order, deadlines, cause=cause)
    if ticket.status not in {TicketStatus.REFUNDING, TicketStatus.REFUND_FAILED}:
        return
    statuses = await find_refund_statuses(session, ticket)
    if statuses & {RefundStatus.FAILED, RefundStatus.ABNORMAL}:
        move_to(session, ticket, TicketStatus.REFUND_FAILED, TicketRefundFailed, deadlines, cause=cause)
        return
    if statuses & {RefundStatus.PENDING, RefundStatus.WAITING}:
        move_to(session, ticket, TicketStatus.REFUNDING, TicketRefundRetried, deadlines, cause=cause)
        return
    if ticket.status is TicketStatus.REFUND_FAILED:
        move(ticket, TicketStatus.REFUNDING, TRANSITIONS)
    complete_ticket(ticket, now=cause.now)
    record(session, TicketCompleted(ticket), cause)
    await settle_claimed_order(session, order, cause=cause.automatic)


async def find_refund_statuses(session: AsyncSession, ticket: Ticket) -> set[RefundStatus]:
    return set(await session.scalars(select(Refund.status).where(Refund.ticket_id == ticket.id)))


async def retry_refunds(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> Ticket:
    """Retry the failed refunds of a ticket at once, also those that were given up.

    One that sends something, or is to, may have refunded what it costs less.
    """
    _, ticket = await lock_ticket(session, ticket_id)
    rows = await session.scalars(
        select(Refund)
        .where(Refund.ticket_id == ticket_id, Refund.status == RefundStatus.FAILED)
        .order_by(Refund.id)
    )
    failed = rows.all()
    if ticket.status is not TicketStatus.REFUND_FAILED and not (
        failed and ticket.status in SENDS_AND_REFUNDS
    ):
        raise WrongState(
            "This ticket is {status}; no refund has failed.", status=ticket.status, field=("id",)
        )
    if not failed:  # the provider will never carry an abnormal one out
        raise WrongState("Transfer this refund, or have it go into store credit.", field=("id",))
    if ticket.status is TicketStatus.REFUND_FAILED:
        enter_status(ticket, TicketStatus.REFUNDING, deadlines, now=cause.now)
    for refund in failed:
        refund.retry_at = cause.now
        await session.flush()
        await retry_refund(session, refund.id, cause=cause.automatic)
    record(session, TicketRefundRetried(ticket), cause)
    return ticket


async def follow_replacement(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Complete a ticket once the last of its replacement has arrived; for what came back the customer
    chooses anew."""
    order, ticket = await lock_ticket(session, ticket_id)
    await follow_locked_replacement(session, ticket, order, deadlines, cause=cause)


async def follow_locked_replacement(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, *, cause: Cause
) -> None:
    if ticket.status is not TicketStatus.RESHIPPING:
        return
    if await find_owed_units(session, ticket, order):
        enter_status(ticket, TicketStatus.AWAITING_CHOICE, deadlines, now=cause.now)
        record_unavailable(session, ticket, cause=cause)
        return
    await complete_if_done(session, ticket, order, deadlines, cause=cause)


async def complete_if_done(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Complete a ticket that is sending a replacement when nothing of it is under way any more.

    What arrived in place of a parcel that came back counts as the delivery of its order.
    """
    unpaid = await find_refund_statuses(session, ticket) - {RefundStatus.SUCCEEDED}
    if not unpaid and not await is_replacement_under_way(session, ticket, order):
        complete_ticket(ticket, now=cause.now)
        record(session, TicketCompleted(ticket), cause)
        await session.flush()
        if await refresh_fulfilment(session, order, cause=cause.automatic):
            set_receipt_due(order, receipt_after=deadlines.receipt)
        await settle_claimed_order(session, order, cause=cause.automatic)


async def follow_replaced_tickets(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Bring tickets to their end of whose replacements this one has been granted: they owe nothing more."""
    claimed = units_of_ticket(await load_sent_units(session, order), ticket.id)
    earlier = {each.replaces_ticket_id for each, _ in claimed if each.replaces_ticket_id is not None}
    for ticket_id in sorted(earlier):
        replaced = await session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
        await follow_locked_replacement(session, replaced, order, deadlines, cause=cause.automatic)


def move_to(
    session: AsyncSession,
    ticket: Ticket,
    to: TicketStatus,
    event_type: type[TicketEvent],
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    if ticket.status is not to:
        enter_status(ticket, to, deadlines, now=cause.now)
        record(session, event_type(ticket), cause)


def complete_ticket(ticket: Ticket, *, now: datetime) -> None:
    move(ticket, TicketStatus.COMPLETED, TRANSITIONS)
    ticket.closed_at = now
    ticket.end_waiting()
