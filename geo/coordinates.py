"""Coordinates of areas, and distances between them."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from heapq import nsmallest
from math import asin, cos, radians, sin, sqrt

from geo.area_table import Area, Point, load_areas

EARTH_KM = 6_371.0
PROVINCE_OR_CITY_SUFFIX = re.compile(
    r"(?<=..)(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|地区|省|市)$"
)
NEARBY_DEGREES = 5.0

SMALLEST_REACH_KM = 80.0
REACH_FACTOR = 2.0
NEIGHBOURS = 3


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
    return find_centre(province, city, district) or points_by_name().get((short_name(province),))


def find_centre(province: str, city: str, district: str) -> Point | None:
    """The centre of the district, else of the city; None where neither is in the table."""
    by_name = points_by_name()
    province_name, city_name = short_name(province), short_name(city)
    return by_name.get((province_name, city_name, district)) or by_name.get((province_name, city_name))


def reach_km(point: Point) -> float:
    """How far from the centre of an area a place in it can be: areas are as wide as they lie apart."""
    return max(SMALLEST_REACH_KM, REACH_FACTOR * neighbour_km(point))


@lru_cache(maxsize=4096)
def neighbour_km(point: Point) -> float:
    """From a centre to that of its NEIGHBOURS-th nearest area."""
    distances = (distance_km(point, area.point) for area in load_areas() if area.point not in (None, point))
    return nsmallest(NEIGHBOURS, distances)[-1]


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
