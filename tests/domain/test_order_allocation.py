"""From which warehouse each unit leaves."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from domain.order.allocation import (
    AllocatedUnits,
    AvailableStock,
    DeliveryPlace,
    SourceWarehouse,
    allocate_units,
    choose_sources,
    sort_by_distance,
)
from models import Warehouse


def warehouse(id: int, city: str, *, position: int | None = None) -> Warehouse:
    province, city, district = PLACES[city]
    return Warehouse(
        id=id,
        country_code="CN",
        province=province,
        city=city,
        district=district,
        position=position or id,
        latitude=None,
        longitude=None,
    )


PLACES = {
    "Hangzhou": ("浙江省", "杭州市", "余杭区"),
    "Ningbo": ("浙江省", "宁波市", "鄞州区"),
    "Chengdu": ("四川省", "成都市", "锦江区"),
    "Guangzhou": ("广东省", "广州市", "天河区"),
    "Shenyang": ("辽宁省", "沈阳市", "和平区"),
    "Xian": ("陕西省", "西安市", "雁塔区"),
    "nowhere": ("", "", ""),
}
HANGZHOU, CHENGDU = warehouse(1, "Hangzhou"), warehouse(2, "Chengdu")
BOTH = [HANGZHOU, CHENGDU]


def place_in(city: str, *, country: str = "CN") -> DeliveryPlace:
    return DeliveryPlace(country, *PLACES[city])


def stock_of(stock: dict[tuple[int, int], int], *, unlimited: frozenset[int] = frozenset()) -> AvailableStock:
    return AvailableStock(dict(stock), unlimited)


def test_the_nearest_warehouse_that_has_everything_sends_it() -> None:
    stock = stock_of({(0, 1): 5, (0, 2): 5})

    assert allocate_units([(place_in("Chengdu"), {0: 2})], stock, BOTH) == [AllocatedUnits(0, 0, 2, 2)]


def test_the_nearest_is_found_by_kilometres_not_by_provinces() -> None:
    stock = stock_of({(0, 1): 5, (0, 2): 5})

    assert allocate_units([(place_in("Xian"), {0: 2})], stock, BOTH) == [AllocatedUnits(0, 0, 2, 2)]
    assert allocate_units([(place_in("Guangzhou"), {0: 2})], stock, BOTH) == [AllocatedUnits(0, 0, 1, 2)]


def test_the_coordinates_of_a_warehouse_win_over_those_of_its_district() -> None:
    in_chengdu = warehouse(3, "Hangzhou")
    in_chengdu.latitude, in_chengdu.longitude = 30.65, 104.08

    assert [source.id for source in sort_by_distance([HANGZHOU, in_chengdu], place_in("Chengdu"))] == [3, 1]


def test_an_address_may_be_written_without_the_kinds_of_its_areas() -> None:
    stock = stock_of({(0, 1): 5, (0, 2): 5})

    assert allocate_units([(DeliveryPlace("CN", "四川", "成都", ""), {0: 2})], stock, BOTH) == [
        AllocatedUnits(0, 0, 2, 2)
    ]


def test_where_distances_are_not_known_the_main_warehouse_comes_first() -> None:
    stock = {(0, 1): 5, (0, 2): 5}

    for there in (place_in("nowhere"), place_in("Chengdu", country="US")):
        assert allocate_units([(there, {0: 2})], stock_of(stock), [CHENGDU, HANGZHOU]) == [
            AllocatedUnits(0, 0, 1, 2)
        ]


def test_one_parcel_from_far_away_is_better_than_two() -> None:
    stock = stock_of({(0, 1): 5, (1, 1): 5, (0, 2): 5, (1, 2): 0})

    assert allocate_units([(place_in("Chengdu"), {0: 1, 1: 1})], stock, BOTH) == [
        AllocatedUnits(0, 0, 1, 1),
        AllocatedUnits(0, 1, 1, 1),
    ]


def test_two_parcels_are_better_than_three_though_the_fullest_warehouse_is_not_among_them() -> None:
    fullest = {(0, 1): 1, (1, 1): 1, (2, 1): 1, (3, 1): 1}
    halves = {(0, 2): 1, (1, 2): 1, (4, 2): 1, (2, 3): 1, (3, 3): 1, (5, 3): 1}
    three = [HANGZHOU, CHENGDU, warehouse(3, "Guangzhou")]

    parts = allocate_units(
        [(place_in("Hangzhou"), dict.fromkeys(range(6), 1))], stock_of(fullest | halves), three
    )

    assert {part.warehouse_id for part in parts} == {2, 3}


def test_what_no_warehouse_has_entirely_comes_from_two_the_nearer_one_first() -> None:
    stock = stock_of({(0, 1): 3, (0, 2): 4})

    assert allocate_units([(place_in("Hangzhou"), {0: 6})], stock, BOTH) == [
        AllocatedUnits(0, 0, 1, 3),
        AllocatedUnits(0, 0, 2, 3),
    ]


def test_a_second_delivery_takes_what_the_first_has_left() -> None:
    stock = stock_of({(0, 1): 3, (0, 2): 3})

    assert allocate_units([(place_in("Hangzhou"), {0: 2}), (place_in("Ningbo"), {0: 2})], stock, BOTH) == [
        AllocatedUnits(0, 0, 1, 2),
        AllocatedUnits(1, 0, 2, 2),
    ]


def test_a_variant_without_a_limit_is_sent_with_the_rest() -> None:
    stock = stock_of({(0, 2): 1}, unlimited=frozenset({1}))

    assert allocate_units([(place_in("Hangzhou"), {0: 1, 1: 50})], stock, BOTH) == [
        AllocatedUnits(0, 0, 2, 1),
        AllocatedUnits(0, 1, 2, 50),
    ]


SIX = [warehouse(number, city) for number, city in enumerate(list(PLACES)[:6], start=1)]
STOCK_STRATEGY = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(1, 6)), st.integers(0, 9), min_size=1
)


@st.composite
def orders(draw: st.DrawFn) -> tuple[dict[tuple[int, int], int], list[tuple[DeliveryPlace, dict[int, int]]]]:
    stock = draw(STOCK_STRATEGY)
    rest: dict[int, int] = {}
    for (line, _), units in stock.items():
        rest[line] = rest.get(line, 0) + units
    deliveries = []
    for _ in range(draw(st.integers(1, 3))):
        quantities = {}
        for line in rest:
            units = draw(st.integers(0, rest[line]))
            rest[line] -= units
            if units:
                quantities[line] = units
        deliveries.append((place_in(draw(st.sampled_from(list(PLACES)))), quantities))
    return stock, deliveries


@given(orders())
def test_every_unit_leaves_once_and_no_warehouse_sends_more_than_it_has(
    drawn: tuple[dict[tuple[int, int], int], list[tuple[DeliveryPlace, dict[int, int]]]],
) -> None:
    stock, deliveries = drawn

    parts = allocate_units(deliveries, stock_of(stock), SIX)

    for delivery, (_, quantities) in enumerate(deliveries):
        for line, quantity in quantities.items():
            sent = [part for part in parts if (part.delivery, part.line) == (delivery, line)]
            assert sum(part.quantity for part in sent) == quantity
            assert len({part.warehouse_id for part in sent}) == len(sent)
    for (line, warehouse_id), units in stock.items():
        taken = [part.quantity for part in parts if (part.line, part.warehouse_id) == (line, warehouse_id)]
        assert sum(taken) <= units


@given(orders())
def test_no_smaller_set_of_warehouses_and_no_nearer_one_of_that_size_would_do(
    drawn: tuple[dict[tuple[int, int], int], list[tuple[DeliveryPlace, dict[int, int]]]],
) -> None:
    stock, [(there, quantities), *_] = drawn
    if not quantities:
        return
    sources = sort_by_distance(SIX, there)

    chosen = choose_sources(sources, quantities, stock_of(stock))

    def enough(some: tuple[SourceWarehouse, ...]) -> bool:
        return all(
            sum(stock.get((line, source.id), 0) for source in some) >= units
            for line, units in quantities.items()
        )

    smallest = next(
        found
        for size in range(1, 7)
        if (found := [some for some in combinations(sources, size) if enough(some)])
    )
    assert len(chosen) == len(smallest[0])
    nearest = min(sum(source.km for source in some) for some in smallest)
    assert abs(sum(source.km for source in chosen) - nearest) < 1e-6


def test_of_very_many_warehouses_a_greedy_choice_is_made() -> None:
    many = [warehouse(number, "Hangzhou") for number in range(1, 61)]
    stock = {(0, number): 1 for number in range(1, 61)} | {(0, 60): 10}

    parts = allocate_units([(place_in("Ningbo"), {0: 15})], stock_of(stock), many)

    assert [part.quantity for part in parts] == [10, 1, 1, 1, 1, 1]
    assert sorted(part.warehouse_id for part in parts) == [1, 2, 3, 4, 5, 60]
