"""Whatever the basket and the offers, sums add up and nobody finds a cheaper way."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.promotion import (
    Basket,
    BuyGet,
    Fixed,
    FlashSale,
    FreeShipping,
    FullReduction,
    Offer,
    Percent,
    PricedDelivery,
    PricedLine,
    Scope,
    Tier,
    refund_share,
)
from domain.promotion.apply import State, apply, undiscounted
from domain.promotion.candidates import Candidate, meet
from domain.promotion.offers import Terms
from models import ScopeKind
from tests.domain.promotion.baskets import CNY, NOBODY, NOW, basket, line, offer, price, taken

AMOUNTS = st.integers(1, 60) | st.integers(1, 60_000)
IDS = st.frozensets(st.integers(0, 4), min_size=1, max_size=3)
BRANDS = st.sampled_from(["Longjing", "Biluochun"])
SCOPES = st.one_of(
    st.just(Scope()),
    st.builds(Scope, st.sampled_from([k for k in ScopeKind if k.name[0] in "CPV"]), IDS),
    st.builds(Scope, st.just(ScopeKind.BRANDS), brands=st.frozensets(BRANDS, min_size=1)),
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
    st.builds(FlashSale, AMOUNTS, st.integers(0, 4), st.none() | st.integers(1, 3)),
)
OFFERS = st.lists(
    st.builds(
        Offer,
        id=st.integers(1, 99),
        title=st.just("Offer"),
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


@given(BASKETS, OFFERS)
def test_lines_and_fees_add_up_to_the_total_and_discounts_to_the_offers(
    goods: Basket, offers: list[Offer]
) -> None:
    priced = price(goods, *offers)

    parts: list[PricedLine | PricedDelivery] = [*priced.lines, *priced.deliveries]
    shares = [share for part in parts for share in part.discounts]
    assert sum(part.total.minor for part in parts) == priced.total.minor
    assert all(0 <= each.total.minor <= each.goods.minor for each in priced.lines)
    assert all(0 <= each.total.minor <= each.fee.minor for each in priced.deliveries)
    assert all(share.amount.minor > 0 for share in shares)
    for used in priced.applied:
        assert used.amount.minor == sum(s.amount.minor for s in shares if s.offer_id == used.offer_id)
    assert {each.offer_id for each in priced.verdicts if each.applied} == set(taken(priced))
    assert len(priced.verdicts) == len(offers)


@given(BASKETS, OFFERS)
def test_one_offer_more_never_makes_the_total_higher(goods: Basket, offers: list[Offer]) -> None:
    totals = [price(goods, *offers[:count]).total.minor for count in range(len(offers) + 1)]

    assert all(after <= before for before, after in pairwise(totals))


@given(BASKETS, OFFERS, st.randoms(use_true_random=False))
def test_the_order_of_the_offers_does_not_matter(goods: Basket, offers: list[Offer], dice: Random) -> None:
    shuffled = dice.sample(offers, len(offers))

    assert price(goods, *offers) == price(goods, *shuffled)


@settings(max_examples=300)
@given(BASKETS, OFFERS)
def test_no_legal_combination_is_cheaper_than_the_one_applied(goods: Basket, offers: list[Offer]) -> None:
    priced = price(goods, *offers)

    met = [meet(each, goods, NOBODY, now=NOW) for each in sorted(offers, key=lambda each: each.turn)]
    candidates = [each for each in met if isinstance(each, Candidate)]
    members = [each for each in candidates if each.offer.id in taken(priced)]
    assert legal(members)
    assert priced.exact
    assert priced.total.minor == cheapest(candidates, undiscounted(goods), [])


def cheapest(rest: Sequence[Candidate], state: State, members: list[Candidate]) -> int:
    """Every legal combination, one by one."""
    totals = [state.total]
    for place, each in enumerate(rest):
        if legal([*members, each]) and (step := apply(each, state)):
            totals.append(cheapest(rest[place + 1 :], step[0], [*members, each]))
    return min(totals)


def legal(members: Sequence[Candidate]) -> bool:
    groups = [group for each in members for group in each.groups]
    alone = [each for each in members if not each.offer.stackable]
    return len(groups) == len(set(groups)) and (not alone or len(members) == 1)


def test_too_many_offers_to_try_them_all_still_come_to_a_legal_price_no_single_one_beats() -> None:
    dice = Random(3)
    goods = basket(*(line(n, dice.randint(10_00, 500_00), dice.randint(1, 3)) for n in range(12)))
    offers = [tangled(dice, id) for id in range(1, 41)]

    priced = price(goods, *offers)

    assert not priced.exact
    assert priced == price(goods, *reversed(offers))
    assert all(priced.total.minor <= price(goods, each).total.minor for each in offers)
    assert priced.total == priced.goods - priced.discount


def tangled(dice: Random, id: int) -> Offer:
    """One of many that spoil each other's minimum."""
    variants = Scope(ScopeKind.VARIANTS, ids=frozenset(dice.sample(range(12), 5)))
    reach = dice.randint(500_00, 1_500_00)
    terms = FullReduction((Tier(reach, dice.randint(50_00, 150_00)),))
    return offer(terms, id=id, scope=dice.choice([variants, Scope()]), group=dice.choice("abcdefghijkl"))


@given(BASKETS, OFFERS, st.randoms(use_true_random=False))
def test_whatever_is_bought_giving_it_back_in_parts_gives_back_what_was_paid(
    goods: Basket, offers: list[Offer], dice: Random
) -> None:
    for each in price(goods, *offers).lines:
        back, refunded = 0, 0
        while back < each.quantity:
            units = dice.randint(1, each.quantity - back)
            refunded += refund_share(each.total.minor, each.quantity, back, units)
            back += units
        assert refunded == each.total.minor


@given(st.integers(0, 10**9), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_parts_of_a_line_are_never_negative_and_at_most_a_cent_from_fair(paid: int, parts: list[int]) -> None:
    quantity = sum(parts)
    starts = [sum(parts[:place]) for place in range(len(parts))]

    shares = [refund_share(paid, quantity, start, units) for start, units in zip(starts, parts, strict=True)]

    assert sum(shares) == paid
    for share, units in zip(shares, parts, strict=True):
        assert share >= 0
        assert abs(share * quantity - paid * units) < quantity


def test_ten_yuan_for_three_come_back_as_three_parts() -> None:
    assert [refund_share(10_00, 3, back, 1) for back in range(3)] == [3_33, 3_33, 3_34]


@pytest.mark.parametrize(("back", "units"), [(0, 4), (3, 1), (-1, 1), (0, -1)])
def test_no_more_units_come_back_than_were_bought(back: int, units: int) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        refund_share(10_00, 3, back, units)
