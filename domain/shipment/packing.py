"""Packing what is left of a delivery into parcels, and unpacking."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, Invalid, LimitReached, NotFound, WrongState, collect_refusals
from domain.events import ShipmentPacked, ShipmentUnpacked
from domain.order import label_of_line, lock_order, lock_shipment, reopen_order
from domain.order.states import WITHDRAWAL_REASONS
from domain.order.waiting_edit import check_no_waiting_edit
from domain.outbox import record
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.waybills import release_waybills
from domain.stock import count_waiting_units
from models import (
    Delivery,
    DeliveryLine,
    DeliveryRunStop,
    Order,
    OrderLine,
    OrderStatus,
    ParcelSize,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    ShippingMethod,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
    waiting_units,
)

PARCELS_LIMIT = 50
WEIGHT_LIMIT_GRAMS = 1_000_000
SIDE_LIMIT_MM = 10_000

Path = tuple[str | int, ...]
PackableLine = tuple[DeliveryLine, OrderLine]


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """Units of one delivery line that go into a parcel."""

    delivery_line_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ParcelToPack:
    """What goes into one parcel; without a weight, it weighs what its lines weigh."""

    lines: Sequence[ParcelLine]
    weight_grams: int | None = None
    size: ParcelSize | None = None


async def pack_shipments(
    session: AsyncSession,
    delivery_id: int,
    parcels: Sequence[ParcelToPack],
    *,
    numbers: Sequence[str],
    cause: Cause,
) -> list[Shipment]:
    """Put units of a delivery into parcels, one number each; Conflict for more than is left or there."""
    order, delivery = await lock_delivery(session, delivery_id)
    check_packable(order, delivery)
    await check_no_waiting_edit(session, order)
    await reopen_order(session, order, cause=cause)
    if not parcels:
        raise Invalid("Name at least one parcel.", field=("parcels",))
    if len(parcels) > PARCELS_LIMIT:
        raise LimitReached("At most {limit} parcels at once.", limit=PARCELS_LIMIT, field=("parcels",))
    packable = await load_packable_lines(session, delivery_id)
    shipments = []
    with collect_refusals() as check:
        for index, parcel in enumerate(parcels):
            with check:
                check_measures(parcel, ("parcels", index))
            with check:
                select_lines(parcel, packable, ("parcels", index, "lines"))
    for index, (parcel, number) in enumerate(zip(parcels, numbers, strict=True)):
        lines = select_lines(parcel, packable, ("parcels", index, "lines"))
        shipment = build_shipment(parcel, lines, delivery, number=number, cause=cause)
        session.add(shipment)
        await session.flush()
        await add_shipment_lines(session, shipment, parcel, lines, ("parcels", index, "lines"))
        record(session, ShipmentPacked(shipment, account_id=order.account_id), cause)
        shipments.append(shipment)
    if delivery.ticket_id is None:
        await check_nothing_withdrawn(session, order)
    await refresh_fulfilment(session, order, cause=cause)
    return shipments


async def unpack_shipment(session: AsyncSession, shipment_id: int, *, cause: Cause) -> Delivery:
    """Unpack a parcel that has not left: its lines wait to be packed again."""
    order, shipment = await lock_shipment(session, shipment_id)
    if shipment.dispatched_at is not None:
        raise WrongState("This shipment has already left.", field=("id",))
    of_it = DeliveryRunStop.shipment_id == shipment_id
    on_a_run = select(DeliveryRunStop.id).where(of_it, ~DeliveryRunStop.skipped)
    if await session.scalar(on_a_run.limit(1)):
        raise WrongState("This shipment is planned on a run; cancel the run first.", field=("id",))
    for line in await session.scalars(select(ShipmentLine).where(ShipmentLine.shipment_id == shipment_id)):
        await session.execute(
            update(DeliveryLine)
            .where(DeliveryLine.id == line.delivery_line_id)
            .values(packed=DeliveryLine.packed - line.quantity)
        )
    await session.execute(delete(DeliveryRunStop).where(of_it))
    await release_waybills(session, shipment, now=cause.now)
    record(session, ShipmentUnpacked(shipment, account_id=order.account_id), cause)
    await session.flush()
    await session.execute(delete(ShipmentLine).where(ShipmentLine.shipment_id == shipment_id))
    await session.delete(shipment)
    await refresh_fulfilment(session, order, cause=cause)
    return await session.get_one(Delivery, shipment.delivery_id)


async def find_unpacked_parcels(session: AsyncSession, order_id: int) -> list[tuple[int, ParcelToPack]]:
    """What of an order is there and not packed yet: the delivery's id, and a parcel for each warehouse."""
    left = DeliveryLine.quantity - DeliveryLine.packed - waiting_units()
    lines = await session.execute(
        select(DeliveryLine, left)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == order_id, Delivery.method != ShippingMethod.NONE, left > 0)
        .order_by(DeliveryLine.id)
    )
    parcels: dict[tuple[int, int], list[ParcelLine]] = {}
    for line, units in lines:
        rest = ParcelLine(line.id, units)
        parcels.setdefault((line.delivery_id, line.warehouse_id), []).append(rest)
    return [(delivery_id, ParcelToPack(rest)) for (delivery_id, _), rest in parcels.items()]


