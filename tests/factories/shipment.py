"""Parcels, from packing to tracking."""

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment import (
    ParcelLine,
    ParcelToPack,
    TrackingFact,
    add_tracking_events,
    dispatch_shipment,
    lock_shipment,
    pack_shipments,
)
from domain.stock import Allocation, reserve_stock
from models import (
    SIMULATED_CARRIER,
    Account,
    CarrierCode,
    Delivery,
    DeliveryLine,
    Event,
    Order,
    OrderLine,
    OrderStatus,
    Shipment,
    ShipmentStatus,
    Subject,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
    TrackingEvent,
)
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NUMBERS = count(1)
RECEIPT_AFTER = timedelta(days=10)


async def confirmed_order(
    session: AsyncSession,
    *,
    account: Account | None = None,
    quantity: int = 3,
    tracked: bool = True,
    now: datetime = NOW,
) -> Order:
    """A paid order of some units of one thing, all in one warehouse."""
    product = await create_product(session, stock={"MAIN": 10}, tracked=tracked)
    lines = [(await variant_of(session, product), quantity)]
    return await create_order(session, account=account, status=OrderStatus.CONFIRMED, lines=lines, now=now)


async def delivery_of(session: AsyncSession, order: Order) -> Delivery:
    """The first delivery of an order."""
    found = select(Delivery).where(Delivery.order_id == order.id).order_by(Delivery.position).limit(1)
    return (await session.scalars(found)).one()


async def line_of(session: AsyncSession, order: Order) -> DeliveryLine:
    """The first line of an order's first delivery, as it is now."""
    delivery = await delivery_of(session, order)
    return (
        await session.scalars(
            select(DeliveryLine)
            .where(DeliveryLine.delivery_id == delivery.id)
            .order_by(DeliveryLine.id)
            .limit(1)
            .execution_options(populate_existing=True)
        )
    ).one()


async def pack(
    session: AsyncSession, order: Order, *quantities: int, now: datetime = NOW, by: int | None = None
) -> list[Shipment]:
    """A parcel for each quantity of an order's first line; by default one with all of it."""
    line = await line_of(session, order)
    parcels = [ParcelToPack([ParcelLine(line.id, units)]) for units in quantities or (line.quantity,)]
    numbers = [f"P{next(NUMBERS):08}" for _ in parcels]
    return await pack_shipments(session, line.delivery_id, parcels, numbers=numbers, cause=Cause(now, by))


async def send(
    session: AsyncSession,
    shipment: Shipment,
    *,
    carrier: CarrierCode = SIMULATED_CARRIER,
    tracking_number: str | None = None,
    poll_at: datetime | None = None,
    now: datetime = NOW,
) -> Shipment:
    """Dispatch a packed parcel."""
    return await dispatch_shipment(
        session,
        shipment.id,
        carrier=carrier,
        tracking_number=tracking_number or f"WAYBILL-{shipment.number}",
        poll_at=poll_at,
        cause=Cause(now),
    )


async def create_shipment(
    session: AsyncSession, *, account: Account | None = None, now: datetime = NOW
) -> Shipment:
    """A parcel with everything on an order of its own, on its way."""
    [shipment] = await pack(session, await confirmed_order(session, account=account, now=now), now=now)
    return await send(session, shipment, now=now)


def tracking_fact(
    status: ShipmentStatus,
    *,
    after: timedelta = timedelta(0),
    code: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
) -> TrackingFact:
    """A tracking fact some time after NOW."""
    return TrackingFact(
        status,
        code or status.value,
        f"The parcel is {status.value}.",
        NOW + after,
        latitude=latitude,
        longitude=longitude,
    )


async def track(
    session: AsyncSession, shipment: Shipment, *facts: TrackingFact, now: datetime = NOW
) -> list[TrackingEvent]:
    """Tracking facts are reported."""
    _, locked = await lock_shipment(session, shipment.id)
    return await add_tracking_events(session, locked, facts, cause=Cause(now), receipt_after=RECEIPT_AFTER)


async def create_replacement(session: AsyncSession, order: Order) -> DeliveryLine:
    """A second unit of an order's first line, to be sent as a ticket's replacement."""
    bought, line = await delivery_of(session, order), await line_of(session, order)
    order_line = await session.get_one(OrderLine, line.order_line_id)
    allocations = [Allocation(order_line.variant_id, line.warehouse_id, 1)]
    await reserve_stock(session, allocations, order_id=order.id, cause=Cause(NOW))
    ticket = Ticket(
        number="K1",
        order_id=order.id,
        account_id=order.account_id,
        type=TicketType.RESHIP,
        reason=TicketReason.MISSING_ITEM,
        status=TicketStatus.RESHIPPING,
        description="",
        currency=order.currency,
        refund_amount=0,
        version=0,
        opened_at=NOW,
    )
    session.add(ticket)
    await session.flush()
    kept = {column.name for column in Delivery.__table__.columns} - {"id", "ticket_id", "position"}
    delivery = Delivery(
        ticket_id=ticket.id, position=bought.position + 1, **{name: getattr(bought, name) for name in kept}
    )
    session.add(delivery)
    await session.flush()
    again = DeliveryLine(
        delivery_id=delivery.id,
        order_line_id=line.order_line_id,
        warehouse_id=line.warehouse_id,
        quantity=1,
        packed=0,
        reserved=True,
    )
    session.add(again)
    await session.flush()
    return again


async def event_names(session: AsyncSession, subject: Subject, number: int) -> list[str]:
    rows = await session.scalars(
        select(Event.name).where(Event.subject == subject, Event.subject_id == number).order_by(Event.version)
    )
    return list(rows)


async def order_events(session: AsyncSession, order: Order) -> list[str]:
    """What happened to an order after it was confirmed."""
    names = await event_names(session, Subject.ORDER, order.id)
    return names[names.index("order.confirmed") + 1 :]
