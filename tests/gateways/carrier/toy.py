"""A toy carrier, as short as one can be: it books in memory and signs pushes with a word."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

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
from models import CarrierConnection, CurrencyCode, Money, ShipmentStatus

STATUSES = {"left": ShipmentStatus.PICKED_UP, "there": ShipmentStatus.DELIVERED}
CAPABILITIES = Capabilities(
    books=True, cancels=True, quotes=True, tracks=True, pushes=True, many_parcels=True
)
WORD = "toy"
LEFT_AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@dataclass
class ToyCarrier:
    """A carrier that carries nothing."""

    connection: CarrierConnection = CarrierConnection.SIMULATED
    capabilities: Capabilities = CAPABILITIES
    booked: dict[str, BookedWaybill] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        return [CarrierQuote("slow", Money(1_00 * len(booking.parcels), CurrencyCode.CNY))]

    async def book(self, booking: Booking) -> BookedWaybill:
        if not booking.parcels:
            raise CarrierRefused("There is nothing to carry.")
        number = f"TOY{len(self.booked) + 1}"
        children = [f"{number}-{index}" for index in range(2, len(booking.parcels) + 1)]
        return self.booked.setdefault(booking.reference, BookedWaybill(number, children))

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        return self.booked.get(booking.reference)

    async def cancel(self, booking: Booking, number: str) -> None:
        self.cancelled.add(number)

    async def subscribe(self, tracked: TrackedParcel) -> None:
        """It always pushes."""

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        return [CarrierEvent(STATUSES["left"], "left", "It has left.", LEFT_AT)]

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        try:
            content = json.loads(request.body)
            if content["word"] != WORD:
                raise PushRefused("the word is wrong")
            moment = datetime.fromisoformat(content["at"])
            event = CarrierEvent(STATUSES.get(content["code"]), content["code"], content["code"], moment)
            return [TrackingPush(content["number"], [event])]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise PushRefused("it cannot be read") from None

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        return PushAnswer({PushVerdict.ACCEPTED: 200, PushVerdict.REFUSED: 400}.get(verdict, 503))
