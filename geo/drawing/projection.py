"""Where places lie on a flat map: equirectangular, with degrees of longitude shortened by the cosine of the
latitude in the middle (https://en.wikipedia.org/wiki/Equirectangular_projection)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

from geo.area_table import Point
from geo.coordinates import EARTH_KM

FULL_TURN = 360.0
KM_PER_DEGREE = EARTH_KM * radians(1.0)
STEEPEST_LATITUDE = 85.0
"""Nearer to a pole the cosine would shorten everything to nothing."""
SMALLEST_KM = 2.0
"""Across what a map shows at least, however near its places are to each other."""
NARROWEST, TALLEST = 0.6, 1.0
"""Bounds of the height of a map, as parts of its width."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A part of the world on a map of some width and height, in units of the drawing."""

    middle: Point
    shortening: float
    """Kilometres along a parallel for one along a meridian, of the same degrees."""
    units_per_km: float
    width: float
    height: float

    def place(self, point: Point) -> tuple[float, float]:
        """The distances of a point from the left and from the upper edge.

        Of all turns around the world the one is taken that is nearest to the middle.
        """
        turns = round((self.middle.longitude - point.longitude) / FULL_TURN) * FULL_TURN
        return self.place_exactly(point.longitude + turns, point.latitude)

    def place_exactly(self, longitude: float, latitude: float) -> tuple[float, float]:
        """The same for degrees as they are, also beyond 180."""
        across, down = self.units_per_degree
        return (
            self.width / 2 + (longitude - self.middle.longitude) * across,
            self.height / 2 - (latitude - self.middle.latitude) * down,
        )

    @property
    def units_per_degree(self) -> tuple[float, float]:
        """Of longitude, and of latitude."""
        per_degree = KM_PER_DEGREE * self.units_per_km
        return self.shortening * per_degree, per_degree

    @property
    def width_km(self) -> float:
        return self.width / self.units_per_km

    @property
    def degrees_across(self) -> tuple[float, float]:
        """Degrees of longitude and of latitude from edge to edge."""
        across, down = self.units_per_degree
        return self.width / across, self.height / down


def fit_points(points: Sequence[Point], width: float, padding: float) -> Projection:
    """The projection that shows all points, with a padding, on a map of this width; it has at least one."""
    west, degrees = shortest_arc([point.longitude for point in points])
    south, north = min(point.latitude for point in points), max(point.latitude for point in points)
    middle = Point((south + north) / 2, west + degrees / 2)
    shortening = cos(radians(min(abs(middle.latitude), STEEPEST_LATITUDE)))
    width_km = max(degrees * shortening * KM_PER_DEGREE, SMALLEST_KM)
    height_km = max((north - south) * KM_PER_DEGREE, SMALLEST_KM)
    fitting = height_km * (width - 2 * padding) / width_km + 2 * padding
    height = min(max(fitting, NARROWEST * width), TALLEST * width)
    scale = min((width - 2 * padding) / width_km, (height - 2 * padding) / height_km)
    return Projection(middle, shortening, scale, width, height)


def shortest_arc(longitudes: Sequence[float]) -> tuple[float, float]:
    """Where the shortest arc that has all longitudes begins in the west, and its degrees.

    It may cross the meridian of 180 degrees: it leaves out the widest gap between two neighbours.
    """
    around = sorted(each % FULL_TURN for each in longitudes)
    gaps = [
        (after - before, after)
        for before, after in zip(around, [*around[1:], around[0] + FULL_TURN], strict=True)
    ]
    widest, west = max(gaps)
    return west % FULL_TURN, FULL_TURN - widest
