"""Goods that were sent in for a repair: they go back to their customer, or stay with the shop."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.parts import current_inspections_of
from domain.aftersales.returns import restock_return
from domain.aftersales.sending_back import count_ended, load_lines_back, quantity_of, send_back_units
from domain.cause import Cause
from models import Order, ReturnCondition, ReturnInspection, Ticket, TicketType


async def find_goods_in_repair(
    session: AsyncSession, ticket: Ticket
) -> tuple[Sequence[ReturnInspection], Mapping[int, int]]:
    """How the accepted units of a repair came back, and how many of each are at the warehouse still.

    What is not the shop's is nothing to repair or to keep, wherever it is.
    """
    if ticket.type is not TicketType.REPAIR:
        return [], {}
    rows = [row for row in await current_inspections_of(session, ticket) if row.accepted]
    lines, here = await load_lines_back(session, rows), dict(await count_ended(session, rows))
    for row in rows:
        here[row.id] += row.quantity - row.kept - row.lost - quantity_of(lines.get(row.delivery_line_id))
        if row.condition is ReturnCondition.NOT_OURS:
            here[row.id] = 0
    return rows, here


async def count_in_repair(session: AsyncSession, ticket: Ticket) -> Counter[int]:
    """The units of a repair at the warehouse, by order line."""
    return sum_by_line(*await find_goods_in_repair(session, ticket))


def sum_by_line(rows: Sequence[ReturnInspection], here: Mapping[int, int]) -> Counter[int]:
    """Units by order line."""
    units = Counter[int]()
    for row in rows:
        units[row.order_line_id] += here[row.id]
    return units


async def send_back_repaired(session: AsyncSession, ticket: Ticket, order: Order) -> None:
    """Have the goods of a repair packed for their customer."""
    rows, here = await find_goods_in_repair(session, ticket)
    await send_back_units(session, ticket, order, [row for row in rows if here[row.id]])


async def keep_goods_in_repair(session: AsyncSession, ticket: Ticket, order: Order, *, cause: Cause) -> None:
    """Put the goods of a repair that are still there into the damaged stock: their customer has got something
    else for them."""
    rows, here = await find_goods_in_repair(session, ticket)
    damaged = sum_by_line(rows, here)
    for row in rows:
        row.kept += here[row.id]
    if any(damaged.values()):
        await session.flush()
        await restock_return(session, ticket, order, as_new={}, damaged=damaged, cause=cause)
