"""Where addresses are: as the client says if that can be, else the centre of their district."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.address import check_window, normalize_address, windows_within
from domain.errors import DomainError, ErrorCode
from geo import Point, distance_km, find_point, from_gcj02, reach_km, to_gcj02
from models import CoordinateSource, Delivery, DeliveryWindow
from tests.domain.test_postal import NEW_YORK
from tests.factories.order import HANGZHOU

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)
E = ErrorCode


def test_an_address_without_coordinates_is_at_the_centre_of_its_district() -> None:
    stored = normalize_address(HANGZHOU)

    assert (stored.latitude, stored.longitude) == (30.259, 120.13)
    assert stored.coordinate_source is CoordinateSource.DISTRICT


def test_a_pin_of_the_client_is_kept() -> None:
    stored = normalize_address(replace(HANGZHOU, latitude=30.2777, longitude=120.1222))

    assert (stored.latitude, stored.longitude) == (30.2777, 120.1222)
    assert stored.coordinate_source is CoordinateSource.CLIENT


def test_of_other_countries_no_centres_are_known() -> None:
    stored = normalize_address(NEW_YORK)

    assert (stored.latitude, stored.longitude, stored.coordinate_source) == (None, None, None)


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [
        (30.0, None, E.IMPOSSIBLE_COORDINATES),
        (None, 120.0, E.IMPOSSIBLE_COORDINATES),
        (0.0, 0.0, E.IMPOSSIBLE_COORDINATES),
        (float("nan"), 120.0, E.IMPOSSIBLE_COORDINATES),
        (float("inf"), 120.0, E.IMPOSSIBLE_COORDINATES),
        (90.1, 120.0, E.IMPOSSIBLE_COORDINATES),
        (30.0, 180.1, E.IMPOSSIBLE_COORDINATES),
        (40.7, -74.0, E.FAR_FROM_ADDRESS),
        (39.9, 116.4, E.FAR_FROM_ADDRESS),
        (120.13, 30.259, E.IMPOSSIBLE_COORDINATES),
    ],
)
def test_coordinates_that_cannot_be_right_are_refused_by_name(
    latitude: float | None, longitude: float | None, code: ErrorCode
) -> None:
    with pytest.raises(DomainError) as refused:
        normalize_address(replace(HANGZHOU, latitude=latitude, longitude=longitude), field=("address",))

    assert (refused.value.code, refused.value.field) == (code, ("address", "latitude"))


def test_how_far_a_place_may_be_from_its_centre_depends_on_how_large_areas_are_there() -> None:
    in_town = find_point("浙江省", "杭州市", "西湖区")
    in_the_desert = find_point("新疆维吾尔自治区", "巴音郭楞蒙古自治州", "若羌县")
    assert in_town
    assert in_the_desert

    assert reach_km(in_town) == 80.0
    assert reach_km(in_the_desert) == pytest.approx(689, abs=1)


def test_coordinates_of_maps_of_china_are_turned_back() -> None:
    place = Point(39.9042, 116.4074)
    shown = to_gcj02(place)

    assert (shown.latitude, shown.longitude) == pytest.approx((39.9056, 116.41364), abs=1e-5)
    assert distance_km(from_gcj02(shown), place) < 0.001


@pytest.mark.parametrize(
    ("begins", "ends", "code"),
    [
        ("18:00", None, E.INVALID),
        ("6pm", "9pm", E.INVALID),
        ("24:00", "25:00", E.INVALID),
        ("21:00", "18:00", E.WINDOW_REVERSED),
        ("18:00", "18:00", E.WINDOW_REVERSED),
        ("18:00", "18:59", E.WINDOW_TOO_SHORT),
    ],
)
def test_a_preferred_time_that_is_none_is_refused_by_name(
    begins: str, ends: str | None, code: ErrorCode
) -> None:
    with pytest.raises(DomainError) as refused:
        normalize_address(replace(HANGZHOU, preferred_from=begins, preferred_until=ends))

    assert (refused.value.code, refused.value.field) == (code, ("preferred_from",))


@pytest.mark.parametrize(
    ("begins", "ends", "code"),
    [
        (NOW + 2 * HOUR, NOW + HOUR, E.WINDOW_REVERSED),
        (NOW - 3 * HOUR, NOW, E.WINDOW_PAST),
        (NOW + HOUR, NOW + HOUR + timedelta(minutes=59), E.WINDOW_TOO_SHORT),
        (NOW + timedelta(days=30), NOW + timedelta(days=30, seconds=3601), E.WINDOW_TOO_FAR),
    ],
)
def test_a_window_in_which_nothing_can_come_is_refused_by_name(
    begins: datetime, ends: datetime, code: ErrorCode
) -> None:
    with pytest.raises(DomainError) as refused:
        check_window(DeliveryWindow(begins, ends), now=NOW, field=("window",))

    assert (refused.value.code, refused.value.field) == (code, ("window",))


def test_the_window_of_a_delivery_counts_before_the_time_its_address_prefers() -> None:
    window = DeliveryWindow(NOW + HOUR, NOW + 3 * HOUR)
    delivery = Delivery(
        window_from=window.begins, window_until=window.ends, preferred_from="18:00", preferred_until="21:00"
    )

    assert windows_within(delivery, NOW, NOW + 2 * HOUR, SHANGHAI) == [
        DeliveryWindow(NOW + HOUR, NOW + 2 * HOUR)
    ]
    assert windows_within(delivery, NOW + 4 * HOUR, NOW + 8 * HOUR, SHANGHAI) == []


def test_a_preferred_time_is_one_of_each_day_as_clocks_show_it() -> None:
    delivery = Delivery(preferred_from="18:00", preferred_until="21:00")

    assert windows_within(delivery, NOW, NOW + timedelta(days=1), SHANGHAI) == [
        DeliveryWindow(datetime(2026, 3, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC))
    ]
    assert windows_within(Delivery(), NOW, NOW + HOUR, SHANGHAI) is None
