"""What the shop asks of a geocoder."""

from typing import Protocol

from geo import Point


class GeocoderError(Exception):
    """The geocoder did not answer, or not now: ask again later."""


class PlaceToLocate(Protocol):
    """An address in China, without who is there."""

    @property
    def province(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def district(self) -> str: ...
    @property
    def line1(self) -> str: ...


class Geocoder(Protocol):
    """Tells where addresses are."""

    async def locate(self, place: PlaceToLocate) -> Point | None:
        """Where a place is (WGS 84), to the street at least; None where nothing so exact is known of it."""
