"""The packing table: what is left of a delivery goes into parcels."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Conflict, Invalid, LimitReached, NotFound, WrongState
from domain.order import lock_order
from domain.outbox import record
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.states import lock_shipment
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    OrderStatus,
    ParcelSize,
    RunStop,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
)

PARCELS_LIMIT = 50
WEIGHT_LIMIT_GRAMS = 1_000_000
SIDE_LIMIT_MM = 10_000

Path = tuple[str | int, ...]
Line = tuple[DeliveryLine, OrderLine]


@dataclass(frozen=True, slots=True)
class Picked:
    """Units of one delivery line that go into a parcel."""

    delivery_line_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ParcelToPack:
    """What goes into one parcel; not weighed, it weighs what its goods weigh."""

    lines: Sequence[Picked]
    weight_grams: int | None = None
    size: ParcelSize | None = None


async def pack_shipments(
    session: AsyncSession,
    delivery_id: int,
    parcels: Sequence[ParcelToPack],
    *,
    numbers: Sequence[str],
    now: datetime,
    by: int | None = None,
) -> list[Shipment]:
    """Put units of a delivery into parcels, one number each; never more than is left."""
    order, delivery = await lock_delivery(session, delivery_id)
    check_packable(order, delivery)
    if not parcels:
        raise Invalid("Name at least one parcel.", field=("parcels",))
    if len(parcels) > PARCELS_LIMIT:
        raise LimitReached(f"At most {PARCELS_LIMIT} parcels at once.", field=("parcels",))
    known = await lines_of(session, delivery_id)
    packed = []
    for index, (parcel, number) in enumerate(zip(parcels, numbers, strict=True)):
        check_measures(parcel, ("parcels", index))
        goods = chosen(parcel, known, ("parcels", index, "lines"))
        shipment = shipment_of(parcel, goods, delivery, number=number, now=now, by=by)
        session.add(shipment)
        await session.flush()
        await fill(session, shipment, parcel, goods, ("parcels", index, "lines"))
        record(session, "shipment.packed", shipment, now=now, by=by, account_id=order.account_id)
        packed.append(shipment)
    await refresh_fulfilment(session, order, now=now, by=by)
    return packed


async def unpack_shipment(
    session: AsyncSession, shipment_id: int, *, now: datetime, by: int | None = None
) -> Delivery:
    """Take a parcel apart that has not left: its goods wait to be packed again."""
    order, shipment = await lock_shipment(session, shipment_id)
    if shipment.dispatched_at is not None:
        raise WrongState("This shipment has already left.", field=("id",))
    if await session.scalar(select(RunStop.id).where(RunStop.shipment_id == shipment_id).limit(1)):
        raise WrongState("This shipment is planned on a run; cancel the run first.", field=("id",))
    for line in await session.scalars(select(ShipmentLine).where(ShipmentLine.shipment_id == shipment_id)):
        await session.execute(
            update(DeliveryLine)
            .where(DeliveryLine.id == line.delivery_line_id)
            .values(packed=DeliveryLine.packed - line.quantity)
        )
    record(session, "shipment.unpacked", shipment, now=now, by=by, account_id=order.account_id)
    await session.flush()
    await session.execute(delete(ShipmentLine).where(ShipmentLine.shipment_id == shipment_id))
    await session.delete(shipment)
    await refresh_fulfilment(session, order, now=now, by=by)
    return await session.get_one(Delivery, shipment.delivery_id)


async def left_to_pack(session: AsyncSession, order_id: int) -> list[tuple[int, ParcelToPack]]:
    """What of an order waits to be packed: the id of its delivery, and a parcel for each warehouse."""
    lines = await session.scalars(
        select(DeliveryLine)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == order_id, DeliveryLine.packed < DeliveryLine.quantity)
        .order_by(DeliveryLine.id)
    )
    parcels: dict[tuple[int, int], list[Picked]] = {}
    for line in lines:
        picked = Picked(line.id, line.quantity - line.packed)
        parcels.setdefault((line.delivery_id, line.warehouse_id), []).append(picked)
    return [(delivery_id, ParcelToPack(picked)) for (delivery_id, _), picked in parcels.items()]


async def lock_delivery(session: AsyncSession, delivery_id: int) -> tuple[Order, Delivery]:
    """A delivery whose order is held until the transaction ends."""
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound("delivery", field=("delivery_id",))
    return await lock_order(session, delivery.order_id), delivery


def check_packable(order: Order, delivery: Delivery) -> None:
    """Only what is paid for, or paid at the door, leaves; a replacement also after the order is complete."""
    packable = {OrderStatus.CONFIRMED}
    if delivery.ticket_id is not None:
        packable.add(OrderStatus.COMPLETED)
    if order.status not in packable:
        raise WrongState(f"Order {order.number} is {order.status.value.lower()}: nothing of it may leave.")
    if order.held_at is not None:
        raise WrongState(f"Order {order.number} is held: nothing of it may leave.")


async def lines_of(session: AsyncSession, delivery_id: int) -> dict[int, Line]:
    rows = await session.execute(
        select(DeliveryLine, OrderLine)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(DeliveryLine.delivery_id == delivery_id)
    )
    return {line.id: (line, order_line) for line, order_line in rows}


def check_measures(parcel: ParcelToPack, path: Path) -> None:
    if parcel.weight_grams is not None and not 1 <= parcel.weight_grams <= WEIGHT_LIMIT_GRAMS:
        raise Invalid(f"A parcel weighs 1 to {WEIGHT_LIMIT_GRAMS:,} grams.", field=(*path, "weight_grams"))
    sides = astuple(parcel.size) if parcel.size else ()
    if not all(1 <= side <= SIDE_LIMIT_MM for side in sides):
        raise Invalid(f"A parcel's sides are 1 to {SIDE_LIMIT_MM:,} mm.", field=(*path, "size"))


def chosen(parcel: ParcelToPack, known: Mapping[int, Line], path: Path) -> list[Line]:
    """The lines a parcel is packed from: each once, all in one warehouse."""
    if not parcel.lines:
        raise Invalid("A parcel cannot be empty.", field=path)
    if len({picked.delivery_line_id for picked in parcel.lines}) < len(parcel.lines):
        raise Invalid("A parcel names each line once.", field=path)
    for index, picked in enumerate(parcel.lines):
        if picked.delivery_line_id not in known:
            raise NotFound("delivery line", field=(*path, index, "delivery_line_id"))
        if picked.quantity < 1:
            raise Invalid("A quantity is at least 1.", field=(*path, index, "quantity"))
    goods = [known[picked.delivery_line_id] for picked in parcel.lines]
    if len({line.warehouse_id for line, _ in goods}) > 1:
        raise Invalid("A parcel is packed in one warehouse.", field=path)
    return goods


def shipment_of(
    parcel: ParcelToPack,
    goods: Sequence[Line],
    delivery: Delivery,
    *,
    number: str,
    now: datetime,
    by: int | None,
) -> Shipment:
    pairs = zip(goods, parcel.lines, strict=True)
    weight = sum(order_line.weight_grams * picked.quantity for (_, order_line), picked in pairs)
    return Shipment(
        number=number,
        order_id=delivery.order_id,
        delivery_id=delivery.id,
        warehouse_id=goods[0][0].warehouse_id,
        status=ShipmentStatus.PENDING,
        weight_grams=weight if parcel.weight_grams is None else parcel.weight_grams,
        length_mm=parcel.size.length_mm if parcel.size else None,
        width_mm=parcel.size.width_mm if parcel.size else None,
        height_mm=parcel.size.height_mm if parcel.size else None,
        version=0,
        packed_at=now,
        packed_by_id=by,
    )


async def fill(
    session: AsyncSession, shipment: Shipment, parcel: ParcelToPack, goods: Sequence[Line], path: Path
) -> None:
    for index, (picked, (line, order_line)) in enumerate(zip(parcel.lines, goods, strict=True)):
        taken = await session.scalar(
            update(DeliveryLine)
            .where(DeliveryLine.id == line.id, DeliveryLine.packed + picked.quantity <= DeliveryLine.quantity)
            .values(packed=DeliveryLine.packed + picked.quantity)
            .returning(DeliveryLine.id)
        )
        if taken is None:
            raise await nothing_left(session, line, order_line, (*path, index, "quantity"))
        session.add(
            ShipmentLine(
                shipment_id=shipment.id,
                delivery_line_id=line.id,
                order_line_id=line.order_line_id,
                quantity=picked.quantity,
            )
        )


async def nothing_left(
    session: AsyncSession, line: DeliveryLine, order_line: OrderLine, path: Path
) -> Conflict:
    await session.refresh(line)
    left, title = line.quantity - line.packed, order_line.title
    return Conflict(f"Only {left} of {title} left to pack." if left else f"{title} is packed.", field=path)
