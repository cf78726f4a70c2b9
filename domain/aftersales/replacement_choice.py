"""What customers get for a replacement that is sold out or came back: they wait, or take something else."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.aftersales.claim_facts import load_claim_facts
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.refund_amounts import cap_amounts, line_refund, shipping_refund
from domain.aftersales.replacement import (
    OwedUnits,
    as_variant,
    create_replacement,
    find_order_lines,
    find_owed_units,
    is_replacement_under_way,
)
from domain.aftersales.rules import ClaimCase, ClaimedUnits, TicketClaim
from domain.aftersales.settlement import complete_ticket
from domain.aftersales.states import CHOOSABLE, enter_status
from domain.aftersales.ticket import lock_ticket, ticket_lines_of
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import reduce_payments
from domain.cause import Cause
from domain.errors import Invalid, NotForSale, NotFound, OutOfStock, WrongState
from domain.events import TicketCompleted, TicketReplacementChosen, TicketReplacementFilled
from domain.ledger import refresh_payment_status
from domain.order.cash import find_cash_payments, load_cash_groups
from domain.outbox import record
from domain.payment import find_captured_payments, request_refund
from domain.stock import lock_levels
from models import (
    SOLD_STATUSES,
    Order,
    OrderLine,
    Price,
    Product,
    ReplacementChoice,
    StockLevel,
    StockMovement,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
    Variant,
    in_active_warehouse,
)
from models.sql.types import AnySelect


async def choose_replacement(
    session: AsyncSession,
    ticket_id: int,
    choice: ReplacementChoice,
    deadlines: Deadlines,
    *,
    variant_id: int | None = None,
    cause: Cause,
) -> Ticket:
    """Do what the customer chooses; who waits may still choose something else.

    Raises OutOfStock for a variant of which too few are left.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status not in CHOOSABLE:
        template = "This ticket is {status}; there is nothing to choose."
        raise WrongState(template, status=ticket.status, field=("id",))
    if (choice is ReplacementChoice.VARIANT) != (variant_id is not None):
        raise Invalid("Name a variant if, and only if, you choose another one.", field=("variant_id",))
    owed = await find_owed_units(session, ticket, order)
    match choice:
        case ReplacementChoice.WAIT:
            wait_for_stock(ticket, deadlines, cause=cause)
        case ReplacementChoice.MONEY:
            await refund_owed_units(session, ticket, order, owed, deadlines, cause=cause)
        case ReplacementChoice.VARIANT:
            await send_variant(session, ticket, order, owed, variant_id or 0, deadlines, cause=cause)
    record(session, TicketReplacementChosen(ticket, choice=choice, variant_id=variant_id), cause)
    if ticket.status is TicketStatus.COMPLETED:
        record(session, TicketCompleted(ticket), cause.automatic)
        await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket


def wait_for_stock(ticket: Ticket, deadlines: Deadlines, *, cause: Cause) -> None:
    if ticket.status is TicketStatus.AWAITING_STOCK:
        raise WrongState("This ticket is waiting already.", field=("choice",))
    enter_status(ticket, TicketStatus.AWAITING_STOCK, deadlines, now=cause.now)
    ticket.stock_seen = None


