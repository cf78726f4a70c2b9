"""Units are packed into boxes: none outside, none through another, none in the air, none lost."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.bin_packing import (
    SUPPORTED_PERCENT,
    UNITS_LIMIT,
    Box,
    Misfit,
    PackedBox,
    PackingPlan,
    PlacedUnit,
    UnitToPack,
    plan_boxes,
)
from domain.errors import LimitReached

SMALL = Box(1, (200, 150, 100), 5_000, 100)
LARGE = Box(2, (400, 300, 200), 20_000, 300)

sides = st.integers(1, 60)
sizes = st.tuples(sides, sides, sides)
units = st.lists(
    st.builds(UnitToPack, st.integers(1, 9), st.none() | sizes, st.integers(0, 400)), max_size=25
)
boxes = st.lists(
    st.builds(
        lambda key, size, own, payload: Box(key, size, own + payload, own),
        st.integers(1, 9),
        st.tuples(st.integers(20, 80), st.integers(20, 80), st.integers(20, 80)),
        st.integers(0, 100),
        st.integers(1, 2_000),
    ),
    max_size=4,
    unique_by=lambda box: box.key,
)


def overlaps(one: PlacedUnit, other: PlacedUnit) -> bool:
    """Whether two units share more than a face."""
    return all(
        low < other_high and other_low < high
        for low, high, other_low, other_high in zip(one.at, one.end, other.at, other.end, strict=True)
    )


def shared_base(above: PlacedUnit, below: PlacedUnit) -> int:
    """How much of the base of one lies on the top of another."""
    if below.end[2] != above.at[2]:
        return 0
    width, depth = (
        max(min(above.end[axis], below.end[axis]) - max(above.at[axis], below.at[axis]), 0) for axis in (0, 1)
    )
    return width * depth


def check_box(packed: PackedBox) -> None:
    """Nothing is outside, nothing overlaps, everything stands, and the box is not too heavy."""
    assert packed.placed
    assert packed.weight_grams <= packed.box.max_weight_grams
    for placed in packed.placed:
        assert placed.unit.size is not None
        assert sorted(placed.size) == sorted(placed.unit.size)
        assert min(placed.at) >= 0
        assert all(end <= side for end, side in zip(placed.end, packed.box.size, strict=True))
        below = sum(shared_base(placed, other) for other in packed.placed)
        base = placed.size[0] * placed.size[1]
        assert placed.at[2] == 0 or below * 100 >= base * SUPPORTED_PERCENT
    assert not any(overlaps(one, other) for one, other in combinations(packed.placed, 2))


def count_units(plan: PackingPlan) -> Counter[UnitToPack]:
    packed = Counter(placed.unit for each in plan.boxes for placed in each.placed)
    return packed + Counter(unit for unit, _ in plan.left)


@settings(max_examples=300, deadline=None)
@given(units, boxes)
def test_every_unit_lies_in_a_box_that_holds_it_or_is_named(
    given_units: list[UnitToPack], kinds: list[Box]
) -> None:
    plan = plan_boxes(given_units, kinds)

    for packed in plan.boxes:
        check_box(packed)
    assert count_units(plan) == Counter(given_units)
    for unit, misfit in plan.left:
        if misfit is Misfit.NOT_MEASURED:
            assert unit.size is None
            continue
        assert unit.size is not None
        large = [
            box
            for box in kinds
            if all(a <= b for a, b in zip(sorted(unit.size), sorted(box.size), strict=True))
        ]
        assert bool(large) is (misfit is Misfit.TOO_HEAVY)
        assert all(unit.weight_grams > box.payload_grams for box in large)


def test_the_smallest_box_that_takes_everything_is_used() -> None:
    plan = plan_boxes([UnitToPack(1, (100, 75, 50), 200)] * 8, [LARGE, SMALL])

    assert [(each.box.key, len(each.placed), each.weight_grams) for each in plan.boxes] == [(1, 8, 1_700)]


def test_what_is_left_after_a_full_box_goes_into_a_smaller_one() -> None:
    plan = plan_boxes([UnitToPack(1, (200, 150, 100), 1_000)] * 9, [LARGE, SMALL])

    assert [(each.box.key, len(each.placed)) for each in plan.boxes] == [(2, 8), (1, 1)]


def test_a_unit_is_turned_to_fit() -> None:
    plan = plan_boxes([UnitToPack(1, (100, 150, 200), 10)], [SMALL])

    assert plan.left == []
    assert plan.boxes[0].placed[0].size == (200, 150, 100)


def test_weight_divides_what_would_fit() -> None:
    plan = plan_boxes([UnitToPack(1, (10, 10, 10), 2_000)] * 5, [SMALL])

    assert [len(each.placed) for each in plan.boxes] == [2, 2, 1]


def test_what_fits_nowhere_is_named_with_the_reason() -> None:
    odd = [UnitToPack(1, None, 5), UnitToPack(2, (500, 10, 10), 5), UnitToPack(3, (10, 10, 10), 30_000)]

    plan = plan_boxes(odd, [SMALL, LARGE])

    assert plan.boxes == []
    assert [(unit.key, misfit) for unit, misfit in plan.left] == [
        (1, Misfit.NOT_MEASURED),
        (2, Misfit.TOO_LARGE),
        (3, Misfit.TOO_HEAVY),
    ]


def test_units_of_one_size_but_too_heavy_for_the_rest_do_not_keep_others_out() -> None:
    plan = plan_boxes([UnitToPack(1, (10, 10, 10), 4_900), UnitToPack(2, (10, 10, 10), 4_000)], [SMALL])

    assert [[placed.unit.key for placed in each.placed] for each in plan.boxes] == [[1], [2]]


def test_more_units_than_the_limit_are_refused() -> None:
    with pytest.raises(LimitReached):
        plan_boxes([UnitToPack(1, (10, 10, 10), 1)] * (UNITS_LIMIT + 1), [SMALL])
