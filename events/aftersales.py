"""What follows for tickets: from refunds, parcels and orders, and when nobody acts in time."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.settling import follow_refunds, follow_replacement
from domain.aftersales.states import Deadlines
from domain.aftersales.unattended import act_overdue, end_with_order, overdue
from events.shop import Shop
from events.timers import Timer
from models import Delivery, Event, Shipment


def deadlines_of(shop: Shop) -> Deadlines:
    """How long everybody has, as this shop is set."""
    return Deadlines(
        return_window=shop.settings.return_window,
        quality_window=shop.settings.quality_window,
        answer=shop.settings.ticket_agreed_after,
        send_back=shop.settings.return_shipped_within,
        inspect=shop.settings.return_accepted_after,
    )


async def ticket_follows_refunds(session: AsyncSession, event: Event, shop: Shop) -> None:
    """A refund was asked for again, failed or arrived."""
    ticket_id = event.payload.get("ticket_id")
    if ticket_id is not None:
        await follow_refunds(session, ticket_id, now=shop.clock())


async def ticket_follows_replacement(session: AsyncSession, event: Event, shop: Shop) -> None:
    """A parcel has arrived."""
    ticket_id = await session.scalar(
        select(Delivery.ticket_id)
        .join(Shipment, Shipment.delivery_id == Delivery.id)
        .where(Shipment.id == event.subject_id)
    )
    if ticket_id is not None:
        await follow_replacement(session, ticket_id, now=shop.clock())


async def tickets_end_with_order(session: AsyncSession, event: Event, shop: Shop) -> None:
    """An order was cancelled, or has been refunded in full."""
    await end_with_order(session, event.subject_id, deadlines_of(shop), now=shop.clock())


async def act_on_ticket(shop: Shop, ticket_id: int) -> None:
    async with shop.database.writes.begin() as session:
        await act_overdue(session, ticket_id, deadlines_of(shop), now=shop.clock())


TICKETS_OVERDUE = Timer("ticket.overdue", due=overdue, act=act_on_ticket)
