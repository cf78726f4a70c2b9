"""What labels, packing slips and pick lists show."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import undefer

from loaders.carrier import find_carrier_by_code
from loaders.shipment import ShipmentRoute, load_routes
from models import (
    Account,
    Order,
    OrderLine,
    ShipmentLine,
    StockLevel,
    Variant,
    Warehouse,
    Wave,
    WavePart,
    WavePartStatus,
    WaveUnits,
    Waybill,
    WaybillStatus,
)
from models.database import Reads

IN_LIST = (WavePartStatus.PICKING, WavePartStatus.PACKED)


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What the label of a parcel shows, beside the cash."""

    route: ShipmentRoute
    carrier_name: str
    number: str | None
    """Of its waybill."""
    mother_number: str | None
    """Of the waybill on which it goes along."""
    position: int
    """Its place among the parcels of its waybill, from 1."""
    parcels: int


async def load_label_facts(reads: Reads, shipment_id: int) -> LabelFacts | None:
    route = (await load_routes(reads, [shipment_id])).get(shipment_id)
    if route is None:
        return None
    waybill = await load_used_waybill(reads, shipment_id)
    code = route.shipment.carrier or (waybill.carrier if waybill else None)
    carrier = await find_carrier_by_code(reads, code) if code else None
    group = await load_group(reads, waybill) if waybill else []
    place = [each.id for each in group].index(waybill.id) if waybill else 0
    return LabelFacts(
        route=route,
        carrier_name=carrier.name if carrier else "",
        number=route.shipment.tracking_number or (waybill.number if waybill else None),
        mother_number=group[0].number if place else None,
        position=place + 1,
        parcels=max(len(group), 1),
    )


async def load_used_waybill(reads: Reads, shipment_id: int) -> Waybill | None:
    """The booked waybill of a parcel."""
    async with reads() as session:
        found: Waybill | None = await session.scalar(
            select(Waybill)
            .where(Waybill.shipment_id == shipment_id, Waybill.status == WaybillStatus.BOOKED)
            .order_by(Waybill.id.desc())
            .limit(1)
        )
        return found


async def load_group(reads: Reads, waybill: Waybill) -> Sequence[Waybill]:
    """A waybill with all that go along on it, the mother first."""
    mother_id = waybill.mother_id or waybill.id
    async with reads() as session:
        found = await session.scalars(
            select(Waybill)
            .where(or_(Waybill.id == mother_id, Waybill.mother_id == mother_id))
            .order_by(Waybill.mother_id.is_not(None), Waybill.id)
        )
        return found.all()


async def load_carrier_label(reads: Reads, shipment_id: int) -> Waybill | None:
    """The booked waybill of a parcel, or the one it goes along on, with the label that the carrier gave."""
    waybill = await load_used_waybill(reads, shipment_id)
    if waybill is None:
        return None
    async with reads() as session:
        found: Waybill | None = await session.scalar(
            select(Waybill)
            .where(Waybill.id == (waybill.mother_id or waybill.id), Waybill.label.is_not(None))
            .options(undefer(Waybill.label))
        )
        return found


@dataclass(frozen=True, slots=True)
class PackedUnits:
    """Units of an order line in a parcel."""

    line: OrderLine
    barcode: str | None
    quantity: int


async def load_packed_units(reads: Reads, shipment_id: int) -> Sequence[PackedUnits]:
    async with reads() as session:
        rows = await session.execute(
            select(OrderLine, Variant.barcode, ShipmentLine.quantity)
            .join(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
            .join(Variant, Variant.id == OrderLine.variant_id)
            .where(ShipmentLine.shipment_id == shipment_id)
            .order_by(OrderLine.position, ShipmentLine.delivery_line_id)
        )
        return [PackedUnits(line, barcode, quantity) for line, barcode, quantity in rows]


@dataclass(frozen=True, slots=True)
class PickedUnits:
    """Units of a variant that a wave picks for one order."""

    variant_id: int
    bin_place: str
    line: OrderLine
    barcode: str | None
    order_number: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PickListFacts:
    """A wave with all that it picks, by variant."""

    wave: Wave
    warehouse: Warehouse
    units: Sequence[PickedUnits]


async def load_pick_list(reads: Reads, wave_id: int) -> PickListFacts | None:
    async with reads() as session:
        found = await session.execute(
            select(Wave, Warehouse)
            .join(Warehouse, Warehouse.id == Wave.warehouse_id)
            .where(Wave.id == wave_id)
        )
        row = found.one_or_none()
        if row is None:
            return None
        in_warehouse = and_(
            StockLevel.variant_id == WaveUnits.variant_id, StockLevel.warehouse_id == WavePart.warehouse_id
        )
        units = await session.execute(
            select(
                WaveUnits.variant_id,
                func.coalesce(StockLevel.bin_place, ""),
                OrderLine,
                Variant.barcode,
                Order.number,
                WaveUnits.quantity,
            )
            .join(WavePart, WavePart.id == WaveUnits.part_id)
            .join(Order, Order.id == WavePart.order_id)
            .join(OrderLine, OrderLine.id == WaveUnits.order_line_id)
            .join(Variant, Variant.id == WaveUnits.variant_id)
            .outerjoin(StockLevel, in_warehouse)
            .where(WavePart.wave_id == wave_id, WavePart.status.in_(IN_LIST))
            .order_by(WaveUnits.variant_id, WavePart.id)
        )
        return PickListFacts(row[0], row[1], [PickedUnits(*each) for each in units])


async def load_reader(reads: Reads, account_id: int) -> Account | None:
    """Who an address was made for, as their account is now."""
    async with reads() as session:
        return await session.get(Account, account_id)
