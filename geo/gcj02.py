"""GCJ-02, the coordinates of maps made in China: some hundred metres beside those of the rest of the world.

The formulas have been public since about 2010 (https://en.wikipedia.org/wiki/Restrictions_on_geographic_data_in_China).
"""

from math import cos, pi, radians, sin, sqrt

from geo.area_table import Point

AXIS_METRES = 6_378_245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
"""Of the ellipsoid of Krasovsky (1940), which the formulas use."""
ROUNDS = 3
"""Of the fixed-point iteration; each leaves about a thousandth of the error."""


def metres_per_degree(radius: float) -> float:
    """On a circle of this radius in metres."""
    return radius * pi / 180.0


def to_gcj02(point: Point) -> Point:
    """A point of WGS 84 as maps of China show it."""
    x, y = point.longitude - 105.0, point.latitude - 35.0
    waves = 20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north += (waves + 20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east += (waves + 20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    latitude = radians(point.latitude)
    narrowing = 1.0 - ECCENTRICITY_SQUARED * sin(latitude) ** 2
    meridian = AXIS_METRES * (1.0 - ECCENTRICITY_SQUARED) / (narrowing * sqrt(narrowing))
    parallel = AXIS_METRES / sqrt(narrowing) * cos(latitude)
    return Point(
        point.latitude + north / metres_per_degree(meridian),
        point.longitude + east / metres_per_degree(parallel),
    )


def from_gcj02(point: Point) -> Point:
    """A point of a map made in China in WGS 84, to within some centimetres."""
    found = point
    for _ in range(ROUNDS):
        shown = to_gcj02(found)
        found = Point(
            found.latitude + point.latitude - shown.latitude,
            found.longitude + point.longitude - shown.longitude,
        )
    return found
