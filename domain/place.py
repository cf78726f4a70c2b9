"""Where places are on the map: as the client says, else the centre of their district.

A geocoder may say it better later: it is asked after the place is stored (domain/address/geocoding.py).
"""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import HOME_REGION
from domain.errors import DomainError, ErrorCode
from domain.incoming_text import Field
from geo import Point, distance_km, find_centre, find_point, reach_km
from models import CoordinateSource, PlaceColumns

GEOCODES_KEY = "geocodes"
"""In `session.info`: whether a geocoder is connected, so that places wait to be looked up."""

NOWHERE_DEGREES = 0.01
"""So near to 0, 0, which is in the Atlantic Ocean, are coordinates that a program has left empty."""
HOME_SOUTH, HOME_NORTH, HOME_WEST, HOME_EAST = 3.0, 54.0, 73.0, 136.0
"""No address of China is outside of these degrees."""


class HasPlace(Protocol):
    """Anything of which a geocoder can be asked where it is."""

    @property
    def country_code(self) -> str: ...
    @property
    def line1(self) -> str: ...
    @property
    def coordinate_source(self) -> CoordinateSource | None: ...


class ImpossibleCoordinates(DomainError):
    code = ErrorCode.IMPOSSIBLE_COORDINATES


class FarFromAddress(DomainError):
    code = ErrorCode.FAR_FROM_ADDRESS


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Where something is, and from whom that is known."""

    latitude: float | None = None
    longitude: float | None = None
    coordinate_source: CoordinateSource | None = None


def locate_place(
    given: Coordinates, *, country_code: str, area: tuple[str, str, str], field: Field
) -> Coordinates:
    """The coordinates given for a place if they can be right, else those of its area."""
    at_home = country_code == HOME_REGION
    if given.latitude is None and given.longitude is None:
        centre = find_point(*area) if at_home else None
        if centre is None:
            return Coordinates()
        return Coordinates(centre.latitude, centre.longitude, CoordinateSource.DISTRICT)
    point = check_point(given.latitude, given.longitude, field)
    if at_home:
        check_near(point, area, field)
    return Coordinates(point.latitude, point.longitude, CoordinateSource.CLIENT)


def check_point(latitude: float | None, longitude: float | None, field: Field = ()) -> Point:
    """The place on the earth with these coordinates; ImpossibleCoordinates where nobody can be."""
    path = (*field, "latitude")
    if latitude is None or longitude is None:
        raise ImpossibleCoordinates("Give both latitude and longitude, or neither.", field=path)
    if not (isfinite(latitude) and isfinite(longitude)):
        raise ImpossibleCoordinates("Coordinates are numbers of degrees.", field=path)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ImpossibleCoordinates("Latitudes go from -90 to 90, longitudes from -180 to 180.", field=path)
    if abs(latitude) < NOWHERE_DEGREES and abs(longitude) < NOWHERE_DEGREES:
        raise ImpossibleCoordinates("Nobody lives at 0, 0: leave out what is not known.", field=path)
    return Point(latitude, longitude)


def check_near(point: Point, area: tuple[str, str, str], field: Field) -> None:
    """Refuse a point that is in another country, or where the named city or district cannot be."""
    path = (*field, "latitude")
    if not is_at_home(point):
        raise FarFromAddress("These coordinates are in another country.", field=path)
    centre = find_centre(*area)
    if centre is None:
        return
    distance = distance_km(centre, point)
    if distance > reach_km(centre):
        raise FarFromAddress(
            "These coordinates are {distance} km from {place}.",
            distance=round(distance),
            place=area[2] or area[1],
            field=path,
        )


def is_near(point: Point, area: tuple[str, str, str]) -> bool:
    """Whether an address of this area at home can be there."""
    centre = find_centre(*area)
    return is_at_home(point) and (centre is None or distance_km(centre, point) <= reach_km(centre))


def is_at_home(point: Point) -> bool:
    return HOME_SOUTH <= point.latitude <= HOME_NORTH and HOME_WEST <= point.longitude <= HOME_EAST


def point_of(row: PlaceColumns) -> Point | None:
    """The coordinates of a row; None where they are not known."""
    if row.latitude is None or row.longitude is None:
        return None
    return Point(row.latitude, row.longitude)


def geocode_time(session: AsyncSession, place: HasPlace, *, now: datetime) -> datetime | None:
    """When a geocoder is to be asked about a place that is being stored: at once, where one is connected and
    could say more than is known."""
    is_known = place.coordinate_source in (CoordinateSource.CLIENT, CoordinateSource.GEOCODER)
    if is_known or place.country_code != HOME_REGION or not place.line1:
        return None
    return now if session.info.get(GEOCODES_KEY) else None
