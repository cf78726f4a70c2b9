"""Where areas are, and how far from each other."""

import re
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt

from atlas.table import Area, Point, areas

EARTH_KM = 6_371.0
TAIL = re.compile(r"(?<=..)(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|地区|省|市)$")
NEAR_DEGREES = 5.0


@dataclass(frozen=True, slots=True)
class City:
    """A city and its centre."""

    name: str
    point: Point


def distance_km(a: Point, b: Point) -> float:
    """Along the great circle (haversine formula)."""
    phi, psi = radians(a.latitude), radians(b.latitude)
    turn = radians(b.longitude - a.longitude)
    chord = sin((psi - phi) / 2) ** 2 + cos(phi) * cos(psi) * sin(turn / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))


def find_point(province: str, city: str, district: str) -> Point | None:
    """The centre of a district, else of its city, else of its province; None for what is not in the table."""
    by_name = points()
    region, town = bare(province), bare(city)
    for names in ((region, town, district), (region, town), (region,)):
        if point := by_name.get(names):
            return point
    return None


def nearest_city(point: Point) -> City:
    near = [city for city in cities() if abs(city.point.latitude - point.latitude) < NEAR_DEGREES]
    return min(near or cities(), key=lambda city: distance_km(city.point, point))


def bare(name: str) -> str:
    """A province or city without the word that says which it is: both spellings are in use."""
    return TAIL.sub("", name.strip())


@cache
def points() -> dict[tuple[str, ...], Point]:
    """Centres by names from the province down."""
    names = {area.code: bare(area.name) for area in areas()}
    by_name: dict[tuple[str, ...], Point] = {}
    for area in areas():
        if area.point is None:
            continue
        region = names[f"{area.code[:2]}0000"]
        town = names.get(f"{area.code[:4]}00")
        if area.is_province:
            by_name[(region,)] = area.point
        elif area.is_city:
            by_name[(region, names[area.code])] = area.point
        else:
            by_name[(region, town or region, area.name)] = area.point
            if town is None:  # a county right below its province is written in the place of the city, too
                by_name.setdefault((region, bare(area.name)), area.point)
    return by_name


@cache
def cities() -> list[City]:
    return [City(area.name, area.point) for area in areas() if area.point and is_town(area)]


def is_town(area: Area) -> bool:
    """A city, or a province that is one."""
    return area.is_city or (area.is_province and area.name.endswith(("市", "特别行政区")))
