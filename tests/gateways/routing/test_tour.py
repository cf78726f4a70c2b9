"""Planning the order of stops."""

from collections.abc import Iterator
from itertools import combinations, permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateways.routing.budget import start_budget
from gateways.routing.tour import EXACT_STOPS_LIMIT, SEGMENT_LIMIT, order_tour
from geo import Point, distance_km, find_point, nearest_city

HOME = Point(31.2, 121.4)
DOORS = st.builds(Point, st.floats(30.9, 31.5), st.floats(121.1, 121.8))


def length(start: Point, stops: list[Point]) -> float:
    return sum(distance_km(a, b) for a, b in zip([start, *stops], stops, strict=False))


def plan_tour(stops: list[Point], *, end: Point | None = None) -> list[Point]:
    """The stops in the order of a short tour from home."""
    places = [HOME, *stops]
    distances = [
        [*(distance_km(row, column) for column in places), distance_km(row, end) if end else 0.0]
        for row in places
    ]
    return [stops[stop - 1] for stop in order_tour(distances, start_budget(60.0))]


@example([Point(31.28, 121.51), Point(31.37, 121.6), Point(31.48, 121.77), Point(31.12, 121.51)])
@given(st.lists(DOORS, min_size=1, max_size=6, unique=True))
def test_a_tour_of_few_stops_is_the_shortest(stops: list[Point]) -> None:
    shortest = min(length(HOME, list(order)) for order in permutations(stops))
    assert length(HOME, plan_tour(stops)) == pytest.approx(shortest)


@given(st.lists(DOORS, min_size=1, max_size=6, unique=True))
def test_a_tour_of_few_stops_that_returns_is_the_shortest(stops: list[Point]) -> None:
    shortest = min(length(HOME, [*order, HOME]) for order in permutations(stops))
    assert length(HOME, [*plan_tour(stops, end=HOME), HOME]) == pytest.approx(shortest)


@given(st.lists(DOORS, min_size=EXACT_STOPS_LIMIT + 1, max_size=EXACT_STOPS_LIMIT + 6, unique=True))
def test_no_reversed_or_moved_segment_shortens_a_tour_of_many_stops(stops: list[Point]) -> None:
    tour = plan_tour(stops)

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


def test_stops_along_a_street_are_visited_in_its_order() -> None:
    street = [Point(31.2 + step / 100, 121.4) for step in (3, 1, 4, 2)]

    assert plan_tour(street) == [street[at] for at in (1, 3, 0, 2)]


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
