"""What needs no shipping is delivered when it is paid and there."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.settlement import follow_replacement
from domain.aftersales.ticket import order_id_of
from domain.cause import Cause
from domain.events import (
    OrderBackordersFilled,
    OrderConfirmed,
    OrderEdited,
    OrderLinesCancelled,
    OrderReleased,
    TicketAgreed,
    TicketDecided,
    TicketDifferencePaid,
    TicketReplacementChosen,
    TicketReplacementFilled,
)
from domain.shipment import deliver_unshipped
from events.aftersales import deadlines_of
from events.types import Resources


async def deliver_what_needs_no_shipping(
    session: AsyncSession,
    event: OrderConfirmed | OrderReleased | OrderBackordersFilled | OrderEdited | OrderLinesCancelled,
    resources: Resources,
) -> None:
    """Deliver what of an order needs no shipping, as far as it is paid and there."""
    await deliver_unshipped_units(session, event.order.id, resources)


async def deliver_replacement_without_shipping(
    session: AsyncSession,
    event: TicketAgreed
    | TicketDecided
    | TicketReplacementChosen
    | TicketReplacementFilled
    | TicketDifferencePaid,
    resources: Resources,
) -> None:
    """Deliver what of a ticket's replacement needs no shipping."""
    await deliver_unshipped_units(session, order_id_of(event.ticket), resources)


async def deliver_unshipped_units(session: AsyncSession, order_id: int, resources: Resources) -> None:
    receipt_after = resources.settings.deadlines.receipt_confirmed_after
    deadlines, cause = deadlines_of(resources.settings), Cause(resources.clock())
    for ticket_id in await deliver_unshipped(session, order_id, cause=cause, receipt_after=receipt_after):
        await follow_replacement(session, ticket_id, deadlines, cause=cause)