async def lock_delivery(session: AsyncSession, delivery_id: int) -> tuple[Order, Delivery]:
    """A delivery and its order, which is locked until the transaction ends."""
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None or delivery.method is ShippingMethod.NONE:
        raise NotFound("delivery", field=("delivery_id",))
    return await lock_order(session, delivery.order_id), delivery


def check_packable(order: Order, delivery: Delivery) -> None:
    """Refuse what is not confirmed or is held; a replacement may be due on an order completed long ago."""
    packable = {OrderStatus.CONFIRMED}
    if delivery.ticket_id is not None:
        packable.add(OrderStatus.COMPLETED)
    if order.status not in packable:
        raise WrongState(
            "Order {number} is {status}: nothing of it may leave.", number=order.number, status=order.status
        )
    if order.held_at is not None:
        raise WrongState("Order {number} is held: nothing of it may leave.", number=order.number)
    if order.awaits_payment:
        raise WrongState("Order {number} is still being paid: nothing of it may leave.", number=order.number)


async def load_packable_lines(session: AsyncSession, delivery_id: int) -> dict[int, PackableLine]:
    """The lines of a delivery with those of its order, by the id of the delivery line."""
    rows = await session.execute(
        select(DeliveryLine, OrderLine)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(DeliveryLine.delivery_id == delivery_id)
    )
    return {line.id: (line, order_line) for line, order_line in rows}


def check_measures(parcel: ParcelToPack, path: Path) -> None:
    with collect_refusals() as check:
        if parcel.weight_grams is not None and not 1 <= parcel.weight_grams <= WEIGHT_LIMIT_GRAMS:
            check.add(
                Invalid(
                    "A parcel weighs 1 to {limit} grams.",
                    limit=WEIGHT_LIMIT_GRAMS,
                    field=(*path, "weight_grams"),
                )
            )
        sides = astuple(parcel.size) if parcel.size else ()
        if not all(1 <= side <= SIDE_LIMIT_MM for side in sides):
            check.add(
                Invalid("A parcel's sides are 1 to {limit} mm.", limit=SIDE_LIMIT_MM, field=(*path, "size"))
            )


def select_lines(
    parcel: ParcelToPack, packable: Mapping[int, PackableLine], path: Path
) -> list[PackableLine]:
    """The lines a parcel is packed from; refused unless each is named once and all lie in one warehouse."""
    if not parcel.lines:
        raise Invalid("A parcel cannot be empty.", field=path)
    if len({packed.delivery_line_id for packed in parcel.lines}) < len(parcel.lines):
        raise Invalid("A parcel names each line once.", field=path)
    with collect_refusals() as check:
        for index, packed in enumerate(parcel.lines):
            if packed.delivery_line_id not in packable:
                check.add(NotFound("delivery line", field=(*path, index, "delivery_line_id")))
            if packed.quantity < 1:
                check.add(Invalid("A quantity is at least 1.", field=(*path, index, "quantity")))
    lines = [packable[packed.delivery_line_id] for packed in parcel.lines]
    if len({line.warehouse_id for line, _ in lines}) > 1:
        raise Invalid("A parcel is packed in one warehouse.", field=path)
    return lines


