"""From which warehouse each unit leaves."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from domain.order.allocate import Goal, Part, Shelves, Source, allocate, near_first, senders
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


def goal(city: str, *, country: str = "CN") -> Goal:
    return Goal(country, *PLACES[city])


def shelves(left: dict[tuple[int, int], int], *, unlimited: frozenset[int] = frozenset()) -> Shelves:
    return Shelves(dict(left), unlimited)


def test_the_nearest_warehouse_that_has_everything_sends_it() -> None:
    left = shelves({(0, 1): 5, (0, 2): 5})

    assert allocate([(goal("Chengdu"), {0: 2})], left, BOTH) == [Part(0, 0, 2, 2)]


def test_near_is_a_matter_of_kilometres_not_of_provinces() -> None:
    left = shelves({(0, 1): 5, (0, 2): 5})

    assert allocate([(goal("Xian"), {0: 2})], left, BOTH) == [Part(0, 0, 2, 2)]
    assert allocate([(goal("Guangzhou"), {0: 2})], left, BOTH) == [Part(0, 0, 1, 2)]


def test_a_warehouse_stands_where_it_says_not_in_the_middle_of_its_district() -> None:
    in_chengdu = warehouse(3, "Hangzhou")
    in_chengdu.latitude, in_chengdu.longitude = 30.65, 104.08

    assert [source.id for source in near_first([HANGZHOU, in_chengdu], goal("Chengdu"))] == [3, 1]


def test_an_address_may_be_written_without_the_kinds_of_its_areas() -> None:
    left = shelves({(0, 1): 5, (0, 2): 5})

    assert allocate([(Goal("CN", "四川", "成都", ""), {0: 2})], left, BOTH) == [Part(0, 0, 2, 2)]


def test_off_the_map_the_main_warehouse_comes_first() -> None:
    left = {(0, 1): 5, (0, 2): 5}

    for there in (goal("nowhere"), goal("Chengdu", country="US")):
        assert allocate([(there, {0: 2})], shelves(left), [CHENGDU, HANGZHOU]) == [Part(0, 0, 1, 2)]


def test_one_parcel_from_afar_is_better_than_two() -> None:
    left = shelves({(0, 1): 5, (1, 1): 5, (0, 2): 5, (1, 2): 0})

    assert allocate([(goal("Chengdu"), {0: 1, 1: 1})], left, BOTH) == [Part(0, 0, 1, 1), Part(0, 1, 1, 1)]


def test_two_parcels_are_better_than_three_though_the_fullest_warehouse_is_not_among_them() -> None:
    fullest = {(0, 1): 1, (1, 1): 1, (2, 1): 1, (3, 1): 1}
    halves = {(0, 2): 1, (1, 2): 1, (4, 2): 1, (2, 3): 1, (3, 3): 1, (5, 3): 1}
    three = [HANGZHOU, CHENGDU, warehouse(3, "Guangzhou")]

    parts = allocate([(goal("Hangzhou"), dict.fromkeys(range(6), 1))], shelves(fullest | halves), three)

    assert {part.warehouse_id for part in parts} == {2, 3}


def test_what_no_warehouse_has_alone_comes_from_two_the_nearer_one_first() -> None:
    left = shelves({(0, 1): 3, (0, 2): 4})

    assert allocate([(goal("Hangzhou"), {0: 6})], left, BOTH) == [Part(0, 0, 1, 3), Part(0, 0, 2, 3)]


def test_a_second_delivery_takes_what_the_first_has_left() -> None:
    left = shelves({(0, 1): 3, (0, 2): 3})

    assert allocate([(goal("Hangzhou"), {0: 2}), (goal("Ningbo"), {0: 2})], left, BOTH) == [
        Part(0, 0, 1, 2),
        Part(1, 0, 2, 2),
    ]


def test_what_has_no_limit_travels_with_the_rest() -> None:
    left = shelves({(0, 2): 1}, unlimited=frozenset({1}))

    assert allocate([(goal("Hangzhou"), {0: 1, 1: 50})], left, BOTH) == [Part(0, 0, 2, 1), Part(0, 1, 2, 50)]


SIX = [warehouse(number, city) for number, city in enumerate(list(PLACES)[:6], start=1)]
LEFT = st.dictionaries(st.tuples(st.integers(0, 4), st.integers(1, 6)), st.integers(0, 9), min_size=1)


@st.composite
def orders(draw: st.DrawFn) -> tuple[dict[tuple[int, int], int], list[tuple[Goal, dict[int, int]]]]:
    left = draw(LEFT)
    rest: dict[int, int] = {}
    for (line, _), units in left.items():
        rest[line] = rest.get(line, 0) + units
    wanted = []
    for _ in range(draw(st.integers(1, 3))):
        quantities = {}
        for line in rest:
            units = draw(st.integers(0, rest[line]))
            rest[line] -= units
            if units:
                quantities[line] = units
        wanted.append((goal(draw(st.sampled_from(list(PLACES)))), quantities))
    return left, wanted


@given(orders())
def test_every_unit_leaves_once_and_no_shelf_gives_more_than_it_has(
    given_: tuple[dict[tuple[int, int], int], list[tuple[Goal, dict[int, int]]]],
) -> None:
    left, wanted = given_

    parts = allocate(wanted, shelves(left), SIX)

    for delivery, (_, quantities) in enumerate(wanted):
        for line, quantity in quantities.items():
            sent = [part for part in parts if (part.delivery, part.line) == (delivery, line)]
            assert sum(part.quantity for part in sent) == quantity
            assert len({part.warehouse_id for part in sent}) == len(sent)
    for (line, warehouse_id), units in left.items():
        taken = [part.quantity for part in parts if (part.line, part.warehouse_id) == (line, warehouse_id)]
        assert sum(taken) <= units


@given(orders())
def test_no_smaller_set_of_warehouses_and_no_nearer_one_of_that_size_would_do(
    given_: tuple[dict[tuple[int, int], int], list[tuple[Goal, dict[int, int]]]],
) -> None:
    left, [(there, quantities), *_] = given_
    if not quantities:
        return
    sources = near_first(SIX, there)

    chosen = senders(sources, quantities, shelves(left))

    def enough(some: tuple[Source, ...]) -> bool:
        return all(
            sum(left.get((line, source.id), 0) for source in some) >= units
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


def test_of_very_many_warehouses_a_good_set_has_to_do() -> None:
    many = [warehouse(number, "Hangzhou") for number in range(1, 61)]
    left = {(0, number): 1 for number in range(1, 61)} | {(0, 60): 10}

    parts = allocate([(goal("Ningbo"), {0: 15})], shelves(left), many)

    assert [part.quantity for part in parts] == [10, 1, 1, 1, 1, 1]
    assert sorted(part.warehouse_id for part in parts) == [1, 2, 3, 4, 5, 60]
