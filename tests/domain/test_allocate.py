"""From which warehouse each unit leaves."""

from hypothesis import given
from hypothesis import strategies as st

from domain.order.allocate import Part, Shelves, allocate
from models import Warehouse

ZHEJIANG, SICHUAN = "浙江省", "四川省"


def warehouse(id: int, province: str, *, position: int | None = None) -> Warehouse:
    return Warehouse(id=id, province=province, position=position or id)


HANGZHOU, CHENGDU = warehouse(1, ZHEJIANG), warehouse(2, SICHUAN)
BOTH = [HANGZHOU, CHENGDU]


def shelves(left: dict[tuple[int, int], int], *, unlimited: frozenset[int] = frozenset()) -> Shelves:
    return Shelves(dict(left), unlimited)


def test_the_nearest_warehouse_that_has_everything_sends_it() -> None:
    left = shelves({(0, 1): 5, (0, 2): 5})

    assert allocate([(SICHUAN, {0: 2})], left, BOTH) == [Part(0, 0, 2, 2)]


def test_a_province_may_be_written_without_its_kind() -> None:
    left = shelves({(0, 1): 5, (0, 2): 5})

    assert allocate([("四川", {0: 2})], left, BOTH) == [Part(0, 0, 2, 2)]


def test_far_away_the_main_warehouse_comes_first() -> None:
    left = shelves({(0, 1): 5, (0, 2): 5})

    assert allocate([("广东省", {0: 2})], left, BOTH) == [Part(0, 0, 1, 2)]


def test_one_parcel_from_afar_is_better_than_two() -> None:
    left = shelves({(0, 1): 5, (1, 1): 5, (0, 2): 5, (1, 2): 0})

    assert allocate([(SICHUAN, {0: 1, 1: 1})], left, BOTH) == [Part(0, 0, 1, 1), Part(0, 1, 1, 1)]


def test_what_no_warehouse_has_alone_comes_from_two() -> None:
    left = shelves({(0, 1): 3, (0, 2): 4})

    assert allocate([(ZHEJIANG, {0: 6})], left, BOTH) == [Part(0, 0, 2, 4), Part(0, 0, 1, 2)]


def test_a_second_delivery_takes_what_the_first_has_left() -> None:
    left = shelves({(0, 1): 3, (0, 2): 3})

    assert allocate([(ZHEJIANG, {0: 2}), (ZHEJIANG, {0: 2})], left, BOTH) == [
        Part(0, 0, 1, 2),
        Part(1, 0, 2, 2),
    ]


def test_what_has_no_limit_travels_with_the_rest() -> None:
    left = shelves({(0, 2): 1}, unlimited=frozenset({1}))

    assert allocate([(ZHEJIANG, {0: 1, 1: 50})], left, BOTH) == [Part(0, 0, 2, 1), Part(0, 1, 2, 50)]


@st.composite
def orders(draw: st.DrawFn) -> tuple[dict[tuple[int, int], int], list[tuple[str, dict[int, int]]]]:
    left = draw(
        st.dictionaries(st.tuples(st.integers(0, 3), st.integers(1, 3)), st.integers(0, 9), min_size=1)
    )
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
        wanted.append((draw(st.sampled_from([ZHEJIANG, SICHUAN, ""])), quantities))
    return left, wanted


@given(orders())
def test_every_unit_leaves_once_and_no_shelf_gives_more_than_it_has(
    given_: tuple[dict[tuple[int, int], int], list[tuple[str, dict[int, int]]]],
) -> None:
    left, wanted = given_
    three = [*BOTH, warehouse(3, "广东省")]

    parts = allocate(wanted, shelves(left), three)

    for delivery, (_, quantities) in enumerate(wanted):
        for line, quantity in quantities.items():
            sent = [part for part in parts if (part.delivery, part.line) == (delivery, line)]
            assert sum(part.quantity for part in sent) == quantity
            assert len({part.warehouse_id for part in sent}) == len(sent)
    for (line, warehouse_id), units in left.items():
        taken = [part.quantity for part in parts if (part.line, part.warehouse_id) == (line, warehouse_id)]
        assert sum(taken) <= units
