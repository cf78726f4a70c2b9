"""Where places are: a table of China's provinces, cities and districts.

Names and codes are those of the Ministry of Civil Affairs; the coordinates of their centres come from
the tables of cpca (https://github.com/DQinYuan/chinese_province_city_area_mapper, MIT).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

EARTH_KM = 6_371.0
TABLE = Path(__file__).with_name("places.csv")
TAIL = re.compile(r"(?<=..)(特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|地区|省|市)$")
NEAR_DEGREES = 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the map, in degrees."""

    latitude: float
    longitude: float


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
    by_name, _ = table()
    region, town = bare(province), bare(city)
    for names in ((region, town, district), (region, town), (region,)):
        if point := by_name.get(names):
            return point
    return None


def nearest_city(point: Point) -> City:
    _, cities = table()
    near = [city for city in cities if abs(city.point.latitude - point.latitude) < NEAR_DEGREES]
    return min(near or cities, key=lambda city: distance_km(city.point, point))


def bare(name: str) -> str:
    """A province or city without the word that says which it is: both spellings are in use."""
    return TAIL.sub("", name.strip())


@cache
def table() -> tuple[dict[tuple[str, ...], Point], list[City]]:
    """Points by names from the province down, and all cities; read once."""
    rows = list(read_table())
    names = {code: bare(name) for code, name, _ in rows}
    by_name: dict[tuple[str, ...], Point] = {}
    cities = []
    for code, name, point in rows:
        region = names[f"{code[:2]}0000"]
        town = names.get(f"{code[:4]}00")
        if code.endswith("0000"):
            by_name[(region,)] = point
        elif code.endswith("00"):
            by_name[(region, names[code])] = point
        else:
            by_name[(region, town or region, name)] = point
            if town is None:  # a county right below its province is written in the place of the city, too
                by_name.setdefault((region, bare(name)), point)
        if code.endswith("00") and (not code.endswith("0000") or name.endswith(("市", "特别行政区"))):
            cities.append(City(name, point))
    return by_name, cities


def read_table() -> Iterator[tuple[str, str, Point]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            point = Point(float(row["latitude"]), float(row["longitude"]))
            yield row["code"], row["name"], point
