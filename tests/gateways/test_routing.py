"""Planning the order of stops."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, permutations
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.delivery_run import STOPS_LIMIT
from gateways.routing import EXACT_STOPS_LIMIT, SEGMENT_LIMIT, Leg, StraightLineRouter
from geo import Point, distance_km, find_point, nearest_city

ROUTER = StraightLineRouter()
HOME = Point(31.2, 121.4)
DOORS = st.builds(Point, st.floats(30.9, 31.5), st.floats(121.1, 121.8))


def length(start: Point, stops: list[Point]) -> float:
    return sum(distance_km(a, b) for a, b in zip([start, *stops], stops, strict=False))


@given(st.lists(DOORS | st.none(), max_size=12))
def test_every_stop_is_visited_once_and_unknown_places_last(stops: list[Point | None]) -> None:
    legs = ROUTER.plan_legs(HOME, stops)

    assert sorted(leg.stop for leg in legs) == list(range(len(stops)))
    unknown = [stops[leg.stop] is None for leg in legs]
    assert unknown == sorted(unknown)
    assert all(leg.travel >= ROUTER.at_the_door for leg in legs)


@example([Point(31.28, 121.51), Point(31.37, 121.6), Point(31.48, 121.77), Point(31.12, 121.51)])
@given(st.lists(DOORS, min_size=1, max_size=6, unique=True))
def test_a_tour_of_few_stops_is_the_shortest(stops: list[Point]) -> None:
    tour = [stops[leg.stop] for leg in ROUTER.plan_legs(HOME, stops)]

    shortest = min(length(HOME, list(order)) for order in permutations(stops))
    assert length(HOME, tour) == pytest.approx(shortest)


@given(st.lists(DOORS, min_size=EXACT_STOPS_LIMIT + 1, max_size=EXACT_STOPS_LIMIT + 6, unique=True))
def test_no_reversed_or_moved_segment_shortens_a_tour_of_many_stops(stops: list[Point]) -> None:
    tour = [stops[leg.stop] for leg in ROUTER.plan_legs(HOME, stops)]

    assert length(HOME, tour) <= min(length(HOME, other) for other in neighbours(tour)) + 1e-6


def neighbours(tour: list[Point]) -> Iterator[list[Point]]:
    """Every tour with one segment reversed, or a short one moved, as it is or reversed."""
    for first, last in combinations(range(len(tour) + 1), 2):
        segment, rest = tour[first:last], tour[:first] + tour[last:]
        yield tour[:first] + segment[::-1] + tour[last:]
        if len(segment) <= SEGMENT_LIMIT:
            for place in range(len(rest) + 1):
                yield rest[:place] + segment + rest[place:]
                yield rest[:place] + segment[::-1] + rest[place:]


def test_a_run_of_the_longest_length_is_planned_within_seconds() -> None:
    stops = [
        Point(30.9 + place * 37 % 60 / 100, 121.1 + place * 23 % 70 / 100) for place in range(STOPS_LIMIT)
    ]
    began = process_time()

    assert len(ROUTER.plan_legs(HOME, stops)) == STOPS_LIMIT

    assert process_time() - began < 5


def test_stops_along_a_street_are_visited_in_its_order() -> None:
    street = [Point(31.2 + step / 100, 121.4) for step in (3, 1, 4, 2)]

    assert [leg.stop for leg in ROUTER.plan_legs(HOME, street)] == [1, 3, 0, 2]


@pytest.mark.parametrize("others", [0, EXACT_STOPS_LIMIT])
def test_parcels_for_one_door_keep_the_order_they_were_given_in(others: int) -> None:
    door = Point(31.25, 121.5)
    stops = [door, *(Point(31.3 + step / 100, 121.4) for step in range(others)), door, door]

    tour = [leg.stop for leg in ROUTER.plan_legs(HOME, stops)]

    first = tour.index(0)
    assert tour[first : first + 3] == [0, others + 1, others + 2]


def test_a_leg_takes_the_drive_and_the_time_at_the_door() -> None:
    ten_minutes_north = Point(31.2 + 20 / 6 / 1.4 / 111.195, 121.4)

    assert ROUTER.plan_legs(HOME, [ten_minutes_north]) == [Leg(0, timedelta(minutes=14))]
    assert ROUTER.plan_legs(HOME, [None]) == [Leg(0, timedelta(minutes=20))]
    assert ROUTER.plan_legs(None, [HOME]) == [Leg(0, timedelta(minutes=4))]


@pytest.mark.parametrize(
    ("address", "point"),
    [
        (("上海市", "上海市", "徐汇区"), Point(31.188, 121.436)),
        (("上海", "上海", ""), Point(31.23, 121.474)),
        (("吉林省", "长春市", "朝阳区"), Point(43.834, 125.288)),
        (("浙江", "杭州", "西湖区"), Point(30.259, 120.13)),
        (("江西省", "南昌市", "西湖区"), Point(28.658, 115.877)),
        (("河南省", "济源市", ""), Point(35.067, 112.602)),
        (("广东省", "深圳市", "Nowhere"), Point(22.544, 114.058)),
        (("香港特别行政区", "香港", ""), Point(22.277, 114.171)),
        (("California", "Cupertino", ""), None),
    ],
)
def test_an_address_is_found_by_its_names(address: tuple[str, str, str], point: Point | None) -> None:
    assert find_point(*address) == point


def test_the_nearest_city_is_known() -> None:
    assert nearest_city(Point(30.2, 120.1)).name == "杭州市"
