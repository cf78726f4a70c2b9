"""Open parcels: units are scanned into them one by one, until the parcel is packed or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, DomainError, Invalid, LimitReached, NotFound, Path, WrongState
from domain.order import label_of_line, lock_order
from domain.order.waiting_edit import check_no_waiting_edit
from domain.shipment.barcodes import clean_barcode, key_of_barcode, spellings_of
from domain.shipment.packable import check_packable, lock_delivery
from domain.state import move, transition_table
from models import (
    Delivery,
    DeliveryLine,
    OpenParcel,
    OpenParcelLine,
    OpenParcelStatus,
    Order,
    OrderLine,
    OrderStatus,
    Shipment,
    Variant,
    WaveDropReason,
    scanned_units,
    sent_variant_id,
    waiting_units,
)
from models.sql.types import AnySelect

O = OpenParcelStatus  # noqa: E741
OPEN_PARCEL_TRANSITIONS = transition_table(
    O.OPEN, {O.OPEN: {O.PACKED, O.CANCELLED}, O.PACKED: set(), O.CANCELLED: set()}
)

OPEN_PARCELS_LIMIT = 50
"""Open parcels of one delivery at a time."""
SCAN_LIMIT = 1_000
"""Units that one scan counts."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A barcode that was read, for so many units; they are taken out again where `take_out` is set."""

    barcode: str
    quantity: int = 1
    take_out: bool = False


@dataclass(frozen=True, slots=True)
class ScannableLine:
    """A line of a delivery in the warehouse of an open parcel, with what may still be scanned of it."""

    line: DeliveryLine
    order_line: OrderLine
    variant: Variant
    left: int

    def has_barcode(self, barcode: str) -> bool:
        known = self.variant.barcode
        return known is not None and key_of_barcode(known) == key_of_barcode(barcode)

    def has(self, barcode: str) -> bool:
        known = [self.variant.barcode, self.variant.sku, self.order_line.sku]
        return key_of_barcode(barcode) in {key_of_barcode(each) for each in known if each}


async def open_parcel(
    session: AsyncSession, delivery_id: int, *, warehouse_id: int | None, cause: Cause
) -> OpenParcel:
    """Begin a parcel of what is left of a delivery in one warehouse."""
    order, delivery = await lock_delivery(session, delivery_id)
    check_packable(order, delivery)
    await check_no_waiting_edit(session, order)
    warehouse_id = await choose_warehouse(session, delivery_id, warehouse_id)
    is_open = (OpenParcel.delivery_id == delivery_id, OpenParcel.status == O.OPEN)
    if (await session.scalar(select(func.count(OpenParcel.id)).where(*is_open)) or 0) >= OPEN_PARCELS_LIMIT:
        template = "At most {limit} open parcels of one delivery."
        raise LimitReached(template, limit=OPEN_PARCELS_LIMIT, field=("delivery_id",))
    parcel = OpenParcel(
        order_id=order.id,
        delivery_id=delivery_id,
        warehouse_id=warehouse_id,
        status=O.OPEN,
        opened_at=cause.now,
        opened_by_id=cause.by,
        touched_at=cause.now,
    )
    session.add(parcel)
    await session.flush()
    return parcel


async def choose_warehouse(session: AsyncSession, delivery_id: int, warehouse_id: int | None) -> int:
    """The warehouse in which something of a delivery is left to pack: the given one, or the only one."""
    ready = DeliveryLine.quantity - DeliveryLine.packed - waiting_units() - scanned_units()
    found = await session.scalars(
        select(DeliveryLine.warehouse_id)
        .where(DeliveryLine.delivery_id == delivery_id, ready > 0)
        .distinct()
        .order_by(DeliveryLine.warehouse_id)
    )
    warehouses = list(found)
    if not warehouses or warehouse_id not in {None, *warehouses}:
        raise Conflict("Nothing of this delivery is left to pack there.", field=("delivery_id",))
    if warehouse_id is None and len(warehouses) > 1:
        raise Invalid("Say in which warehouse it is packed.", field=("warehouse_id",))
    return warehouses[0] if warehouse_id is None else warehouse_id


async def lock_open_parcel(session: AsyncSession, open_parcel_id: int) -> tuple[Order, OpenParcel]:
    """An open parcel and its order, locked until the transaction ends: the order first."""
    order_id = await session.scalar(select(OpenParcel.order_id).where(OpenParcel.id == open_parcel_id))
    if order_id is None:
        raise NotFound("open parcel", field=("id",))
    order = await lock_order(session, order_id)
    parcel = await session.get_one(OpenParcel, open_parcel_id, with_for_update=True, populate_existing=True)
    return order, parcel


