"""What customers get for a replacement that is sold out or came back: they wait, or take something else."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.aftersales.claim_facts import load_claim_facts
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.difference import find_waiting_difference, give_up_difference
from domain.aftersales.goods_in_repair import (
    count_in_repair,
    keep_goods_in_repair,
    send_back_repaired,
)
from domain.aftersales.refund_amounts import cap_amounts, line_refund, shipping_refund
from domain.aftersales.replacement import (
    OwedUnits,
    find_order_lines,
    find_owed_units,
    is_replacement_under_way,
)
from domain.aftersales.rules import ClaimCase, ClaimedUnits, TicketClaim
from domain.aftersales.sending import add_refunds, planned_units, send_owed_units
from domain.aftersales.settlement import complete_ticket
from domain.aftersales.states import CHOOSABLE, enter_status
from domain.aftersales.substitute import set_substitute
from domain.aftersales.ticket import lock_ticket, ticket_lines_of
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import reduce_payments
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, OutOfStock, WrongState
from domain.events import TicketCompleted, TicketReplacementChosen, TicketReplacementFilled
from domain.ledger import refresh_payment_status
from domain.order.cash import find_cash_payments, load_cash_groups
from domain.outbox import record
from domain.stock import lock_levels
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    ReplacementChoice,
    StockLevel,
    StockMovement,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
    TicketUnits,
    Variant,
    in_active_warehouse,
)
from models.sql.types import AnySelect

DIFFERENCES_LIMIT = 3
"""How often something dearer is kept for one ticket until it is paid."""


async def choose_replacement(
    session: AsyncSession,
    ticket_id: int,
    choice: ReplacementChoice,
    deadlines: Deadlines,
    *,
    variant_id: int | None = None,
    cause: Cause,
) -> Ticket:
    """Do what the customer chooses; who waits, or has not paid a difference, may still choose something else.

    Raises OutOfStock for a variant of which too few are left.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status not in CHOOSABLE:
        template = "This ticket is {status}; there is nothing to choose."
        raise WrongState(template, status=ticket.status, field=("id",))
    if (choice is ReplacementChoice.VARIANT) != (variant_id is not None):
        raise Invalid("Name a variant if, and only if, you choose another one.", field=("variant_id",))
    pay_by = ticket.due_at if ticket.status is TicketStatus.AWAITING_PAYMENT else None
    if ticket.status is TicketStatus.AWAITING_PAYMENT:
        if choice is ReplacementChoice.VARIANT and await waits_for_variant(session, ticket, variant_id):
            return ticket
        await give_up_difference(session, ticket, order, cause=cause)
        enter_status(ticket, TicketStatus.AWAITING_CHOICE, deadlines, now=cause.now)
    owed = await find_owed_units(session, ticket, order)
    match choice:
        case ReplacementChoice.WAIT:
            wait_for_stock(ticket, deadlines, cause=cause)
        case ReplacementChoice.MONEY:
            await refund_owed_units(session, ticket, order, owed, deadlines, cause=cause)
        case ReplacementChoice.SAME_UNITS:
            await take_same_units(session, ticket, order, owed, deadlines, cause=cause)
        case ReplacementChoice.VARIANT:
            await note_substitute(session, ticket, order, owed, variant_id or 0)
            await send_owed_units(session, ticket, order, deadlines, cause=cause)
            if ticket.status is TicketStatus.AWAITING_PAYMENT:
                limit_keeping(ticket, pay_by)
    record(session, TicketReplacementChosen(ticket, choice=choice, variant_id=variant_id), cause)
    if ticket.status is TicketStatus.COMPLETED:
        record(session, TicketCompleted(ticket), cause.automatic)
        await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket


def limit_keeping(ticket: Ticket, pay_by: datetime | None) -> None:
    """Let nobody keep stock for longer by choosing again what they do not pay, be it at once or later.

    LimitReached where something dearer was kept too often.
    """
    if pay_by is not None:
        ticket.due_at = pay_by
        ticket.differences_due -= 1
    elif ticket.differences_due > DIFFERENCES_LIMIT:
        template = "Something dearer was kept for you {limit} times: choose what costs no more, or money."
        raise LimitReached(template, limit=DIFFERENCES_LIMIT, field=("variant_id",))


