"""How many units of a variant can be ordered: on hand, not reserved, in an active warehouse."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, ScalarSelect, func, literal, or_, select

from models.catalog import Variant
from models.order import DeliveryLine
from models.packing import OpenParcel, OpenParcelLine, OpenParcelStatus
from models.stock import Backorder, StockLevel, Warehouse


def in_active_warehouse() -> ColumnElement[bool]:
    """Whether a stock level is in a warehouse that orders may take from."""
    return StockLevel.warehouse_id.in_(select(Warehouse.id).where(Warehouse.active))


def available_units() -> ScalarSelect[int]:
    """The available units of the Variant of the enclosing statement, in all active warehouses together.

    It counts stock only: of a variant without a limit (`Variant.can_sell_out`) more can be ordered.
    """
    units: ScalarSelect[int] = (
        select(func.coalesce(func.sum(StockLevel.available), 0))
        .where(StockLevel.variant_id == Variant.id, in_active_warehouse())
        .correlate(Variant)
        .scalar_subquery()
    )
    return units


def is_available() -> ColumnElement[bool]:
    """Whether one unit of the Variant of the enclosing statement can be ordered."""
    in_stock = (
        select(literal(1))
        .where(StockLevel.variant_id == Variant.id, StockLevel.available > 0, in_active_warehouse())
        .correlate(Variant)
        .exists()
    )
    return or_(Variant.tracked.is_(False), Variant.sells_when_out.is_(True), in_stock)


def waiting_units() -> ScalarSelect[int]:
    """The units of the DeliveryLine of the enclosing statement that wait for stock."""
    units: ScalarSelect[int] = (
        select(func.coalesce(func.sum(Backorder.quantity), 0))
        .where(Backorder.delivery_line_id == DeliveryLine.id)
        .correlate(DeliveryLine)
        .scalar_subquery()
    )
    return units


def scanned_units() -> ScalarSelect[int]:
    """The units of the DeliveryLine of the enclosing statement that lie in open parcels."""
    units: ScalarSelect[int] = (
        select(func.coalesce(func.sum(OpenParcelLine.quantity), 0))
        .join(OpenParcel, OpenParcel.id == OpenParcelLine.open_parcel_id)
        .where(OpenParcelLine.delivery_line_id == DeliveryLine.id)
        .where(OpenParcel.status == OpenParcelStatus.OPEN)
        .correlate(DeliveryLine)
        .scalar_subquery()
    )
    return units


def total_available(variant: Variant, units: Iterable[int]) -> int | None:
    """The sum of `units` (StockLevel.available of each active warehouse); None where there is no limit."""
    return sum(units) if variant.can_sell_out else None