def build_shipment(
    parcel: ParcelToPack,
    lines: Sequence[PackableLine],
    delivery: Delivery,
    *,
    number: str,
    cause: Cause,
) -> Shipment:
    pairs = zip(lines, parcel.lines, strict=True)
    weight = sum(order_line.weight_grams * packed.quantity for (_, order_line), packed in pairs)
    return Shipment(
        number=number,
        order_id=delivery.order_id,
        delivery_id=delivery.id,
        warehouse_id=lines[0][0].warehouse_id,
        status=ShipmentStatus.PENDING,
        weight_grams=weight if parcel.weight_grams is None else parcel.weight_grams,
        length_mm=parcel.size.length_mm if parcel.size else None,
        width_mm=parcel.size.width_mm if parcel.size else None,
        height_mm=parcel.size.height_mm if parcel.size else None,
        version=0,
        packed_at=cause.now,
        packed_by_id=cause.by,
    )


async def add_shipment_lines(
    session: AsyncSession, shipment: Shipment, parcel: ParcelToPack, lines: Sequence[PackableLine], path: Path
) -> None:
    """Count the units as packed and add the lines of a parcel; Conflict for more than is left."""
    ready = DeliveryLine.quantity - waiting_units()
    for index, (packed, (line, order_line)) in enumerate(zip(parcel.lines, lines, strict=True)):
        updated = await session.scalar(
            update(DeliveryLine)
            .where(DeliveryLine.id == line.id, DeliveryLine.packed + packed.quantity <= ready)
            .values(packed=DeliveryLine.packed + packed.quantity)
            .returning(DeliveryLine.id)
        )
        if updated is None:
            raise await packing_conflict(session, line, order_line, (*path, index, "quantity"))
        session.add(
            ShipmentLine(
                shipment_id=shipment.id,
                delivery_line_id=line.id,
                order_line_id=line.order_line_id,
                quantity=packed.quantity,
            )
        )


async def packing_conflict(
    session: AsyncSession, line: DeliveryLine, order_line: OrderLine, path: Path
) -> Conflict:
    await session.refresh(line)
    waiting = (await count_waiting_units(session, [line.id])).get(line.id, 0)
    left, title = line.quantity - line.packed - waiting, label_of_line(order_line)
    if waiting:
        return Conflict(
            "Only {left} of {title} can be packed; {waiting} more wait for stock to come.",
            left=left,
            title=title,
            waiting=waiting,
            field=path,
        )
    template = "Only {left} of {title} left to pack." if left else "{title} is packed."
    return Conflict(template, left=left, title=title, field=path)


async def check_nothing_withdrawn(session: AsyncSession, order: Order) -> None:
    """WrongState where fewer units of a locked order are left unpacked than its customer asks to take off."""
    asked = (
        select(TicketLine.order_line_id, func.sum(TicketLine.quantity).label("units"))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.order_id == order.id, Ticket.status == TicketStatus.APPLIED)
        .where(Ticket.type == TicketType.REFUND_ONLY, Ticket.reason.in_(WITHDRAWAL_REASONS))
        .group_by(TicketLine.order_line_id)
        .subquery()
    )
    unpacked = (
        select(func.coalesce(func.sum(DeliveryLine.quantity - DeliveryLine.packed), 0))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(DeliveryLine.order_line_id == OrderLine.id, Delivery.ticket_id.is_(None))
        .scalar_subquery()
    )
    found = (
        select(OrderLine).join(asked, asked.c.order_line_id == OrderLine.id).where(unpacked < asked.c.units)
    )
    order_line = await session.scalar(found.order_by(OrderLine.position).limit(1))
    if order_line is not None:
        raise WrongState(
            "The customer asks to take {title} off this order; answer the ticket first.",
            title=label_of_line(order_line),
            field=("parcels",),
        )
