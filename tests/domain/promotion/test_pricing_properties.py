"""For any basket and promotions: sums add up, and no legal combination is cheaper."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.promotion.engine import (
    Basket,
    BuyGet,
    Fixed,
    FlashPrice,
    FreeShipping,
    FullReduction,
    Percent,
    PricedDelivery,
    PricedLine,
    PromotionRule,
    Scope,
    Tier,
    refund_share,
)
from domain.promotion.engine.candidates import Candidate, match_promotion
from domain.promotion.engine.deduction import BasketState, apply_promotion, undiscounted_state
from domain.promotion.engine.rules import Terms
from models import PromotionScopeKind
from tests.domain.promotion.baskets import CNY, NOW, UNKNOWN_BUYER, amounts_of, basket, line, price, promotion

AMOUNTS = st.integers(1, 60) | st.integers(1, 60_000)
IDS = st.frozensets(st.integers(0, 4), min_size=1, max_size=3)
BRANDS = st.sampled_from(["Longjing", "Biluochun"])
SCOPES = st.one_of(
    st.just(Scope()),
    st.builds(Scope, st.sampled_from([k for k in PromotionScopeKind if k.name[0] in "CPV"]), IDS),
    st.builds(Scope, st.just(PromotionScopeKind.BRANDS), brands=st.frozensets(BRANDS, min_size=1)),
)
TERMS: st.SearchStrategy[Terms] = st.one_of(
    st.builds(Percent, st.integers(1, 100)),
    st.builds(Fixed, AMOUNTS),
    st.builds(
        FullReduction,
        st.lists(st.builds(Tier, AMOUNTS, AMOUNTS), min_size=1, max_size=2).map(tuple),
        st.booleans(),
    ),
    st.builds(BuyGet, st.integers(1, 3), st.integers(1, 2)),
    st.builds(FreeShipping),
    st.builds(FlashPrice, AMOUNTS, st.integers(0, 4), st.none() | st.integers(1, 3)),
)
PROMOTIONS = st.lists(
    st.builds(
        PromotionRule,
        id=st.integers(1, 99),
        title=st.just("Promotion"),
        terms=TERMS,
        code=st.none() | st.just("CODE"),
        scope=SCOPES,
        currency=st.just(CNY),
        minimum_amount=st.just(0) | AMOUNTS,
        minimum_quantity=st.sampled_from([0, 0, 3]),
        cap=st.none() | AMOUNTS,
        priority=st.integers(0, 1),
        stackable=st.sampled_from([True] * 6 + [False]),
        exclusion_groups=st.frozensets(st.sampled_from("ab"), max_size=2),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)
LINES = st.builds(
    line,
    st.integers(0, 8),
    st.just(0) | AMOUNTS,
    st.integers(1, 5),
    categories=st.lists(st.integers(0, 4), max_size=2),
    brand=BRANDS,
)
BASKETS = st.builds(
    lambda lines, fees: basket(*lines, fees=fees),
    st.lists(LINES, max_size=5),
    st.lists(st.just(0) | AMOUNTS, max_size=2),
)


@given(BASKETS, PROMOTIONS)
def test_lines_and_fees_add_up_to_the_total_and_discounts_to_the_promotions(
    items: Basket, promotions: list[PromotionRule]
) -> None:
    priced = price(items, *promotions)

    parts: list[PricedLine | PricedDelivery] = [*priced.lines, *priced.deliveries]
    shares = [share for part in parts for share in part.discounts]
    assert sum(part.total.minor for part in parts) == priced.total.minor
    assert all(0 <= each.total.minor <= each.subtotal.minor for each in priced.lines)
    assert all(0 <= each.total.minor <= each.fee.minor for each in priced.deliveries)
    assert all(share.amount.minor > 0 for share in shares)
    for used in priced.applied:
        assert used.amount.minor == sum(s.amount.minor for s in shares if s.promotion_id == used.promotion_id)
    assert {each.promotion_id for each in priced.evaluations if each.applied} == set(amounts_of(priced))
    assert len(priced.evaluations) == len(promotions)


@given(BASKETS, PROMOTIONS)
def test_one_promotion_more_never_makes_the_total_higher(
    items: Basket, promotions: list[PromotionRule]
) -> None:
    totals = [price(items, *promotions[:count]).total.minor for count in range(len(promotions) + 1)]

    assert all(after <= before for before, after in pairwise(totals))


@given(BASKETS, PROMOTIONS, st.randoms(use_true_random=False))
def test_the_order_of_the_promotions_does_not_matter(
    items: Basket, promotions: list[PromotionRule], dice: Random
) -> None:
    shuffled = dice.sample(promotions, len(promotions))

    assert price(items, *promotions) == price(items, *shuffled)


@settings(max_examples=300)
@given(BASKETS, PROMOTIONS)
def test_no_legal_combination_is_cheaper_than_the_one_applied(
    items: Basket, promotions: list[PromotionRule]
) -> None:
    priced = price(items, *promotions)

    matches = [
        match_promotion(each, items, UNKNOWN_BUYER, now=NOW)
        for each in sorted(promotions, key=lambda each: each.application_order)
    ]
    candidates = [each for each in matches if isinstance(each, Candidate)]
    members = [each for each in candidates if each.promotion.id in amounts_of(priced)]
    assert is_legal(members)
    assert priced.exact
    assert priced.total.minor == cheapest_total(candidates, undiscounted_state(items), [])


def cheapest_total(rest: Sequence[Candidate], state: BasketState, members: list[Candidate]) -> int:
    """The lowest total of all legal combinations, tried one by one."""
    totals = [state.total]
    for place, each in enumerate(rest):
        if is_legal([*members, each]) and (step := apply_promotion(each, state)):
            totals.append(cheapest_total(rest[place + 1 :], step[0], [*members, each]))
    return min(totals)


def is_legal(members: Sequence[Candidate]) -> bool:
    groups = [group for each in members for group in each.groups]
    not_stackable = [each for each in members if not each.promotion.stackable]
    return len(groups) == len(set(groups)) and (not not_stackable or len(members) == 1)


def test_too_many_promotions_to_try_them_all_still_give_a_legal_price_no_single_one_beats() -> None:
    dice = Random(3)
    items = basket(*(line(n, dice.randint(10_00, 500_00), dice.randint(1, 3)) for n in range(12)))
    promotions = [conflicting_promotion(dice, id) for id in range(1, 41)]

    priced = price(items, *promotions)

    assert not priced.exact
    assert priced == price(items, *reversed(promotions))
    assert all(priced.total.minor <= price(items, each).total.minor for each in promotions)
    assert priced.total == priced.subtotal - priced.discount


def conflicting_promotion(dice: Random, id: int) -> PromotionRule:
    """One of many that prevent each other from reaching their minimum."""
    variants = Scope(PromotionScopeKind.VARIANTS, ids=frozenset(dice.sample(range(12), 5)))
    reach = dice.randint(500_00, 1_500_00)
    terms = FullReduction((Tier(reach, dice.randint(50_00, 150_00)),))
    return promotion(terms, id=id, scope=dice.choice([variants, Scope()]), group=dice.choice("abcdefghijkl"))


@given(BASKETS, PROMOTIONS, st.randoms(use_true_random=False))
def test_refunding_a_line_in_any_parts_refunds_what_was_paid(
    items: Basket, promotions: list[PromotionRule], dice: Random
) -> None:
    for each in price(items, *promotions).lines:
        refunded_units, refunded = 0, 0
        while refunded_units < each.quantity:
            units = dice.randint(1, each.quantity - refunded_units)
            refunded += refund_share(each.total.minor, each.quantity, refunded_units, units)
            refunded_units += units
        assert refunded == each.total.minor


@given(BASKETS, PROMOTIONS, st.randoms(use_true_random=False))
def test_units_given_back_in_any_order_bring_what_was_paid_and_never_more(
    items: Basket, promotions: list[PromotionRule], dice: Random
) -> None:
    lines = price(items, *promotions).lines
    units = [index for index, each in enumerate(lines) for _ in range(each.quantity)]
    paid, returned, left = sum(each.total.minor for each in lines), 0, Counter(units)

    for index in dice.sample(units, len(units)):
        line_total, quantity = lines[index].total.minor, lines[index].quantity
        refund = refund_share(line_total, quantity, quantity - left[index], 1)
        left[index] -= 1
        returned += refund
        kept = sum(each.total.minor * left[i] // each.quantity for i, each in enumerate(lines))
        assert refund >= 0
        assert 0 <= paid - returned - kept <= len(lines)
    assert returned == paid


@given(BASKETS, st.integers(1, 3), st.integers(1, 3), SCOPES, st.none() | AMOUNTS)
def test_no_line_of_a_set_is_kept_for_less_than_its_share(
    items: Basket, buy: int, get: int, scope: Scope, cap: int | None
) -> None:
    for each in price(items, promotion(BuyGet(buy, get), scope=scope, cap=cap)).lines:
        # The free units are the cheapest, so they are at most this part of what the sets cost.
        assert each.discount.minor * (buy + get) < each.subtotal.minor * get + buy + get


@given(st.integers(0, 10**9), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_parts_of_a_line_are_never_negative_and_at_most_a_cent_from_fair(paid: int, parts: list[int]) -> None:
    quantity = sum(parts)
    starts = [sum(parts[:place]) for place in range(len(parts))]

    shares = [refund_share(paid, quantity, start, units) for start, units in zip(starts, parts, strict=True)]

    assert sum(shares) == paid
    for share, units in zip(shares, parts, strict=True):
        assert share >= 0
        assert abs(share * quantity - paid * units) < quantity


def test_ten_yuan_for_three_units_are_refunded_in_three_parts() -> None:
    assert [refund_share(10_00, 3, back, 1) for back in range(3)] == [3_33, 3_33, 3_34]


@pytest.mark.parametrize(("back", "units"), [(0, 4), (3, 1), (-1, 1), (0, -1)])
def test_no_more_units_are_refunded_than_were_bought(back: int, units: int) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        refund_share(10_00, 3, back, units)
