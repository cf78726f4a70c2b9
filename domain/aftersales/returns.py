"""Returns: goods that came back go into the stock they left."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.sent_units import PickedUnits, load_sent_units, units_of_ticket
from domain.cause import Cause
from domain.stock import Allocation, return_stock
from models import Order, Ticket


async def restock_return(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    *,
    as_new: Mapping[int, int],
    damaged: Mapping[int, int],
    cause: Cause,
) -> None:
    """Put returned units of a granted ticket, by order line, into the warehouses they came from.

    What is sold without a stock limit has no stock.
    """
    picked = units_of_ticket(await load_sent_units(session, order), ticket.id)
    whole, broken = share_units(picked, as_new, damaged)
    await return_stock(session, whole, damaged=False, order_id=order.id, cause=cause)
    await return_stock(session, broken, damaged=True, order_id=order.id, cause=cause)


def share_units(picked: Iterable[PickedUnits], *counts: Mapping[int, int]) -> Sequence[Sequence[Allocation]]:
    """The counted units of each order line by variant and warehouse, for one count after the other."""
    left = [Counter(count) for count in counts]
    shared: list[list[Allocation]] = [[] for _ in counts]
    for each, quantity in picked:
        for count, allocations in zip(left, shared, strict=True):
            taken = min(quantity, count[each.order_line_id])
            quantity -= taken
            count[each.order_line_id] -= taken
            if taken and each.delivery_line.reserved:
                allocations.append(Allocation(each.variant_id, each.delivery_line.warehouse_id, taken))
    return shared
