from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateways.carrier.protocol import (
    Booking,
    CarrierAccount,
    CarrierAddress,
    CarrierEvent,
    Parcel,
    TrackedParcel,
)
from gateways.carrier.simulated import SimulatedCarrier
from models import SIMULATED_CARRIER
from models import ShipmentStatus as S

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
STEP = timedelta(minutes=1)
ACCOUNT = CarrierAccount(SIMULATED_CARRIER, "Simulated carrier")


def place(province: str, city: str, district: str = "") -> CarrierAddress:
    return CarrierAddress("林梅", "+8613800138000", province, city, district, "1 号")


SHANGHAI, SHENZHEN = place("上海市", "上海市", "青浦区"), place("广东省", "深圳市", "南山区")
PARCEL = Parcel("S1", 500, SHANGHAI, SHENZHEN)


def carrier_at(now: datetime = NOW) -> SimulatedCarrier:
    return SimulatedCarrier(STEP, lambda: now)


async def track(parcel: Parcel, *, after: timedelta) -> Sequence[CarrierEvent]:
    """What is reported of a parcel some time after it left."""
    return await carrier_at(NOW + after).track(TrackedParcel(ACCOUNT, parcel, "W", NOW))


async def test_a_waybill_booked_twice_is_the_same() -> None:
    booking = Booking("S1", ACCOUNT, [PARCEL])
    first, again = await carrier_at().book(booking), await carrier_at().book(booking)
    other = await carrier_at().book(Booking("S2", ACCOUNT, [PARCEL]))

    assert first == again == await carrier_at().find_booking(booking)
    assert first.number != other.number
    assert first.estimated_at == NOW + 8 * STEP


async def test_a_parcel_has_one_event_per_step_until_it_is_delivered() -> None:
    async def statuses(after: timedelta) -> list[S | None]:
        events = await track(PARCEL, after=after)
        return [event.status for event in events]

    assert await statuses(STEP / 2) == []
    assert await statuses(STEP) == [S.PICKED_UP]
    assert await statuses(3 * STEP) == [S.PICKED_UP, S.IN_TRANSIT, S.IN_TRANSIT]
    assert await statuses(7 * STEP) == [S.PICKED_UP, *[S.IN_TRANSIT] * 5, S.OUT_FOR_DELIVERY]
    assert await statuses(99 * STEP) == [S.PICKED_UP, *[S.IN_TRANSIT] * 5, S.OUT_FOR_DELIVERY, S.DELIVERED]


async def test_a_parcel_passes_cities_between_sender_and_receiver() -> None:
    events = await track(PARCEL, after=99 * STEP)

    assert [event.location for event in events] == [
        "上海市",
        "上海市",
        "金华市",
        "三明市",
        "梅州市",
        "深圳市",
        "深圳市",
        "深圳市",
    ]
    latitudes = [event.latitude or 0 for event in events]
    assert latitudes == sorted(latitudes, reverse=True)
    assert len({(event.occurred_at, event.code) for event in events}) == 8


async def test_later_tracking_extends_the_events_reported_before() -> None:
    early = await track(PARCEL, after=4 * STEP)
    later = await track(PARCEL, after=6 * STEP)

    assert list(later)[:4] == list(early)
    assert len(later) == 6


async def test_a_parcel_to_an_unknown_place_is_delivered_too() -> None:
    parcel = Parcel("S1", 500, SHANGHAI, place("Ontario", "Toronto"))

    events = await track(parcel, after=99 * STEP)

    assert [event.status for event in events] == [
        S.PICKED_UP,
        S.IN_TRANSIT,
        S.IN_TRANSIT,
        S.OUT_FOR_DELIVERY,
        S.DELIVERED,
    ]
    assert events[-1].latitude is None
