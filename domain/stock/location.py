"""Where warehouses are on the map."""

from domain.contact import HOME_REGION
from geo import Point, find_point
from models import Warehouse


def point_of_place(country_code: str, province: str, city: str, district: str) -> Point | None:
    """The coordinates of a place at home; the table of areas knows no other country."""
    return find_point(province, city, district) if country_code.strip().upper() == HOME_REGION else None


def point_of_warehouse(warehouse: Warehouse) -> Point | None:
    """A warehouse's own coordinates, else those of its district, city or province; None where unknown."""
    if warehouse.latitude is not None and warehouse.longitude is not None:
        return Point(warehouse.latitude, warehouse.longitude)
    return point_of_place(warehouse.country_code, warehouse.province, warehouse.city, warehouse.district)