async def send_variant(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    owed: Sequence[OwedUnits],
    variant_id: int,
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Send another variant in place of what is owed, and refund what it costs less."""
    lines = await find_order_lines(session, owed)
    price = await find_price(session, variant_id, order, list(lines.values()))
    reductions = {line.id: line.unit_amount - price for line in lines.values()}
    differences = [(units, reductions[units.order_line_id] - units.reduction_amount) for units in owed]
    if any(difference < 0 for _, difference in differences):
        raise Invalid(
            "It costs more than what was bought: choose one that costs as much or less.",
            field=("variant_id",),
        )
    enter_status(ticket, TicketStatus.RESHIPPING, deadlines, now=cause.now)
    await create_replacement(session, ticket, order, as_variant(owed, variant_id, reductions), cause=cause)
    amounts = {line.order_line_id: 0 for line in await ticket_lines_of(session, ticket)}
    for units, difference in differences:
        amounts[units.order_line_id] += difference * units.quantity
    for line, amount in await add_refunds(session, ticket, order, amounts, cause=cause):
        line.difference_amount += amount


async def find_price(session: AsyncSession, variant_id: int, order: Order, lines: Sequence[OrderLine]) -> int:
    """What a variant of the same product costs now, in minor units; refused when it is not sold.

    It goes by the delivery of what it replaces, so that it needs shipping where that did, and only there.
    """
    row = (
        await session.execute(
            select(Product.id, Variant.requires_shipping, Price.amount, Product.title)
            .select_from(Variant)
            .join(Product, Product.id == Variant.product_id)
            .outerjoin(Price, (Price.variant_id == Variant.id) & (Price.currency == order.currency))
            .where(Variant.id == variant_id, Variant.archived_at.is_(None))
            .where(Product.status.in_(SOLD_STATUSES))
        )
    ).one_or_none()
    if row is None:
        raise NotFound("variant", field=("variant_id",))
    product_id, requires_shipping, price, title = row
    if {line.product_id for line in lines} != {product_id}:
        raise Invalid("Choose a variant of the product that was bought.", field=("variant_id",))
    if {line.requires_shipping for line in lines} != {requires_shipping}:
        raise Invalid("Choose a variant that is sent as the one that was bought.", field=("variant_id",))
    if price is None:
        raise NotForSale(
            "{title} is not sold in {currency}.",
            title=title,
            currency=order.currency.value,
            field=("variant_id",),
        )
    return int(price)


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
    for units in owed:
        amounts[units.order_line_id] -= units.reduction_amount * units.quantity
    unpaid = await take_off_unpaid(session, case, ticket, amounts, cause=cause)
    amounts = {line_id: amount - unpaid[line_id] for line_id, amount in amounts.items()}
    fee = shipping_refund(order, claim, case.units)
    under_way = await is_replacement_under_way(session, ticket, order)
    to = TicketStatus.RESHIPPING if under_way else TicketStatus.REFUNDING
    enter_status(ticket, to, deadlines, now=cause.now)
    for line, _ in await add_refunds(session, ticket, order, amounts, fee=fee, cause=cause):
        line.refunded_in_place += claimed.get(line.order_line_id, 0)
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


async def add_refunds(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    amounts: dict[int, int],
    *,
    fee: int = 0,
    cause: Cause,
) -> list[tuple[TicketLine, int]]:
    """Refund amounts by order line, and a fee, never more than is left; returns the lines with theirs."""
    lines = [line for line in await ticket_lines_of(session, ticket) if line.order_line_id in amounts]
    payments = await find_captured_payments(session, order)
    left = sum(payment.refundable_amount for payment in payments)
    asked = [max(0, amounts[line.order_line_id]) for line in lines]
    *granted, shipping = cap_amounts([*asked, fee], left)
    for line, amount in zip(lines, granted, strict=True):
        line.refund_amount += amount
    if total := sum(granted) + shipping:
        ticket.refund_amount += total
        reason = ticket.reason.value
        await request_refund(
            session,
            order,
            order.money(total),
            ticket_id=ticket.id,
            target=ticket.refund_target,
            reason=reason,
            cause=cause,
        )
    return list(zip(lines, granted, strict=True))


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
    """The ids of all variants of the products that a ticket is about."""
    return (
        select(Variant.id)
        .join(OrderLine, OrderLine.product_id == Variant.product_id)
        .join(TicketLine, TicketLine.order_line_id == OrderLine.id)
        .where(TicketLine.ticket_id == ticket_id)
        .correlate(Ticket)
    )


async def fill_waiting_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> bool:
    """Send the replacement a customer waits for, once there is enough in stock; whether it was sent."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.AWAITING_STOCK:
        return False
    owed = await find_owed_units(session, ticket, order)
    try:
        await create_replacement(session, ticket, order, owed, cause=cause)
    except OutOfStock:
        ticket.stock_seen = await find_last_movement(session, ticket)
        return False
    enter_status(ticket, TicketStatus.RESHIPPING, deadlines, now=cause.now)
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
