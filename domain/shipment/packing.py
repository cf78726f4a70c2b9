"""Packing what is left of a delivery into parcels, and unpacking."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, Invalid, LimitReached, NotFound, WrongState, collect_refusals
from domain.events import ShipmentPacked, ShipmentUnpacked
from domain.order import label_of_line, lock_shipment, reopen_order
from domain.order.states import WITHDRAWAL_REASONS
from domain.order.waiting_edit import check_no_waiting_edit
from domain.outbox import record
from domain.shipment.fulfilment import refresh_fulfilment
from domain.shipment.open_parcels import close_open_parcel, load_contents
from domain.shipment.packable import check_packable, lock_delivery
from domain.shipment.waves import mark_packed_parts
from domain.shipment.waybills import release_waybills
from domain.stock import count_waiting_units
from models import (
    BoxType,
    Delivery,
    DeliveryLine,
    DeliveryRunStop,
    OpenParcel,
    Order,
    OrderLine,
    ParcelSize,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    ShippingMethod,
    Ticket,
    TicketLine,
    TicketStatus,
    TicketType,
    TrackingLink,
    UnpackedParcel,
    scanned_units,
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
    """What goes into one parcel: its lines, or what was scanned into an open one.

    Without a weight, it weighs what its lines and its box weigh.
    """

    lines: Sequence[ParcelLine]
    weight_grams: int | None = None
    size: ParcelSize | None = None
    box_type_id: int | None = None
    open_parcel_id: int | None = None


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
    parcels, opened = await fill_from_open_parcels(session, delivery_id, parcels)
    boxes = await load_boxes(session, parcels)
    shipments = []
    with collect_refusals() as check:
        for index, parcel in enumerate(parcels):
            with check:
                check_measures(parcel, ("parcels", index))
            with check:
                lines = select_lines(parcel, packable, ("parcels", index, "lines"))
                check_box(boxes.get(parcel.box_type_id or 0), parcel, lines, ("parcels", index))
    for index, (parcel, number) in enumerate(zip(parcels, numbers, strict=True)):
        lines = select_lines(parcel, packable, ("parcels", index, "lines"))
        box = boxes.get(parcel.box_type_id or 0)
        shipment = build_shipment(parcel, lines, delivery, box, number=number, cause=cause)
        session.add(shipment)
        await session.flush()
        if parcel.open_parcel_id is not None:
            opened[parcel.open_parcel_id].shipment_id = shipment.id
            opened[parcel.open_parcel_id].ended_at = cause.now
        await add_shipment_lines(session, shipment, parcel, lines, ("parcels", index, "lines"))
        record(session, ShipmentPacked(shipment, account_id=order.account_id), cause)
        shipments.append(shipment)
    if delivery.ticket_id is None:
        await check_nothing_withdrawn(session, order)
    await mark_packed_parts(session, delivery_id, now=cause.now)
    await refresh_fulfilment(session, order, cause=cause)
    return shipments


async def fill_from_open_parcels(
    session: AsyncSession, delivery_id: int, parcels: Sequence[ParcelToPack]
) -> tuple[Sequence[ParcelToPack], dict[int, OpenParcel]]:
    """The parcels with what was scanned into the open ones they name, which are closed; and these, by id."""
    opened: dict[int, OpenParcel] = {}
    filled = []
    for index, parcel in enumerate(parcels):
        open_id, field = parcel.open_parcel_id, ("parcels", index, "open_parcel_id")
        if open_id is None:
            filled.append(parcel)
            continue
        if parcel.lines:
            raise Invalid("A parcel has either lines or what was scanned into it.", field=field)
        if open_id in opened:
            raise Invalid("An open parcel is packed once.", field=field)
        opened[open_id] = await close_open_parcel(session, open_id, delivery_id, field=field)
        contents = await load_contents(session, open_id)
        if not contents:
            raise Invalid("A parcel cannot be empty.", field=field)
        lines = [ParcelLine(line.delivery_line_id, line.quantity) for line in contents.values()]
        filled.append(replace(parcel, lines=lines))
    await session.flush()
    return filled, opened


async def load_boxes(session: AsyncSession, parcels: Sequence[ParcelToPack]) -> dict[int, BoxType]:
    """The box types that parcels name, by their ids."""
    ids = {parcel.box_type_id for parcel in parcels if parcel.box_type_id is not None}
    if not ids:
        return {}
    return {box.id: box for box in await session.scalars(select(BoxType).where(BoxType.id.in_(ids)))}


def check_box(box: BoxType | None, parcel: ParcelToPack, lines: Sequence[PackableLine], path: Path) -> None:
    """Refuse a box that does not exist, is not used in the warehouse, or may not weigh so much."""
    if parcel.box_type_id is None:
        return
    field = (*path, "box_type_id")
    if box is None:
        raise NotFound("box type", field=field)
    if box.archived_at is not None or box.warehouse_id not in {None, lines[0][0].warehouse_id}:
        raise WrongState("{name} is not used there.", name=box.name, field=field)
    if weight_of(parcel, lines, box) > box.max_weight_grams:
        template = "{name} may weigh at most {limit} g."
        raise Invalid(template, name=box.name, limit=box.max_weight_grams, field=field)


def weight_of(parcel: ParcelToPack, lines: Sequence[PackableLine], box: BoxType | None) -> int:
    """What a parcel weighs, in grams: as it was weighed, or as its lines and its box do."""
    if parcel.weight_grams is not None:
        return parcel.weight_grams
    pairs = zip(lines, parcel.lines, strict=True)
    weight = sum(order_line.weight_grams * packed.quantity for (_, order_line), packed in pairs)
    return weight + (box.own_weight_grams if box else 0)


async def unpack_shipment(session: AsyncSession, shipment_id: int, *, cause: Cause) -> Delivery:
    """Unpack a parcel that has not left: its lines wait to be packed again, and its waybill is cancelled.

    One that was unpacked before stays so.
    """
    try:
        order, shipment = await lock_shipment(session, shipment_id)
    except NotFound:
        if (unpacked := await session.get(UnpackedParcel, shipment_id)) is None:
            raise
        return await session.get_one(Delivery, unpacked.delivery_id)
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
    session.add(
        UnpackedParcel(
            id=shipment_id,
            number=shipment.number,
            order_id=order.id,
            delivery_id=shipment.delivery_id,
            unpacked_at=cause.now,
            unpacked_by_id=cause.by,
        )
    )
    await release_waybills(session, shipment, now=cause.now)
    record(session, ShipmentUnpacked(shipment, account_id=order.account_id), cause)
    await session.flush()
    await session.execute(delete(ShipmentLine).where(ShipmentLine.shipment_id == shipment_id))
    await session.execute(delete(TrackingLink).where(TrackingLink.shipment_id == shipment_id))
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
    box: BoxType | None,
    *,
    number: str,
    cause: Cause,
) -> Shipment:
    size = parcel.size
    if size is None and box is not None:
        size = ParcelSize(box.length_mm, box.width_mm, box.height_mm)
    return Shipment(
        number=number,
        order_id=delivery.order_id,
        delivery_id=delivery.id,
        warehouse_id=lines[0][0].warehouse_id,
        status=ShipmentStatus.PENDING,
        weight_grams=weight_of(parcel, lines, box),
        length_mm=size.length_mm if size else None,
        width_mm=size.width_mm if size else None,
        height_mm=size.height_mm if size else None,
        box_type_id=parcel.box_type_id,
        version=0,
        packed_at=cause.now,
        packed_by_id=cause.by,
    )


async def add_shipment_lines(
    session: AsyncSession, shipment: Shipment, parcel: ParcelToPack, lines: Sequence[PackableLine], path: Path
) -> None:
    """Count the units as packed and add the lines of a parcel; Conflict for more than is left."""
    ready = DeliveryLine.quantity - waiting_units() - scanned_units()
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
    scanned = await session.scalar(select(scanned_units()).where(DeliveryLine.id == line.id)) or 0
    left, title = line.quantity - line.packed - waiting - scanned, label_of_line(order_line)
    if scanned:
        return Conflict(
            "Only {left} of {title} can be packed; {scanned} more were scanned into open parcels.",
            left=left,
            title=title,
            scanned=scanned,
            field=path,
        )
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
