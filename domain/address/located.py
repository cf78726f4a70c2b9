"""Addresses with their coordinates."""

from dataclasses import replace

from domain.address.parts import PostalAddress
from domain.incoming_text import Field
from domain.place import Coordinates, locate_place
from models import CoordinateSource


def locate_address(postal: PostalAddress, field: Field) -> PostalAddress:
    """The address with coordinates: those given with it, else those of its district.

    ImpossibleCoordinates and FarFromAddress name what is wrong with those that are given.
    """
    found = locate_place(
        Coordinates(postal.latitude, postal.longitude),
        country_code=postal.country_code,
        area=(postal.province, postal.city, postal.district),
        field=field,
    )
    return replace(
        postal,
        latitude=found.latitude,
        longitude=found.longitude,
        coordinate_source=found.coordinate_source,
    )


def keep_coordinates(new: PostalAddress, before: PostalAddress) -> PostalAddress:
    """The new address with the coordinates of the one before, where it is the same place."""
    if new.coordinate_source is CoordinateSource.CLIENT or new.place != before.place:
        return new
    return replace(
        new,
        latitude=before.latitude,
        longitude=before.longitude,
        coordinate_source=before.coordinate_source,
    )
