from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateways.carrier.protocol import (
    Booking,
    CarrierAccount,
    CarrierAddress,
    CarrierEvent,
    CarrierRefused,
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


async def track_with(terms: str, *, after: timedelta, number: str = "S1") -> Sequence[CarrierEvent]:
    parcel = replace(PARCEL, number=number)
    account = replace(ACCOUNT, service=terms)
    return await carrier_at(NOW + after).track(TrackedParcel(account, parcel, "W", NOW))


async def test_a_parcel_moves_along_its_way_at_the_speed_of_the_row() -> None:
    slow = await track_with("speed=50", after=timedelta(days=9))
    fast = await track_with("speed=100", after=timedelta(days=9))

    points = [(event.latitude, event.longitude) for event in slow]
    assert points == [(event.latitude, event.longitude) for event in fast]
    assert len(set(points)) > 4
    took, half = (events[-3].occurred_at - events[0].occurred_at for events in (slow, fast))
    assert timedelta(hours=20) < took < timedelta(hours=40)
    assert abs(took - 2 * half) < 8 * STEP


async def test_attempts_fail_and_the_parcel_is_delivered_in_the_end() -> None:
    events = await track_with("fail=100", after=99 * STEP)

    statuses = [event.status for event in events]
    assert statuses.count(S.DELIVERY_FAILED) == 3
    assert statuses[-2:] == [S.OUT_FOR_DELIVERY, S.DELIVERED]
    assert len({event.description for event in events if event.status is S.DELIVERY_FAILED}) == 3


async def test_events_come_late_twice_and_in_no_order_the_same_for_the_same_seed() -> None:
    terms = "late=50 twice=50 delay=40 shuffle seed=7"
    found = await track_with(terms, after=6 * STEP)
    everything = await track_with(terms, after=99 * STEP)
    other = await track_with(terms.replace("7", "8"), after=99 * STEP)

    assert found == await track_with(terms, after=6 * STEP)
    times = [event.occurred_at for event in everything]
    assert times != sorted(times)
    assert len(times) > len(set(times))
    assert {event.code for event in everything} == {event.code for event in other}
    assert everything != other
    happened = {event.code for event in everything if event.occurred_at <= NOW + 6 * STEP}
    assert {event.code for event in found} < happened


async def test_a_term_that_the_simulated_carrier_does_not_have_is_refused() -> None:
    for terms in ("sped=50", "speed=-1", "delay=fast", "drop table"):
        with pytest.raises(CarrierRefused):
            await track_with(terms, after=STEP)
        with pytest.raises(CarrierRefused):
            await carrier_at().book(Booking("S1", replace(ACCOUNT, service=terms), [PARCEL]))
