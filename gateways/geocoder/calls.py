"""Calls to the geocoder are measured, and not made while it does not answer."""

import asyncio
from dataclasses import dataclass

from gateways.geocoder.protocol import Geocoder, GeocoderError, PlaceToLocate
from gateways.measured import CALL_SECONDS, CallObserver
from geo import Point

GEOCODER = "geocoder"
"""The partner that places to be looked up are due at."""


@dataclass(frozen=True, slots=True)
class MeasuredGeocoder:
    """A geocoder whose calls are measured, and not made while it does not answer."""

    geocoder: Geocoder
    observer: CallObserver

    async def locate(self, place: PlaceToLocate) -> Point | None:
        breaker = self.observer.breakers[GEOCODER]
        answered: bool | None = False
        if not breaker.enter():
            raise GeocoderError("it has not answered for some time")
        try:
            with self.observer.observe("geocoder", GEOCODER, "locate"):
                async with asyncio.timeout(CALL_SECONDS):
                    found = await self.geocoder.locate(place)
            answered = True
            return found
        except asyncio.CancelledError:
            answered = None
            raise
        except TimeoutError as error:
            raise GeocoderError("it takes too long") from error
        finally:
            breaker.leave(answered=answered)
