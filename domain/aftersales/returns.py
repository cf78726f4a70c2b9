"""Returns: goods that came back go into the stock they left."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.sent_units import load_sent_units, units_of_ticket
from domain.cause import Cause
from domain.stock import Allocation, return_stock
from models import Order, Ticket


async def restock_return(
    session: AsyncSession, ticket: Ticket, order: Order, *, damaged: bool, cause: Cause
) -> None:
    """Put the returned goods of a ticket into the warehouses they came from, to be sold or as damaged.

    What is sold without a stock limit has no stock.
    """
    sent = await load_sent_units(session, order)
    returned = [
        Allocation(each.variant_id, each.delivery_line.warehouse_id, quantity)
        for each, quantity in units_of_ticket(sent, ticket.id)
        if each.delivery_line.reserved
    ]
    await return_stock(session, returned, damaged=damaged, order_id=order.id, cause=cause)
    ticket.uninspected_at = None
