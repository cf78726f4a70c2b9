"""The built-in carrier: it needs no account and no network, and remembers nothing.

What it says of a parcel follows from the parcel's number, its two ends, when it left and what time it is.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from atlas import City, Point, distance_km, find_point, nearest_city
from gateways.carrier import CarrierEvent, Parcel, Place, Waybill
from models import CarrierCode, ShipmentStatus

HUB_EVERY_KM = 400
HUBS_LIMIT = 4
COURIERS = ("赵师傅", "钱师傅", "孙师傅", "李师傅", "周师傅", "吴师傅")


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the timeline, not yet at a time."""

    status: ShipmentStatus
    description: str
    location: str
    point: Point | None


@dataclass(frozen=True, slots=True)
class SimulatedCarrier:
    """Delivers every parcel, one event per `step`."""

    step: timedelta
    code: CarrierCode = CarrierCode.SIMULATED

    async def book(self, parcel: Parcel, *, now: datetime) -> Waybill:
        return Waybill(
            tracking_number=f"SIM{digest(parcel.number) % 10**12:012}",
            estimated_at=now + self.step * len(timeline(parcel)),
        )

    async def track(
        self, parcel: Parcel, *, tracking_number: str, dispatched_at: datetime, now: datetime
    ) -> Sequence[CarrierEvent]:
        events = []
        for position, said in enumerate(timeline(parcel), start=1):
            event = CarrierEvent(
                status=said.status,
                code=f"{said.status.value}-{position}",
                description=said.description,
                occurred_at=dispatched_at + self.step * position,
                location=said.location,
                latitude=said.point.latitude if said.point else None,
                longitude=said.point.longitude if said.point else None,
            )
            if event.occurred_at <= now:
                events.append(event)
        return events


def timeline(parcel: Parcel) -> list[Said]:
    """Everything that will happen to a parcel."""
    start, end = point_of(parcel.sender), point_of(parcel.receiver)
    home, courier = parcel.receiver.city, COURIERS[digest(parcel.number) % len(COURIERS)]
    return [
        Said(ShipmentStatus.PICKED_UP, f"【{parcel.sender.city}】快件已揽收", parcel.sender.city, start),
        *hubs(parcel, start, end),
        Said(
            ShipmentStatus.OUT_FOR_DELIVERY,
            f"【{home}】{courier}正在派送，请保持电话畅通",
            home,
            end,
        ),
        Said(ShipmentStatus.DELIVERED, f"【{home}】快件已签收，感谢使用", home, end),
    ]


def hubs(parcel: Parcel, start: Point | None, end: Point | None) -> Iterator[Said]:
    """Out of the first city, past others on the way where both ends are known, into the last."""
    sender, receiver = parcel.sender.city, parcel.receiver.city
    yield Said(ShipmentStatus.IN_TRANSIT, f"快件离开【{sender}】分拨中心，发往【{receiver}】", sender, start)
    for city in between(start, end) if start and end else []:
        if city.name not in {sender, receiver}:
            said = f"快件到达【{city.name}】转运中心"
            yield Said(ShipmentStatus.IN_TRANSIT, said, city.name, city.point)
    yield Said(ShipmentStatus.IN_TRANSIT, f"快件到达【{receiver}】网点，等待派送", receiver, end)


def between(start: Point, end: Point) -> list[City]:
    """Cities near the straight line from one end to the other, a hub every HUB_EVERY_KM."""
    count = min(ceil(distance_km(start, end) / HUB_EVERY_KM), HUBS_LIMIT)
    shares = [step / (count + 1) for step in range(1, count + 1)]
    passed = [nearest_city(along(start, end, share)) for share in shares]
    return list(dict.fromkeys(passed))


def along(start: Point, end: Point, share: float) -> Point:
    return Point(
        start.latitude + (end.latitude - start.latitude) * share,
        start.longitude + (end.longitude - start.longitude) * share,
    )


def point_of(place: Place) -> Point | None:
    if place.latitude is not None and place.longitude is not None:
        return Point(place.latitude, place.longitude)
    return find_point(place.province, place.city, place.district)


def digest(number: str) -> int:
    return int.from_bytes(hashlib.sha256(number.encode()).digest()[:8])
