"""Sending what a ticket owes: at once where it costs no more, else when the difference is paid."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.goods_in_repair import keep_goods_in_repair
from domain.aftersales.kept_units import NOTHING_KEPT, KeptUnits
from domain.aftersales.refund_amounts import cap_amounts
from domain.aftersales.replacement import (
    OwedUnits,
    create_replacement,
    find_owed_units,
    plan_replacement,
)
from domain.aftersales.states import enter_status
from domain.aftersales.ticket import ticket_lines_of
from domain.cause import Cause
from domain.events import TicketDifferenceDue
from domain.outbox import record
from domain.payment import find_captured_payments, request_refund
from domain.stock import Allocation, release_stock, reserve_stock
from models import Order, Ticket, TicketDifference, TicketDifferenceUnits, TicketLine, TicketStatus


async def send_owed_units(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, *, cause: Cause
) -> bool:
    """Send what a locked ticket owes, as what is wanted in its place; whether it goes at once.

    What that costs less is refunded; where it costs more it is kept until that is paid. After OutOfStock
    nothing has changed.
    """
    lines = await ticket_lines_of(session, ticket)
    owed = as_substitutes(await find_owed_units(session, ticket, order), lines)
    if due := sum(sum_surcharges(owed).values()):
        async with session.begin_nested():  # its stock may be lost to somebody else at the last moment
            await request_difference(session, ticket, order, owed, due, cause=cause)
        ticket.differences_due += 1
        enter_status(ticket, TicketStatus.AWAITING_PAYMENT, deadlines, now=cause.now)
        record(session, TicketDifferenceDue(ticket, amount=due), cause.automatic)
        return False
    await send_units(session, ticket, order, owed, cause=cause)
    enter_status(ticket, TicketStatus.RESHIPPING, deadlines, now=cause.now)
    return True


async def send_units(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    owed: Sequence[OwedUnits],
    *,
    kept: KeptUnits = NOTHING_KEPT,
    cause: Cause,
) -> None:
    """Create the replacement, and refund what each line of it costs less; what it replaces stays."""
    await create_replacement(session, ticket, order, owed, kept=kept, cause=cause)
    await keep_goods_in_repair(session, ticket, order, cause=cause)
    for line, amount in await add_refunds(session, ticket, order, sum_reductions(owed), cause=cause):
        line.difference_amount += amount


def sum_reductions(owed: Iterable[OwedUnits]) -> Mapping[int, int]:
    """What is to be refunded for cheaper units, by order line."""
    amounts: defaultdict[int, int] = defaultdict(int)
    for units in owed:
        amounts[units.order_line_id] += max(0, units.difference_amount)
    return amounts


def sum_surcharges(owed: Iterable[OwedUnits]) -> Mapping[int, int]:
    """What is to be paid for dearer units, by order line."""
    amounts: defaultdict[int, int] = defaultdict(int)
    for units in owed:
        amounts[units.order_line_id] += max(0, -units.difference_amount)
    return amounts


async def add_refunds(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    amounts: Mapping[int, int],
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


async def request_difference(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    owed: Sequence[OwedUnits],
    amount: int,
    *,
    cause: Cause,
) -> None:
    """Keep what is to be sent until the customer has paid what it costs more, with its stock reserved.

    Units that wait for stock are counted when it is sent.
    """
    plan = await plan_replacement(session, owed)
    difference = TicketDifference(
        ticket_id=ticket.id,
        currency=ticket.currency,
        amount=amount,
        plan=json.dumps([asdict(units) for units in owed]),
        requested_at=cause.now,
    )
    session.add(difference)
    await session.flush()
    session.add_all(
        TicketDifferenceUnits(
            difference_id=difference.id,
            variant_id=each.variant_id,
            warehouse_id=each.warehouse_id,
            quantity=each.quantity,
        )
        for each in plan.allocations
    )
    await session.flush()
    await reserve_stock(session, plan.allocations, order_id=order.id, cause=cause)


async def take_difference_units(session: AsyncSession, difference: TicketDifference) -> KeptUnits:
    """What is kept for a replacement, which stays reserved and is its own from now on."""
    of_difference = TicketDifferenceUnits.difference_id == difference.id
    rows = (await session.scalars(select(TicketDifferenceUnits).where(of_difference))).all()
    await session.execute(delete(TicketDifferenceUnits).where(of_difference))
    return {(row.variant_id, row.warehouse_id): row.quantity for row in rows}


async def release_difference_units(
    session: AsyncSession, order: Order, difference: TicketDifference, *, cause: Cause
) -> None:
    """Make what was kept for a replacement available again."""
    of_difference = TicketDifferenceUnits.difference_id == difference.id
    rows = await session.scalars(select(TicketDifferenceUnits).where(of_difference))
    allocations = [Allocation(row.variant_id, row.warehouse_id, row.quantity) for row in rows]
    await session.execute(delete(TicketDifferenceUnits).where(of_difference))
    await release_stock(session, allocations, order_id=order.id, cause=cause)


def planned_units(difference: TicketDifference) -> list[OwedUnits]:
    """What is sent once the difference is paid."""
    return [OwedUnits(**units) for units in json.loads(difference.plan)]


def as_substitutes(owed: Iterable[OwedUnits], lines: Iterable[TicketLine]) -> list[OwedUnits]:
    """The units as what the customer of a ticket wants in their place."""
    substitutes = {line.order_line_id: line for line in lines if line.substitute_variant_id is not None}
    return [replace_units(units, substitutes.get(units.order_line_id)) for units in owed]


def replace_units(units: OwedUnits, line: TicketLine | None) -> OwedUnits:
    """One that is of the wanted variant already costs no difference."""
    if line is None or line.substitute_variant_id in {None, units.variant_id}:
        return units
    return replace(
        units, variant_id=line.substitute_variant_id, reduction_amount=line.substitute_reduction_amount
    )
