"""Waves, open parcels and box types, for those who pack."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from loaders.base import ByKey, ManyByKey, loader
from loaders.page import Key, Sort
from models import (
    BoxType,
    DeliveryLine,
    OpenParcel,
    OpenParcelLine,
    OrderLine,
    UnpackedParcel,
    Variant,
    VariantSize,
    Wave,
    WavePart,
    WaveStatus,
    WaveUnits,
    Waybill,
    scanned_units,
    sent_variant_id,
    waiting_units,
)
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_WAVE = Sort("newest", (Key(Wave.id, descending=True),))


class WaveById(ByKey[int, Wave]):
    key = Wave.id


class PartsByWave(ManyByKey[int, WavePart]):
    key = WavePart.wave_id
    order_by = WavePart.id


class UnitsByPart(ManyByKey[int, WaveUnits]):
    key = WaveUnits.part_id
    order_by = WaveUnits.delivery_line_id


class BoxTypeById(ByKey[int, BoxType]):
    key = BoxType.id


class OpenParcelById(ByKey[int, OpenParcel]):
    key = OpenParcel.id


class OpenParcelsByDelivery(ManyByKey[int, OpenParcel]):
    key = OpenParcel.delivery_id
    order_by = OpenParcel.id


class LinesByOpenParcel(ManyByKey[int, OpenParcelLine]):
    key = OpenParcelLine.open_parcel_id
    order_by = OpenParcelLine.delivery_line_id


class UnpackedByDelivery(ManyByKey[int, UnpackedParcel]):
    key = UnpackedParcel.delivery_id
    order_by = UnpackedParcel.id


class UnpackedById(ByKey[int, UnpackedParcel]):
    key = UnpackedParcel.id


class WaybillsByUnpacked(ManyByKey[int | None, Waybill]):
    key = Waybill.unpacked_id
    order_by = Waybill.id


class PackingLoaders:
    wave = loader(WaveById)
    wave_parts = loader(PartsByWave)
    wave_units = loader(UnitsByPart)
    box_type = loader(BoxTypeById)
    open_parcel = loader(OpenParcelById)
    delivery_open_parcels = loader(OpenParcelsByDelivery)
    open_parcel_lines = loader(LinesByOpenParcel)
    delivery_unpacked_parcels = loader(UnpackedByDelivery)
    unpacked_parcel = loader(UnpackedById)
    unpacked_waybills = loader(WaybillsByUnpacked)


def select_waves(
    *, warehouse_id: int | None = None, status: Collection[WaveStatus] | None = None
) -> AnySelect:
    statement = select(Wave)
    if warehouse_id is not None:
        statement = statement.where(Wave.warehouse_id == warehouse_id)
    if status is not None:
        statement = statement.where(Wave.status.in_(status))
    return statement


async def load_box_types(
    reads: Reads, *, warehouse_id: int | None = None, archived: bool = False
) -> Sequence[BoxType]:
    """Box types by their volume, the smallest first; of one warehouse with those of all."""
    volume = BoxType.length_mm * BoxType.width_mm * BoxType.height_mm
    statement = select(BoxType).order_by(volume, BoxType.id)
    if warehouse_id is not None:
        statement = statement.where(or_(BoxType.warehouse_id.is_(None), BoxType.warehouse_id == warehouse_id))
    if not archived:
        statement = statement.where(BoxType.archived_at.is_(None))
    async with reads() as session:
        return (await session.scalars(statement)).all()


@dataclass(frozen=True, slots=True)
class UnitsToPack:
    """What is there of one delivery line and not packed, with the measures of one unit."""

    line: DeliveryLine
    weight_grams: int
    size: VariantSize | None
    quantity: int


async def load_units_to_pack(
    reads: Reads, delivery_id: int, *, warehouse_id: int | None
) -> Sequence[UnitsToPack]:
    left = DeliveryLine.quantity - DeliveryLine.packed - waiting_units() - scanned_units()
    statement = (
        select(DeliveryLine, OrderLine.weight_grams, Variant, left)
        .join(OrderLine, OrderLine.id == DeliveryLine.order_line_id)
        .join(Variant, Variant.id == sent_variant_id())
        .where(DeliveryLine.delivery_id == delivery_id, left > 0)
        .order_by(DeliveryLine.id)
    )
    if warehouse_id is not None:
        statement = statement.where(DeliveryLine.warehouse_id == warehouse_id)
    async with reads() as session:
        rows = await session.execute(statement)
        return [UnitsToPack(line, weight, variant.size, units) for line, weight, variant, units in rows]
