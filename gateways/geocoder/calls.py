"""Calls to the geocoder are measured, and not made while it does not answer."""

from dataclasses import dataclass

from gateways.calls import CallErrors, CallObserver
from gateways.geocoder.protocol import Geocoder, GeocoderError, PlaceToLocate
from geo import Point

GEOCODER = "geocoder"
"""The partner that places to be looked up are due at."""

ERRORS = CallErrors(not_called=GeocoderError, too_late=GeocoderError)


@dataclass(frozen=True, slots=True)
class MeasuredGeocoder:
    """A geocoder whose calls are measured, and not made while it does not answer."""

    geocoder: Geocoder
    observer: CallObserver

    async def locate(self, place: PlaceToLocate) -> Point | None:
        async with self.observer.call_partner("geocoder", GEOCODER, "locate", ERRORS):
            return await self.geocoder.locate(place)
