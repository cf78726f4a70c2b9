"""Coordinates of areas, and distances between them."""

import re
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt

from geo.area_table import Area, Point, load_areas

EARTH_KM = 6_371.0
PROVINCE_OR_CITY_SUFFIX = re.compile(
    r"(?<=..)(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|地区|省|市)$"
)
NEARBY_DEGREES = 5.0


@dataclass(frozen=True, slots=True)
class City:
    """A city and its centre."""

    name: str
    point: Point


def distance_km(a: Point, b: Point) -> float:
    """The distance along the great circle, by the haversine formula."""
    phi, psi = radians(a.latitude), radians(b.latitude)
    turn = radians(b.longitude - a.longitude)
    chord = sin((psi - phi) / 2) ** 2 + cos(phi) * cos(psi) * sin(turn / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))


def find_point(province: str, city: str, district: str) -> Point | None:
    """The centre of the district, else of the city, else of the province; None where none is in the table."""
    by_name = points_by_name()
    province_name, city_name = short_name(province), short_name(city)
    for names in ((province_name, city_name, district), (province_name, city_name), (province_name,)):
        if point := by_name.get(names):
            return point
    return None


def nearest_city(point: Point) -> City:
    near = [city for city in all_cities() if abs(city.point.latitude - point.latitude) < NEARBY_DEGREES]
    return min(near or all_cities(), key=lambda city: distance_km(city.point, point))


def short_name(name: str) -> str:
    """A province or city without the suffix of its level, since both spellings are in use."""
    return PROVINCE_OR_CITY_SUFFIX.sub("", name.strip())


@cache
def points_by_name() -> dict[tuple[str, ...], Point]:
    """Centres by (province), (province, city) or (province, city, district), the first two as short names."""
    names = {area.code: short_name(area.name) for area in load_areas()}
    by_name: dict[tuple[str, ...], Point] = {}
    for area in load_areas():
        if area.point is None:
            continue
        province_name = names[f"{area.code[:2]}0000"]
        city_name = names.get(f"{area.code[:4]}00")
        if area.is_province:
            by_name[(province_name,)] = area.point
        elif area.is_city:
            by_name[(province_name, names[area.code])] = area.point
        else:
            by_name[(province_name, city_name or province_name, area.name)] = area.point
            # a county right below its province is also written in the place of the city
            if city_name is None:
                by_name.setdefault((province_name, short_name(area.name)), area.point)
    return by_name


@cache
def all_cities() -> list[City]:
    return [City(area.name, area.point) for area in load_areas() if area.point and is_city_like(area)]


def is_city_like(area: Area) -> bool:
    """Whether it is a city, or a province that is one."""
    return area.is_city or (area.is_province and area.name.endswith(("市", "特别行政区")))