async def take_same_units(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    owed: Sequence[OwedUnits],
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Send back what was sent in for a repair, as it is; WrongState where it is not here any more."""
    here = await count_in_repair(session, ticket)
    if not owed or sum(here.values()) < sum(units.quantity for units in owed):
        raise WrongState("What you sent in is not here any more: choose something else.", field=("choice",))
    await send_back_repaired(session, ticket, order)
    enter_status(ticket, TicketStatus.RESHIPPING, deadlines, now=cause.now)


async def waits_for_variant(session: AsyncSession, ticket: Ticket, variant_id: int | None) -> bool:
    """Whether all that is kept for a ticket until it is paid is of this variant."""
    difference = await find_waiting_difference(session, ticket)
    kept = {units.variant_id for units in planned_units(difference)} if difference else set()
    return kept == {variant_id}


def wait_for_stock(ticket: Ticket, deadlines: Deadlines, *, cause: Cause) -> None:
    if ticket.status is TicketStatus.AWAITING_STOCK:
        raise WrongState("This ticket is waiting already.", field=("choice",))
    enter_status(ticket, TicketStatus.AWAITING_STOCK, deadlines, now=cause.now)
    ticket.stock_seen = None


async def note_substitute(
    session: AsyncSession, ticket: Ticket, order: Order, owed: Sequence[OwedUnits], variant_id: int
) -> None:
    """Note another variant in place of what is owed, at its price now."""
    order_lines = await find_order_lines(session, owed)
    lines = [
        (line, order_lines[line.order_line_id])
        for line in await ticket_lines_of(session, ticket)
        if line.order_line_id in order_lines
    ]
    await set_substitute(session, order, lines, variant_id, field=("variant_id",))
    await session.flush()


async def refund_owed_units(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    owed: Sequence[OwedUnits],
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Give back what was paid for what is owed, with the fee where this is the last of a faulty order.

    What was to be paid at the door for it is not due any more.
    """
    claimed: dict[int, int] = {}
    for units in owed:
        claimed[units.order_line_id] = claimed.get(units.order_line_id, 0) + units.quantity
    claim = TicketClaim(
        TicketType.REFUND_ONLY,
        ticket.reason,
        tuple(ClaimedUnits(line_id, quantity) for line_id, quantity in claimed.items()),
    )
    case = (await load_claim_facts(session, order, claim)).case
    amounts = {
        line_id: line_refund(case.lines[line_id], case.units[line_id], quantity)
        for line_id, quantity in claimed.items()
    }
    reductions = dict.fromkeys(claimed, 0)
    for units in owed:
        reductions[units.order_line_id] += units.reduction_amount * units.quantity
    amounts = {line_id: amount - reductions[line_id] for line_id, amount in amounts.items()}
    unpaid = await take_off_unpaid(session, case, ticket, amounts, cause=cause)
    amounts = {line_id: amount - unpaid[line_id] for line_id, amount in amounts.items()}
    fee = shipping_refund(order, claim, case.units)
    under_way = await is_replacement_under_way(session, ticket, order)
    to = TicketStatus.RESHIPPING if under_way else TicketStatus.REFUNDING
    enter_status(ticket, to, deadlines, now=cause.now)
    before = {line.order_line_id: line.amount_in_place for line in await ticket_lines_of(session, ticket)}
    for line, amount in await add_refunds(session, ticket, order, amounts, fee=fee, cause=cause):
        line.refunded_in_place += claimed[line.order_line_id]
        line.in_place_amount = before[line.order_line_id] + amount + reductions[line.order_line_id]
    await keep_goods_in_repair(session, ticket, order, cause=cause)
    if to is TicketStatus.REFUNDING and not ticket.refund_amount:
        complete_ticket(ticket, now=cause.now)


async def take_off_unpaid(
    session: AsyncSession, case: ClaimCase, ticket: Ticket, amounts: Mapping[int, int], *, cause: Cause
) -> Mapping[int, int]:
    """What of these amounts, by order line, was to be paid with what is owed.

    It comes off the payments at once where other parcels are still to leave, which would bring it; else when
    the ticket ends.
    """
    order = case.order
    unsent = (await load_cash_groups(session, [order.id])).get(order.id, {})
    unpaid = max(0, case.unpaid - sum(group.cost for group in unsent.values()))
    shares = dict(zip(amounts, cap_amounts([max(0, each) for each in amounts.values()], unpaid), strict=True))
    if unsent:
        for line_id, share in shares.items():
            case.lines[line_id].cancelled_amount += share
        payments, key = await find_cash_payments(session, order), f"not owed by {ticket.number}"
        await reduce_payments(session, order, payments, sum(shares.values()), key=key, now=cause.now)
        await refresh_payment_status(session, order)
    return shares


def select_fillable_tickets(now: datetime) -> AnySelect:
    """The ids of tickets whose replacement was sold out and may be in stock now, the longest waiting first.

    What a ticket owes may be another variant of the product; that is found when it is filled. Where there was
    too little, it is tried again when stock of the product has moved.
    """
    moved = select(StockMovement.id).where(
        StockMovement.id > Ticket.stock_seen, StockMovement.variant_id.in_(variants_for_ticket(Ticket.id))
    )
    return (
        select(Ticket.id)
        .where(Ticket.status == TicketStatus.AWAITING_STOCK, has_stock_for_ticket())
        .where(or_(Ticket.stock_seen.is_(None), moved.exists()))
        .order_by(Ticket.id)
    )


def has_stock_for_ticket() -> ColumnElement[bool]:
    return (
        select(StockLevel.variant_id)
        .where(StockLevel.variant_id.in_(variants_for_ticket(Ticket.id)))
        .where(StockLevel.available > 0, in_active_warehouse())
        .exists()
    )


def variants_for_ticket(ticket_id: int | InstrumentedAttribute[int]) -> Select[int]:
    """The ids of all variants that a ticket may owe: of the products it is about, what is wanted instead, and
    what was sent in place of them before."""
    of_products = (
        select(Variant.id)
        .join(OrderLine, OrderLine.product_id == Variant.product_id)
        .join(TicketLine, TicketLine.order_line_id == OrderLine.id)
        .where(TicketLine.ticket_id == ticket_id)
        .correlate(Ticket)
    )
    substitute = (
        select(TicketLine.substitute_variant_id)
        .where(TicketLine.ticket_id == ticket_id, TicketLine.substitute_variant_id.is_not(None))
        .correlate(Ticket)
    )
    claimed = (
        select(DeliveryLine.variant_id)
        .join(TicketUnits, TicketUnits.delivery_line_id == DeliveryLine.id)
        .where(TicketUnits.ticket_id == ticket_id, DeliveryLine.variant_id.is_not(None))
        .correlate(Ticket)
    )
    sent = (
        select(DeliveryLine.variant_id)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id == ticket_id, DeliveryLine.variant_id.is_not(None))
        .correlate(Ticket)
    )
    return select(Variant.id).where(
        or_(*(Variant.id.in_(ids) for ids in (of_products, substitute, claimed, sent)))
    )


async def fill_waiting_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> bool:
    """Send the replacement a customer waits for, once there is enough in stock; whether it goes on."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.AWAITING_STOCK:
        return False
    try:
        is_sent = await send_owed_units(session, ticket, order, deadlines, cause=cause)
    except OutOfStock:
        ticket.stock_seen = await find_last_movement(session, ticket)
        return False
    if is_sent:
        record(session, TicketReplacementFilled(ticket), cause)
    return True


async def find_last_movement(session: AsyncSession, ticket: Ticket) -> int:
    """The last movement of stock that can concern a ticket; 0 where there was none.

    The levels are locked, so that no movement with a smaller number is under way.
    """
    variant_ids = await session.scalars(variants_for_ticket(ticket.id))
    of_product = set(variant_ids)
    await lock_levels(session, of_product)
    moved = select(func.max(StockMovement.id)).where(StockMovement.variant_id.in_(of_product))
    return await session.scalar(moved) or 0
