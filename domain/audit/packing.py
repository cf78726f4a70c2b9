"""What is picked, scanned and packed against what is to be packed."""

from sqlalchemy import String, and_, case, cast, exists, func, literal, or_, select

from domain.audit.comparison import select_differences, total_of
from models import (
    DeliveryLine,
    OpenParcel,
    OpenParcelLine,
    OpenParcelStatus,
    Shipment,
    ShipmentLine,
    Wave,
    WavePart,
    WavePartStatus,
    WaveStatus,
    waiting_units,
)
from models.sql.types import AnySelect


def find_overscanned_lines() -> AnySelect:
    """Delivery lines of which more lies in open parcels than is left to pack."""
    scanned = (
        select(OpenParcelLine.delivery_line_id, func.sum(OpenParcelLine.quantity).label("total"))
        .join(OpenParcel, OpenParcel.id == OpenParcelLine.open_parcel_id)
        .where(OpenParcel.status == OpenParcelStatus.OPEN)
        .group_by(OpenParcelLine.delivery_line_id)
        .subquery()
    )
    left = DeliveryLine.quantity - DeliveryLine.packed - waiting_units()
    row = literal("delivery line ") + cast(DeliveryLine.id, String)
    within = case((total_of(scanned) <= left, total_of(scanned)), else_=left)
    return select_differences(row, expected=within, found=total_of(scanned)).join(
        scanned, scanned.c.delivery_line_id == DeliveryLine.id
    )


def find_wrong_closed_parcels() -> AnySelect:
    """Parcels, there still, that hold something else than was scanned into them."""
    packed = func.coalesce(ShipmentLine.quantity, 0)
    row = literal("open parcel ") + cast(OpenParcel.id, String)
    return (
        select_differences(row, expected=OpenParcelLine.quantity, found=packed)
        .join(Shipment, Shipment.id == OpenParcel.shipment_id)
        .join(OpenParcelLine, OpenParcelLine.open_parcel_id == OpenParcel.id)
        .outerjoin(
            ShipmentLine,
            and_(
                ShipmentLine.shipment_id == OpenParcel.shipment_id,
                ShipmentLine.delivery_line_id == OpenParcelLine.delivery_line_id,
            ),
        )
        .where(OpenParcel.status == OpenParcelStatus.PACKED)
    )


def find_wrong_waves() -> AnySelect:
    """Waves that are open though nothing of them is picked, or have ended though something is."""
    picking = exists(
        select(WavePart.id).where(WavePart.wave_id == Wave.id, WavePart.status == WavePartStatus.PICKING)
    )
    expected = case((picking, literal("open")), else_=literal("ended"))
    found = case((Wave.status == WaveStatus.OPEN, literal("open")), else_=literal("ended"))
    return select_differences(Wave.number, expected=expected, found=found).where(
        or_(Wave.status == WaveStatus.OPEN, picking)
    )
