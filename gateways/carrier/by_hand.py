"""Carriers that the shop cannot reach: its own couriers, and those that people deal with."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierEvent,
    CarrierQuote,
    CarrierRefused,
    PushAnswer,
    PushRefused,
    PushRequest,
    PushVerdict,
    TrackedParcel,
    TrackingPush,
)
from models import CarrierConnection

BY_HAND = "It is not connected: enter the tracking number."
NO_RATE = "It has no rate for this place: enter its rates."
NOTHING = Capabilities(quotes=True)


def quote_by_table(booking: Booking) -> CarrierQuote:
    """What the shop's own table says; CarrierRefused where it says nothing."""
    rate = booking.rate
    if rate is None:
        raise CarrierRefused(NO_RATE)
    grams = sum(each.weight_grams for each in booking.parcels)
    promised_at = booking.leaves_at + rate.takes if booking.leaves_at and rate.takes else None
    return CarrierQuote(booking.account.service, rate.price_of(grams), promised_at)


@dataclass(frozen=True, slots=True)
class CarrierByHand:
    """A carrier whose numbers and events people enter."""

    connection: CarrierConnection
    capabilities: Capabilities = NOTHING

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        return [quote_by_table(booking)]

    async def book(self, booking: Booking) -> BookedWaybill:
        raise CarrierRefused(BY_HAND)

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        return None

    async def cancel(self, booking: Booking, number: str) -> None:
        raise CarrierRefused(BY_HAND)

    async def subscribe(self, tracked: TrackedParcel) -> None:
        raise CarrierRefused(BY_HAND)

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        return []

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        raise PushRefused("nobody pushes for it")

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        return PushAnswer(404)
