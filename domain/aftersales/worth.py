"""What the units of a ticket cost."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import DeliveryLine, OrderLine, Ticket, TicketLine, TicketUnits
from models.sql.together import read_together


async def sum_unit_costs(session: AsyncSession, ticket: Ticket) -> int:
    """What the units a ticket is about cost, in minor units: a dearer replacement what was paid for it."""
    rows, reductions = await read_together(
        session,
        session.execute(
            select(TicketLine.quantity, OrderLine)
            .join(OrderLine, OrderLine.id == TicketLine.order_line_id)
            .where(TicketLine.ticket_id == ticket.id)
        ),
        session.scalar(
            select(func.sum(TicketUnits.quantity * DeliveryLine.reduction_amount))
            .join(DeliveryLine, DeliveryLine.id == TicketUnits.delivery_line_id)
            .where(TicketUnits.ticket_id == ticket.id)
        ),
    )
    ordered = sum(line.total.minor * quantity // line.quantity for quantity, line in rows)
    return ordered - int(reductions or 0)
