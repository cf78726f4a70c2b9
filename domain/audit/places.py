"""Where things are and when they may come: coordinates have a source, and windows end after they begin."""

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_, select, union_all

from domain.audit.comparison import select_rows
from models import Address, Delivery, DeliveryRunStop, Warehouse, Waybill
from models.sql.types import AnyColumn, AnySelect


def find_wrong_coordinates() -> AnySelect:
    """Places with half of their coordinates, or of which it is not known from whom they are known.

    Warehouses had coordinates before their source was kept.
    """
    wrong = [
        select_rows(
            func.coalesce(literal(f"{table.__tablename__} ") + cast(table.id, String), ""),
            expected=literal("latitude, longitude and a source"),
            found=func.coalesce(cast(table.coordinate_source, String), literal("no source")),
        ).where(
            or_(
                table.latitude.is_(None) != table.longitude.is_(None),
                and_(table.latitude.is_(None), table.coordinate_source.is_not(None)),
                and_(table.latitude.is_not(None), table.coordinate_source.is_(None), literal(sourced)),
            )
        )
        for table, sourced in ((Address, True), (Delivery, True), (Warehouse, False))
    ]
    return select(union_all(*wrong).subquery())


def find_wrong_windows() -> AnySelect:
    """Windows of deliveries, stops and collections that end before they begin, or have one end only."""
    windows: list[tuple[str, AnyColumn, AnyColumn, AnyColumn]] = [
        ("delivery", Delivery.id, Delivery.window_from, Delivery.window_until),
        ("stop", DeliveryRunStop.id, DeliveryRunStop.window_from, DeliveryRunStop.window_until),
        ("waybill", Waybill.id, Waybill.pickup_from, Waybill.pickup_until),
    ]
    wrong = [
        select_rows(
            literal(f"{name} ") + cast(id, String),
            expected=literal("an end after its beginning"),
            found=case((ends.is_(None), literal("no end")), else_=cast(ends, String)),
        ).where(is_wrong(begins, ends))
        for name, id, begins, ends in windows
    ]
    return select(union_all(*wrong).subquery())


def is_wrong(begins: AnyColumn, ends: AnyColumn) -> ColumnElement[bool]:
    return or_(begins.is_(None) != ends.is_(None), ends <= begins)