async def scan_into_parcel(
    session: AsyncSession, open_parcel_id: int, scan: Scan, *, cause: Cause
) -> OpenParcel:
    """Count units as put into an open parcel, or as taken out; refused unless its delivery needs them."""
    barcode = clean_barcode(scan.barcode, field=("barcode",))
    if not 1 <= scan.quantity <= SCAN_LIMIT:
        raise Invalid("A scan counts 1 to {limit} units.", limit=SCAN_LIMIT, field=("quantity",))
    order, parcel = await lock_open_parcel(session, open_parcel_id)
    check_open(parcel)
    check_packable(order, await session.get_one(Delivery, parcel.delivery_id))
    await check_no_waiting_edit(session, order)
    lines = await load_scannable_lines(session, parcel)
    matching = lines_with(lines, barcode)
    if not matching:
        raise await refuse_barcode(session, parcel, barcode)
    contents = await load_contents(session, open_parcel_id)
    if scan.take_out:
        await take_units_out(session, matching, contents, scan.quantity)
    else:
        put_units_in(session, parcel, matching, contents, scan.quantity)
    parcel.touched_at = cause.now
    await session.flush()
    return parcel


def lines_with(lines: Sequence[ScannableLine], barcode: str) -> list[ScannableLine]:
    """The lines of the variant that was read; Conflict where a code names several: any could be in the hand.

    A barcode goes before a SKU that another variant has.
    """
    matching = [line for line in lines if line.has(barcode)]
    of_barcode = [line for line in matching if line.has_barcode(barcode)]
    found = of_barcode or matching
    if len({line.variant.id for line in found}) > 1:
        raise Conflict(
            "Several goods of this parcel have the code {code}: pack them by hand.",
            code=barcode,
            field=("barcode",),
        )
    return found


def put_units_in(
    session: AsyncSession,
    parcel: OpenParcel,
    matching: Sequence[ScannableLine],
    contents: dict[int, OpenParcelLine],
    quantity: int,
) -> None:
    """Divide scanned units among the lines that want them; Conflict where they want fewer."""
    left = sum(line.left for line in matching)
    if left < quantity:
        title = label_of_line(matching[0].order_line)
        template = "Only {left} of {title} left to pack." if left else "{title} is packed."
        raise Conflict(template, left=left, title=title, field=("barcode",))
    for line in matching:
        units = min(line.left, quantity)
        if not units:
            continue
        quantity -= units
        known = contents.get(line.line.id)
        if known is not None:
            known.quantity += units
            continue
        session.add(
            OpenParcelLine(
                open_parcel_id=parcel.id,
                delivery_line_id=line.line.id,
                order_line_id=line.order_line.id,
                variant_id=line.variant.id,
                quantity=units,
            )
        )


async def take_units_out(
    session: AsyncSession,
    matching: Sequence[ScannableLine],
    contents: dict[int, OpenParcelLine],
    quantity: int,
) -> None:
    """Take scanned units out of a parcel again; Conflict where fewer are in it."""
    held = [contents[line.line.id] for line in matching if line.line.id in contents]
    there = sum(each.quantity for each in held)
    if there < quantity:
        title = label_of_line(matching[0].order_line)
        raise Conflict("Only {left} of {title} in this parcel.", left=there, title=title, field=("quantity",))
    for each in reversed(held):
        units = min(each.quantity, quantity)
        quantity -= units
        if units == each.quantity:
            await session.delete(each)
        elif units:
            each.quantity -= units


async def load_scannable_lines(session: AsyncSession, parcel: OpenParcel) -> list[ScannableLine]:
    left = DeliveryLine.quantity - DeliveryLine.packed - waiting_units() - scanned_units()
    rows = await session.execute(
        select(DeliveryLine, OrderLine, Variant, left)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Variant, Variant.id == sent_variant_id())
        .where(DeliveryLine.delivery_id == parcel.delivery_id)
        .where(DeliveryLine.warehouse_id == parcel.warehouse_id)
        .order_by(DeliveryLine.id)
        .execution_options(populate_existing=True)
    )
    return [
        ScannableLine(line, order_line, variant, max(units, 0)) for line, order_line, variant, units in rows
    ]


async def load_contents(session: AsyncSession, open_parcel_id: int) -> dict[int, OpenParcelLine]:
    """What was scanned into a locked parcel, by the id of the delivery line."""
    found = await session.scalars(
        select(OpenParcelLine)
        .where(OpenParcelLine.open_parcel_id == open_parcel_id)
        .order_by(OpenParcelLine.delivery_line_id)
        .execution_options(populate_existing=True)
    )
    return {line.delivery_line_id: line for line in found}


