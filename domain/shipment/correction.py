"""Correcting a parcel that was marked as delivered or returned by mistake."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.events import ShipmentCorrected
from domain.order import lock_shipment, required_reason, settle_order
from domain.outbox import record
from domain.shipment.carriers import is_polled
from domain.shipment.eta import refresh_arrivals
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.history import CORRECTION_CODE, events_that_count, hash_text, sort_events
from domain.shipment.states import FINAL, status_after
from domain.shipment.tracking import load_tracking_events
from models import (
    Carrier,
    Delivery,
    Order,
    OrderStatus,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    ShippingMethod,
    Ticket,
    TicketLine,
    TicketStatus,
    TrackingEvent,
)


async def correct_shipment(session: AsyncSession, shipment_id: int, *, reason: str, cause: Cause) -> Shipment:
    """Take back that a parcel was delivered or returned: it is where it was before, and what followed from it
    is undone.

    WrongState when too much has followed: cash, a ticket, an inspection, an end, or a confirmed receipt of
    what was paid. A receipt confirmed while its cash was due is taken back as well.
    """
    order, shipment = await lock_shipment(session, shipment_id)
    reason = required_reason(reason)
    if shipment.status not in FINAL:
        raise WrongState("This shipment is marked neither as delivered nor as returned.", field=("id",))
    delivery = await session.get_one(Delivery, shipment.delivery_id)
    await check_correctable(session, order, shipment, delivery)
    # The receipt is that of what was bought, not of what goes back.
    if shipment.status is ShipmentStatus.DELIVERED and not delivery.sends_back:
        order.receipt_confirmed_at = None
    events = await load_tracking_events(session, shipment)
    for event in events:
        if event.status is shipment.status and event.revoked_at is None:
            event.revoked_at = cause.now
    counting = events_that_count(sort_events(events))
    before = status_after(event.status for event in counting if event.status is not None)
    status = ShipmentStatus.PICKED_UP if before is ShipmentStatus.PENDING else before
    code = f"{CORRECTION_CODE}{shipment.version}"
    correction = TrackingEvent(
        shipment_id=shipment.id,
        status=status,
        code=code,
        description=reason,
        text_hash=hash_text(f"{code} {reason}"),
        location="",
        occurred_at=cause.now,
        received_at=cause.now,
    )
    session.add(correction)
    # What was never true is taken back: that is no transition, so the table of transitions is not asked.
    shipment.status, shipment.delivered_at, shipment.waiting_since = status, None, None
    shipment.last_event_at = cause.now
    carrier = await session.scalar(select(Carrier).where(Carrier.code == shipment.carrier))
    shipment.poll_at = cause.now if carrier and is_polled(carrier) else None
    shipment.count_at = None
    await session.flush()
    await refresh_arrivals(session, [shipment], now=cause.now)
    record(session, ShipmentCorrected(shipment, account_id=order.account_id), cause)
    await refresh_fulfilment(session, order, cause=cause)
    await settle_order(session, order, cause=cause.automatic)
    return shipment


async def check_correctable(
    session: AsyncSession, order: Order, shipment: Shipment, delivery: Delivery
) -> None:
    """Refuse a correction after which cash, claims or stock would be about a parcel that is under way."""
    if order.status is not OrderStatus.CONFIRMED:
        raise WrongState("This order is {status}.", status=order.status, field=("id",))
    if delivery.method is ShippingMethod.NONE:
        raise WrongState("This needs no shipping: nobody brings it again.", field=("id",))
    if shipment.ended_at is not None or shipment.inspected_at is not None:
        raise WrongState("What came back in this shipment has been booked already.", field=("id",))
    if shipment.status is ShipmentStatus.RETURNED:
        return
    if shipment.cash_written_off_at is not None:
        raise WrongState("The cash for this shipment has been written off.", field=("id",))
    is_cash_due = bool(shipment.cash_amount) and shipment.cash_collected_at is None
    if order.receipt_confirmed_at is not None and not is_cash_due and not delivery.sends_back:
        raise WrongState("The customer has confirmed the receipt.", field=("id",))
    if shipment.cash_collected_at is not None:
        raise WrongState("Cash has been collected for this shipment.", field=("id",))
    if await has_ticket(session, shipment):
        raise WrongState("A ticket is about what is in this shipment.", field=("id",))


async def has_ticket(session: AsyncSession, shipment: Shipment) -> bool:
    """Whether a ticket that was not cancelled claims what is in a parcel, or was completed by its arrival."""
    claimed = (
        select(Ticket.id)
        .join(TicketLine, TicketLine.ticket_id == Ticket.id)
        .join(ShipmentLine, ShipmentLine.order_line_id == TicketLine.order_line_id)
        .join(Delivery, Delivery.id == shipment.delivery_id)
        .where(ShipmentLine.shipment_id == shipment.id, Ticket.status != TicketStatus.CANCELLED)
        .where(Delivery.ticket_id.is_distinct_from(Ticket.id) | (Ticket.status == TicketStatus.COMPLETED))
        # What goes back was refused: its ticket comes from another one about the same order line, and only
        # its own says whether it has followed from the delivery.
        .where(~Delivery.sends_back | (Delivery.ticket_id == Ticket.id))
    )
    return await session.scalar(claimed.limit(1)) is not None
