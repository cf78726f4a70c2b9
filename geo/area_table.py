"""The table of areas, read once from `areas.csv`."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

AREAS_FILE = Path(__file__).with_name("areas.csv")


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the map, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Area:
    """A province, city or district; its code begins with the codes of the areas it lies in."""

    code: str
    name: str
    point: Point | None
    former: bool

    @property
    def is_province(self) -> bool:
        return self.code.endswith("0000")

    @property
    def is_city(self) -> bool:
        return self.code.endswith("00") and not self.is_province


@cache
def load_areas() -> tuple[Area, ...]:
    with AREAS_FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Area(row["code"], row["name"], point_of(row), row["state"] == "former")
            for row in csv.DictReader(file)
        )


def point_of(row: dict[str, str]) -> Point | None:
    return Point(float(row["latitude"]), float(row["longitude"])) if row["latitude"] else None