async def refuse_barcode(session: AsyncSession, parcel: OpenParcel, barcode: str) -> DomainError:
    """Why a barcode does not belong into a parcel: nothing has it, or the delivery has nothing of it here."""
    spellings = spellings_of(barcode)
    number = await session.scalar(select(Shipment.number).where(Shipment.number == barcode))
    if number is not None:
        return Conflict("{number} is a parcel that is packed already.", number=number, field=("barcode",))
    variants = await session.scalars(
        select(Variant.id)
        .where(Variant.barcode.in_(spellings) | Variant.sku.in_(spellings))
        .order_by(Variant.id)
        .limit(OPEN_PARCELS_LIMIT)
    )
    variant_ids = list(variants)
    if not variant_ids:
        return NotFound("barcode", field=("barcode",))
    other = await find_order_with(session, parcel, variant_ids)
    if other is None:
        return Conflict("Nothing with this barcode belongs into this parcel.", field=("barcode",))
    if other.id == parcel.order_id:
        return Conflict("It belongs into another parcel of this order.", field=("barcode",))
    return Conflict(
        "It does not belong into this parcel; order {number} waits for one.",
        number=other.number,
        field=("barcode",),
    )


async def find_order_with(
    session: AsyncSession, parcel: OpenParcel, variant_ids: Sequence[int]
) -> Order | None:
    """An order that waits for a unit of these variants: this one, or another of the same warehouse."""
    left = DeliveryLine.quantity - DeliveryLine.packed > 0
    of_order = Order.id == parcel.order_id
    found: Order | None = await session.scalar(
        select(Order)
        .join(Delivery, Delivery.order_id == Order.id)
        .join(DeliveryLine, DeliveryLine.delivery_id == Delivery.id)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .where(sent_variant_id().in_(variant_ids), left, Order.status == OrderStatus.CONFIRMED)
        .where(of_order | (DeliveryLine.warehouse_id == parcel.warehouse_id))
        .order_by(of_order.desc(), Order.id)
        .limit(1)
    )
    return found


async def cancel_open_parcel(session: AsyncSession, open_parcel_id: int, *, cause: Cause) -> OpenParcel:
    """Give up an open parcel: what is in it waits to be packed; one that was given up stays so."""
    _, parcel = await lock_open_parcel(session, open_parcel_id)
    if parcel.status is not O.CANCELLED:
        move(parcel, O.CANCELLED, OPEN_PARCEL_TRANSITIONS)
        parcel.ended_at = cause.now
    return parcel


async def close_open_parcel(
    session: AsyncSession, open_parcel_id: int, delivery_id: int, *, field: Path
) -> OpenParcel:
    """An open parcel of a locked order, which is packed from now on; refused for one of another delivery."""
    parcel = await session.get(OpenParcel, open_parcel_id, with_for_update=True, populate_existing=True)
    if parcel is None or parcel.delivery_id != delivery_id:
        raise NotFound("open parcel", field=field)
    check_open(parcel, field=field)
    parcel.status = O.PACKED
    return parcel


def check_open(parcel: OpenParcel, *, field: Path = ("id",)) -> None:
    if parcel.status is O.PACKED:
        raise WrongState("This parcel is packed already.", field=field)
    if parcel.status is O.CANCELLED:
        raise WrongState("This parcel was given up; open another one.", field=field)


async def end_open_parcels_of_order(
    session: AsyncSession, order_id: int, reason: WaveDropReason, *, now: datetime
) -> None:
    """An order has changed: what was scanned for it waits to be packed again, where it still is to be."""
    await session.execute(
        update(OpenParcel)
        .where(OpenParcel.order_id == order_id, OpenParcel.status == O.OPEN)
        .values(status=O.CANCELLED, reason=reason, ended_at=now)
    )


def select_forgotten_parcels(touched_before: datetime) -> AnySelect:
    """The ids of open parcels that nobody has gone on with since."""
    return (
        select(OpenParcel.id)
        .where(OpenParcel.status == O.OPEN, OpenParcel.touched_at <= touched_before)
        .order_by(OpenParcel.touched_at)
    )


async def cancel_forgotten_parcel(
    session: AsyncSession, open_parcel_id: int, *, touched_before: datetime, cause: Cause
) -> None:
    """Give up an open parcel with which nobody has gone on."""
    _, parcel = await lock_open_parcel(session, open_parcel_id)
    if parcel.status is O.OPEN and parcel.touched_at <= touched_before:
        parcel.status, parcel.ended_at = O.CANCELLED, cause.now
