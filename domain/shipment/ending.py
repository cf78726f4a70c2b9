"""How the life of a parcel ends that was not kept: what the ways have in common, and sending it again."""

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.events import ShipmentEnded
from domain.order import lock_shipment, reopen_order
from domain.outbox import record
from domain.shipment.dispatch import find_reserved_units
from domain.shipment.eta.refresh import forget_arrival
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.inspection import load_returned_lines
from domain.shipment.packable import check_packable
from domain.shipment.states import NOT_KEPT
from domain.stock import reserve_stock
from models import (
    Delivery,
    Order,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    Ticket,
    TicketStatus,
    TicketType,
)

SENT_BACK_WHILE = frozenset({TicketStatus.RETURN_REFUSED, TicketStatus.ARBITRATION, TicketStatus.REJECTED})
"""The statuses of a ticket in which its refused goods can be sent to their customer once more."""

REPAIRED_WHILE = frozenset(
    {TicketStatus.RESHIPPING, TicketStatus.AWAITING_CHOICE, TicketStatus.AWAITING_STOCK}
)
"""The statuses in which goods can be sent once more that were to be repaired."""


def check_endable(shipment: Shipment) -> None:
    """Refuse to end a parcel that is under way, or back and not inspected, or has ended."""
    if shipment.ended_at is not None:
        raise WrongState("This shipment has ended already.", field=("id",))
    if shipment.status not in NOT_KEPT:
        raise WrongState("This shipment has neither come back nor been lost.", field=("id",))
    if shipment.status is ShipmentStatus.RETURNED and shipment.inspected_at is None:
        raise WrongState("Inspect first what came back in this shipment.", field=("id",))


async def enter_ending(
    session: AsyncSession, order: Order, shipment: Shipment, ending: ShipmentEnding, *, cause: Cause
) -> None:
    """End a locked parcel: nothing is expected of it any more, and no cash is due for it."""
    shipment.ending, shipment.ended_at = ending, cause.now
    shipment.waiting_since, shipment.poll_at, shipment.cash_amount = None, None, None
    await forget_arrival(session, shipment, now=cause.now)
    record(session, ShipmentEnded(shipment, account_id=order.account_id, ending=ending), cause)


async def send_again(session: AsyncSession, shipment_id: int, *, cause: Cause) -> Shipment:
    """Send a parcel that came back or was lost once more: its units are reserved anew and wait to be packed.

    OutOfStock where the warehouse has too few.
    """
    order, shipment = await lock_shipment(session, shipment_id)
    check_endable(shipment)
    delivery = await session.get_one(Delivery, shipment.delivery_id)
    check_packable(order, delivery)
    await check_ticket_allows(session, delivery)
    await reopen_order(session, order, cause=cause)
    returned = await load_returned_lines(session, shipment)
    if any(line.claimed for line, _, _ in returned.values()):
        raise WrongState("A ticket has settled what was in this shipment.", field=("id",))
    reserved = await find_reserved_units(session, shipment)
    if reserved:
        await reserve_stock(session, reserved, order_id=order.id, cause=cause)
    for line, delivery_line, _ in returned.values():
        delivery_line.packed -= line.quantity
    await enter_ending(session, order, shipment, ShipmentEnding.SENT_AGAIN, cause=cause)
    await session.flush()
    await refresh_fulfilment(session, order, cause=cause)
    return shipment


async def check_ticket_allows(session: AsyncSession, delivery: Delivery) -> None:
    """Refuse to send a replacement again, or goods back that the customer of a locked order may not get."""
    if delivery.ticket_id is None:
        return
    ticket = await session.get_one(Ticket, delivery.ticket_id, populate_existing=True)
    is_repaired = ticket.type is TicketType.REPAIR and ticket.status in REPAIRED_WHILE
    if not delivery.sends_back or not (is_repaired or ticket.status in SENT_BACK_WHILE):
        raise WrongState("The ticket of this replacement says what is sent again.", field=("id",))


async def end_claimed_units(
    session: AsyncSession, order: Order, units: Mapping[tuple[int, int], int], *, cause: Cause
) -> None:
    """Count units, by parcel and delivery line, as settled by a ticket where the parcel has not arrived; a
    parcel of which all units are settled has ended."""
    shipments = await session.scalars(
        select(Shipment)
        .where(Shipment.id.in_({shipment_id for shipment_id, _ in units}))
        .where(Shipment.status != ShipmentStatus.DELIVERED, Shipment.ended_at.is_(None))
        .order_by(Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for shipment in shipments.all():
        lines = (
            await session.scalars(select(ShipmentLine).where(ShipmentLine.shipment_id == shipment.id))
        ).all()
        for line in lines:
            line.claimed = max(line.claimed, units.get((shipment.id, line.delivery_line_id), 0))
        if all(line.claimed == line.quantity for line in lines):
            await enter_ending(session, order, shipment, ShipmentEnding.CLAIMED, cause=cause)
    await session.flush()
    await refresh_fulfilment(session, order, cause=cause)


async def end_replacement(session: AsyncSession, order: Order, shipment: Shipment, *, cause: Cause) -> None:
    """End a parcel of a replacement: its ticket owes the units again, and its customer chooses anew."""
    await session.execute(
        update(ShipmentLine)
        .where(ShipmentLine.shipment_id == shipment.id)
        .values(claimed=ShipmentLine.quantity)
        .execution_options(synchronize_session="fetch")
    )
    await enter_ending(session, order, shipment, ShipmentEnding.CLAIMED, cause=cause)
