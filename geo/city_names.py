"""Which city a text names, so that a place can be told without its street."""

import re
from functools import cache, lru_cache

from geo.area_names import pinyin_of
from geo.area_table import Point
from geo.coordinates import City, all_cities, distance_km, nearest_city, short_name

CITY_REACH_KM = 200.0
"""From the centre of a city to the farthest place that is told by its name."""
MIN_NAME_LENGTH = 2


@lru_cache(maxsize=4096)
def find_city_name(text: str) -> str | None:
    """The city of China that a text names first, with its suffix; None where it names none.

    In Latin letters it is the word of the text, since several cities may be written the same.
    """
    found = [
        (place, -len(short), name)
        for short, name in names_of_cities().items()
        if (place := text.find(short)) >= 0
    ]
    if found:
        return min(found)[2]
    words = re.findall(r"[a-z]+", text.lower().replace("'", ""))
    return next((word.capitalize() for word in words if word in cities_in_pinyin()), None)


def find_city(text: str) -> City | None:
    """The city of China that a text names first; None for none, and for one of several of the same pinyin."""
    name = find_city_name(text)
    if name is None:
        return None
    named = [city for city in all_cities() if city.name == name]
    if not named:
        written = name.lower()
        named = [city for city in all_cities() if pinyin_of(short_name(city.name)) == written]
    return named[0] if len(named) == 1 else None


def city_around(point: Point) -> City | None:
    """The city of China around a point; None where there is none."""
    city = nearest_city(point)
    return city if distance_km(city.point, point) <= CITY_REACH_KM else None


def city_near(point: Point) -> str | None:
    """The name of the city of China around a point; None where there is none."""
    city = city_around(point)
    return city.name if city else None


@cache
def names_of_cities() -> dict[str, str]:
    """Cities by their names without suffix."""
    return {
        short: city.name for city in all_cities() if len(short := short_name(city.name)) >= MIN_NAME_LENGTH
    }


@cache
def cities_in_pinyin() -> frozenset[str]:
    return frozenset(map(pinyin_of, names_of_cities()))
