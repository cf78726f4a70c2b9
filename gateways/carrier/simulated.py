"""The simulated carrier: it needs no account and no network, and stores nothing.

What it reports of a parcel follows from the parcel's number, sender and receiver, when it left and the time.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from gateways.carrier.protocol import (
    BookedWaybill,
    Booking,
    Capabilities,
    CarrierAddress,
    CarrierEvent,
    CarrierQuote,
    CarrierRefused,
    Parcel,
    PushAnswer,
    PushRefused,
    PushRequest,
    PushVerdict,
    TrackedParcel,
    TrackingPush,
)
from gateways.carrier.simulated_terms import SimulatedTerms, read_terms
from geo import City, Point, distance_km, find_point, nearest_city
from models import CarrierConnection, CurrencyCode, Money, ShipmentStatus

HUB_EVERY_KM = 400
HUBS_LIMIT = 4
LONGEST_DELAY = 3
"""Steps."""
ATTEMPTS_LIMIT = 3
CAPABILITIES = Capabilities(
    books=True, cancels=True, tracks=True, many_parcels=True, picks_up=True, quotes=True
)
BASE_PRICE, PRICE_OF_100_KM, PRICE_OF_KG = 6_00, 50, 1_00
"""What it asks, in minor units of CNY."""
UNKNOWN_KM = 1_000.0
COURIERS = ("赵师傅", "钱师傅", "孙师傅", "李师傅", "周师傅", "吴师傅")


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """A tracking event without its time."""

    status: ShipmentStatus
    description: str
    location: str
    point: Point | None


@dataclass(frozen=True, slots=True)
class SimulatedCarrier:
    """Delivers every parcel, with one tracking event after each `step`."""

    step: timedelta
    clock: Callable[[], datetime]
    connection: CarrierConnection = CarrierConnection.SIMULATED
    capabilities: Capabilities = CAPABILITIES

    async def quote(self, booking: Booking) -> Sequence[CarrierQuote]:
        if not booking.parcels:
            raise CarrierRefused("The parcel is not packed any more.")
        first = booking.parcels[0]
        start, end = point_of(first.sender), point_of(first.receiver)
        kilometres = distance_km(start, end) if start and end else UNKNOWN_KM
        grams = sum(each.weight_grams for each in booking.parcels)
        minor = BASE_PRICE + ceil(kilometres / 100) * PRICE_OF_100_KM + ceil(grams / 1_000) * PRICE_OF_KG
        promised_at = self.arrival_of(booking, booking.leaves_at or self.clock())
        return [CarrierQuote(booking.account.service, Money(minor, CurrencyCode.CNY), promised_at)]

    async def book(self, booking: Booking) -> BookedWaybill:
        if not booking.parcels:
            raise CarrierRefused("The parcel is not packed any more.")
        number = f"SIM{number_digest(booking.reference) % 10**12:012}"
        return BookedWaybill(
            number=number,
            children=[f"{number}-{index}" for index in range(2, len(booking.parcels) + 1)],
            estimated_at=self.arrival_of(booking, self.clock()),
        )

    async def find_booking(self, booking: Booking) -> BookedWaybill | None:
        return await self.book(booking)

    async def cancel(self, booking: Booking, number: str) -> None:
        """It forgets nothing, since it keeps nothing."""

    async def subscribe(self, tracked: TrackedParcel) -> None:
        raise CarrierRefused("The simulated carrier is asked.")

    async def track(self, tracked: TrackedParcel) -> Sequence[CarrierEvent]:
        now, terms = self.clock(), read_terms(tracked.account.service)
        events, occurred_at, before = [], tracked.dispatched_at, None
        for position, reached in enumerate(steps_of(tracked.parcel, terms), start=1):
            subject = tracked.parcel.number, position
            occurred_at += self.time_between(terms, before, reached.point)
            if terms.happens(terms.delay, "delay", *subject):
                occurred_at += self.step * (1 + terms.draw("lies", *subject) % LONGEST_DELAY)
            before = reached.point or before
            event = CarrierEvent(
                status=reached.status,
                code=f"{reached.status.value}-{position}",
                description=reached.description,
                occurred_at=occurred_at,
                location=reached.location,
                latitude=reached.point.latitude if reached.point else None,
                longitude=reached.point.longitude if reached.point else None,
            )
            reported_at = occurred_at
            if terms.happens(terms.late, "late", *subject):
                reported_at += self.step * (1 + terms.draw("waits", *subject) % LONGEST_DELAY)
            if reported_at <= now:
                events += [event] * (2 if terms.happens(terms.twice, "twice", *subject) else 1)
        if terms.shuffle:
            events.sort(key=lambda event: terms.draw("order", tracked.parcel.number, event.code))
        return events

    def time_between(self, terms: SimulatedTerms, start: Point | None, end: Point | None) -> timedelta:
        """How long from one event to the next: a step, or the way at the speed, but a step at least."""
        if not terms.speed or start is None or end is None:
            return self.step
        return max(self.step, timedelta(hours=distance_km(start, end) / terms.speed))

    def arrival_of(self, booking: Booking, leaves_at: datetime) -> datetime:
        """When a parcel arrives if nothing goes wrong."""
        terms, before = read_terms(booking.account.service), None
        for reached in timeline_of(booking.parcels[0]):
            leaves_at += self.time_between(terms, before, reached.point)
            before = reached.point or before
        return leaves_at

    def read_push(self, request: PushRequest) -> Sequence[TrackingPush]:
        raise PushRefused("the simulated carrier is asked")

    def answer(self, verdict: PushVerdict) -> PushAnswer:
        return PushAnswer(404)


def steps_of(parcel: Parcel, terms: SimulatedTerms) -> list[TimelineStep]:
    """All that happens to a parcel, with the attempts to deliver it that fail."""
    steps = timeline_of(parcel)
    *way, out, delivered = steps
    attempt = 0
    while attempt < ATTEMPTS_LIMIT and terms.happens(terms.fail, "fail", parcel.number, attempt):
        home = parcel.receiver.city
        failed = f"【{home}】第 {attempt + 1} 次派送未成功，将再次派送"
        way += [out, TimelineStep(ShipmentStatus.DELIVERY_FAILED, failed, home, out.point)]
        attempt += 1
    return [*way, out, delivered]


def timeline_of(parcel: Parcel) -> list[TimelineStep]:
    """All steps of a parcel, in order."""
    start, end = point_of(parcel.sender), point_of(parcel.receiver)
    home, courier = parcel.receiver.city, COURIERS[number_digest(parcel.number) % len(COURIERS)]
    return [
        TimelineStep(
            ShipmentStatus.PICKED_UP, f"【{parcel.sender.city}】快件已揽收", parcel.sender.city, start
        ),
        *hub_steps(parcel, start, end),
        TimelineStep(
            ShipmentStatus.OUT_FOR_DELIVERY,
            f"【{home}】{courier}正在派送，请保持电话畅通",
            home,
            end,
        ),
        TimelineStep(ShipmentStatus.DELIVERED, f"【{home}】快件已签收，感谢使用", home, end),
    ]


def hub_steps(parcel: Parcel, start: Point | None, end: Point | None) -> Iterator[TimelineStep]:
    """Out of the first city, through hubs where both places are known, into the last."""
    sender, receiver = parcel.sender.city, parcel.receiver.city
    yield TimelineStep(
        ShipmentStatus.IN_TRANSIT, f"快件离开【{sender}】分拨中心，发往【{receiver}】", sender, start
    )
    for city in hub_cities(start, end) if start and end else []:
        if city.name not in {sender, receiver}:
            description = f"快件到达【{city.name}】转运中心"
            yield TimelineStep(ShipmentStatus.IN_TRANSIT, description, city.name, city.point)
    yield TimelineStep(ShipmentStatus.IN_TRANSIT, f"快件到达【{receiver}】网点，等待派送", receiver, end)


def hub_cities(start: Point, end: Point) -> list[City]:
    """Cities near the straight line between two points: a hub every HUB_EVERY_KM, at most HUBS_LIMIT."""
    count = min(ceil(distance_km(start, end) / HUB_EVERY_KM), HUBS_LIMIT)
    shares = [step / (count + 1) for step in range(1, count + 1)]
    cities = [nearest_city(point_between(start, end, share)) for share in shares]
    return list(dict.fromkeys(cities))


def point_between(start: Point, end: Point, share: float) -> Point:
    """The point at a share of the way, 0 to 1."""
    return Point(
        start.latitude + (end.latitude - start.latitude) * share,
        start.longitude + (end.longitude - start.longitude) * share,
    )


def point_of(place: CarrierAddress) -> Point | None:
    if place.latitude is not None and place.longitude is not None:
        return Point(place.latitude, place.longitude)
    return find_point(place.province, place.city, place.district)


def number_digest(number: str) -> int:
    return int.from_bytes(hashlib.sha256(number.encode()).digest()[:8])
