from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.promotion import (
    Basket,
    BasketLine,
    BuyerFacts,
    BuyGet,
    Fixed,
    FlashSale,
    FreeShipping,
    FullReduction,
    Offer,
    Percent,
    Priced,
    PricedDelivery,
    PricedLine,
    Reason,
    Scope,
    Tier,
    Verdict,
    price_basket,
    refund_share,
)
from domain.promotion.apply import State, apply, undiscounted
from domain.promotion.candidates import Candidate, meet
from domain.promotion.offers import Terms
from models import CurrencyCode, Money, ScopeKind

CNY = CurrencyCode.CNY
NOW = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
NOBODY = BuyerFacts()
NOON = timedelta(hours=4)
TEA = Scope(ScopeKind.CATEGORIES, ids=frozenset({7}))
FIRST = Scope(ScopeKind.VARIANTS, ids=frozenset({1}))
OVER_300 = FullReduction((Tier(300_00, 40_00),))


def line(
    variant: int, price: int, quantity: int = 1, *, categories: Sequence[int] = (), brand: str = ""
) -> BasketLine:
    """Prices in fen; two variants make a product."""
    unit = Money(price, CNY)
    return BasketLine(variant, variant // 2, quantity, unit, frozenset(categories), brand)


def basket(*lines: BasketLine, fees: Sequence[int] = ()) -> Basket:
    return Basket(lines, tuple(Money(fee, CNY) for fee in fees), CNY)


def offer(
    terms: Terms,
    *,
    id: int = 1,
    scope: Scope | None = None,
    code: str | None = None,
    minimum: int = 0,
    cap: int | None = None,
    group: str | None = None,
    stackable: bool = True,
    priority: int = 0,
) -> Offer:
    return Offer(
        id=id,
        title=f"Offer {id}",
        terms=terms,
        scope=scope or Scope(),
        code=code,
        currency=CNY,
        minimum_amount=minimum,
        cap=cap,
        exclusion_groups=frozenset({group} if group else ()),
        stackable=stackable,
        priority=priority,
    )


def price(goods: Basket, *offers: Offer, buyer: BuyerFacts = NOBODY) -> Priced:
    return price_basket(goods, offers, buyer, now=NOW)


def discounts(priced: Priced) -> list[int]:
    return [each.discount.minor for each in priced.lines]


def taken(priced: Priced) -> dict[int, int]:
    return {each.offer_id: each.amount.minor for each in priced.applied}


def verdict(priced: Priced, id: int) -> Verdict:
    [found] = [each for each in priced.verdicts if each.offer_id == id]
    return found


# --- what each kind takes


def test_half_a_cent_of_a_percentage_counts_as_one() -> None:
    assert price(basket(line(1, 12_35)), offer(Percent(10))).total == Money(11_11, CNY)


def test_a_fixed_amount_takes_no_more_than_the_goods_cost() -> None:
    priced = price(basket(line(1, 5_00), fees=[8_00]), offer(Fixed(20_00)))

    assert taken(priced) == {1: 5_00}
    assert (priced.goods, priced.discount, priced.total) == (
        Money(5_00, CNY),
        Money(5_00, CNY),
        Money(8_00, CNY),
    )


def test_a_discount_is_shared_among_lines_to_the_cent() -> None:
    priced = price(basket(line(1, 10_00), line(2, 10_00), line(3, 10_00)), offer(Fixed(10_00)))

    assert discounts(priced) == [3_34, 3_33, 3_33]


def test_a_cap_ends_a_percentage() -> None:
    assert taken(price(basket(line(1, 900_00)), offer(Percent(20), cap=50_00))) == {1: 50_00}


@pytest.mark.parametrize(
    ("goods", "expected"), [(299_99, {}), (300_00, {1: 40_00}), (699_00, {1: 70_00}), (1_000_00, {1: 70_00})]
)
def test_a_full_reduction_gives_the_best_step_reached(goods: int, expected: dict[int, int]) -> None:
    terms = FullReduction((Tier(300_00, 40_00), Tier(500_00, 70_00)))

    assert taken(price(basket(line(1, goods)), offer(terms))) == expected


def test_a_repeating_full_reduction_is_given_as_often_as_it_fits() -> None:
    each_300 = FullReduction((Tier(300_00, 40_00),), repeating=True)

    assert taken(price(basket(line(1, 1_000_00)), offer(each_300))) == {1: 120_00}


def test_the_cheapest_units_of_all_goods_are_free() -> None:
    goods = basket(line(1, 30_00, 2), line(2, 10_00, 1), line(3, 20_00, 4))

    priced = price(goods, offer(BuyGet(2, 1)))

    assert discounts(priced) == [0, 10_00, 20_00]


def test_a_unit_counts_for_one_offer_of_free_units_only() -> None:
    priced = price(basket(line(1, 10_00, 3)), offer(BuyGet(2, 1)), offer(BuyGet(1, 1), id=2))

    assert taken(priced) == {1: 10_00}
    assert verdict(priced, 2).reason is Reason.EXCLUDED


def test_free_shipping_with_a_cap_is_shared_among_the_deliveries() -> None:
    priced = price(basket(line(1, 99_00), fees=[12_00, 6_00]), offer(FreeShipping(), cap=10_00))

    assert [each.total.minor for each in priced.deliveries] == [5_33, 2_67]
    assert priced.shipping == Money(8_00, CNY)


def test_a_flash_sale_gives_its_price_to_as_many_units_as_a_buyer_may_still_have() -> None:
    sale = offer(FlashSale(9_90, left=100, per_buyer=3), scope=FIRST)

    priced = price(basket(line(1, 20_00, 5)), sale, buyer=BuyerFacts(flash_units={1: 1}))

    assert priced.total == Money(2 * 9_90 + 3 * 20_00, CNY)
    assert priced.applied[0].flash_units == 2


def test_a_flash_sale_ends_with_its_share() -> None:
    priced = price(basket(line(1, 20_00, 5)), offer(FlashSale(9_90, left=1, per_buyer=3), scope=FIRST))

    assert priced.total == Money(9_90 + 4 * 20_00, CNY)
    assert priced.applied[0].flash_units == 1


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), [10, 10, 10, 10]),
        (TEA, [0, 10, 10, 0]),
        (Scope(ScopeKind.PRODUCTS, ids=frozenset({1})), [0, 10, 10, 0]),
        (Scope(ScopeKind.VARIANTS, ids=frozenset({1, 4})), [10, 0, 0, 10]),
        (Scope(ScopeKind.BRANDS, brands=frozenset({"Longjing"})), [0, 0, 10, 10]),
    ],
)
def test_an_offer_is_for_the_goods_of_its_scope(scope: Scope, expected: list[int]) -> None:
    goods = basket(
        line(1, 1_00, categories=[5]),
        line(2, 1_00, categories=[5, 7]),
        line(3, 1_00, categories=[7], brand="Longjing"),
        line(4, 1_00, brand="Longjing"),
    )

    assert discounts(price(goods, offer(Percent(10), scope=scope))) == expected


# --- one after the other


def test_flash_prices_come_first_then_free_units_then_lines_then_the_order_then_shipping() -> None:
    goods = basket(line(1, 100_00, 3), line(2, 50_00, 2, categories=[7]), fees=[10_00])

    priced = price(
        goods,
        offer(FreeShipping(), id=1, minimum=200_00),
        offer(OVER_300, id=2),
        offer(Percent(10), id=3, scope=TEA),
        offer(BuyGet(4, 1), id=4),
        offer(FlashSale(90_00, left=2), id=5, scope=FIRST),
    )

    assert taken(priced) == {5: 20_00, 4: 50_00, 3: 5_00, 2: 40_00, 1: 10_00}
    assert [each.offer_id for each in priced.applied] == [5, 4, 3, 2, 1]
    assert discounts(priced) == [54_46, 60_54]
    assert priced.total == Money(285_00, CNY)


def test_inside_a_stage_the_higher_priority_comes_first() -> None:
    goods = basket(line(1, 100_00))

    assert price(goods, offer(Fixed(10_00)), offer(Percent(10), id=2)).total == Money(80_00, CNY)
    assert price(goods, offer(Fixed(10_00), priority=1), offer(Percent(10), id=2)).total == Money(81_00, CNY)


def test_offers_of_one_stage_do_not_move_each_others_minimum() -> None:
    priced = price(basket(line(1, 300_00)), offer(Percent(50)), offer(OVER_300, id=2))

    assert taken(priced) == {1: 150_00, 2: 40_00}


def test_a_minimum_looks_at_what_earlier_stages_left() -> None:
    goods = basket(line(1, 300_00), line(2, 12_00), fees=[6_00])

    priced = price(goods, offer(Percent(10), scope=FIRST), offer(FreeShipping(), id=2, minimum=294_00))

    assert taken(priced) == {1: 30_00}
    assert verdict(priced, 2).reason is Reason.AMOUNT_TOO_SMALL
    assert verdict(priced, 2).missing_amount == Money(12_00, CNY)
    assert verdict(priced, 2).words == "12.00 CNY more for Offer 2."


# --- the best legal combination


def test_an_offer_that_spoils_a_better_one_is_left_out() -> None:
    goods = basket(line(1, 290_00), line(2, 12_00))

    priced = price(goods, offer(Percent(1), scope=FIRST), offer(OVER_300, id=2))

    assert taken(priced) == {2: 40_00}
    assert verdict(priced, 1).reason is Reason.NOT_CHEAPER


def test_of_a_group_the_best_one_applies() -> None:
    goods = basket(line(1, 200_00))
    twenty, thirty, other = (
        offer(Fixed(20_00), code="A", group="coupon"),
        offer(Fixed(30_00), id=2, code="B", group="coupon"),
        offer(Fixed(5_00), id=3, code="C"),
    )

    priced = price(goods, twenty, thirty, other)

    assert taken(priced) == {2: 30_00, 3: 5_00}
    assert verdict(priced, 1).because_of == (2,)
    assert verdict(priced, 1).words == "Coupon A cannot be combined with Coupon B."


@pytest.mark.parametrize(("alone", "expected"), [(34_99, {2: 30_00, 3: 5_00}), (35_01, {1: 35_01})])
def test_an_offer_that_stands_alone_applies_when_it_beats_all_others_together(
    alone: int, expected: dict[int, int]
) -> None:
    others = offer(Fixed(30_00), id=2), offer(Fixed(5_00), id=3)

    assert taken(price(basket(line(1, 200_00)), offer(Fixed(alone), stackable=False), *others)) == expected


def test_a_coupon_is_kept_when_an_automatic_offer_does_as_well() -> None:
    coupon = offer(Fixed(20_00), code="A", group="one")

    automatic = offer(Percent(100), id=2, cap=20_00, group="one", priority=-1)

    assert taken(price(basket(line(1, 99_00)), coupon, automatic)) == {2: 20_00}


def test_a_coupon_is_kept_when_the_rest_costs_nothing_without_it() -> None:
    coupon = offer(Fixed(20_00), code="A", priority=1)

    assert taken(price(basket(line(1, 15_00)), coupon, offer(Fixed(15_00), id=2))) == {2: 15_00}


def test_of_two_flash_sales_of_a_variant_the_better_one_counts() -> None:
    few = offer(FlashSale(5_00, left=1), scope=FIRST)
    many = offer(FlashSale(8_00, left=9), id=2, scope=FIRST)

    assert taken(price(basket(line(1, 10_00, 3)), few, many)) == {2: 6_00}


# --- why not

REFUSALS = {
    Reason.NOT_STARTED: Offer(id=1, title="A", terms=Percent(10), starts_at=NOW + NOON),
    Reason.ENDED: Offer(id=1, title="A", terms=Percent(10), ends_at=NOW),
    Reason.USED_UP: Offer(id=1, title="A", terms=Percent(10), usage_limit=5, used=5),
    Reason.BUYER_LIMIT_REACHED: Offer(id=1, title="A", terms=Percent(10), usage_limit_per_buyer=2),
    Reason.OTHER_CURRENCY: Offer(id=1, title="A", terms=Fixed(10), currency=CurrencyCode.USD),
    Reason.OTHER_GOODS: Offer(id=1, title="A", terms=Percent(10), scope=TEA),
    Reason.AT_DELIVERY: Offer(id=1, title="A", terms=FreeShipping()),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_offer_says_why_it_does_not_apply(reason: Reason) -> None:
    priced = price(basket(line(1, 10_00)), REFUSALS[reason], buyer=BuyerFacts(uses={1: 2}))

    assert (priced.total, priced.applied) == (Money(10_00, CNY), ())
    assert [(each.reason, each.applied) for each in priced.verdicts] == [(reason, False)]


@pytest.mark.parametrize(
    ("buyer", "left", "reason"),
    [
        (NOBODY, 0, Reason.USED_UP),
        (BuyerFacts(flash_units={1: 2}), 5, Reason.BUYER_LIMIT_REACHED),
    ],
)
def test_a_flash_sale_says_whether_it_is_sold_out_or_had(
    buyer: BuyerFacts, left: int, reason: Reason
) -> None:
    sale = offer(FlashSale(5_00, left=left, per_buyer=2), scope=FIRST)

    assert verdict(price(basket(line(1, 10_00)), sale, buyer=buyer), 1).reason is reason


def test_too_few_units_are_counted() -> None:
    [told] = price(basket(line(1, 10_00, 2)), offer(BuyGet(3, 1))).verdicts

    assert (told.reason, told.missing_quantity, told.words) == (Reason.TOO_FEW, 2, "2 more for Offer 1.")


def test_an_offer_starts_at_its_time_and_ends_before_its_end() -> None:
    window = Offer(id=1, title="A", terms=Percent(10), starts_at=NOW, ends_at=NOW + NOON)

    assert price(basket(line(1, 10_00)), window).total == Money(9_00, CNY)


def test_an_empty_basket_costs_nothing() -> None:
    priced = price(basket(), offer(Fixed(5_00)), offer(FreeShipping(), id=2))

    assert priced.total == Money(0, CNY)
    assert {each.reason for each in priced.verdicts} == {Reason.OTHER_GOODS}


# --- whatever the basket and the offers

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


@settings(deadline=None)
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


@settings(deadline=None)
@given(BASKETS, OFFERS)
def test_one_offer_more_never_makes_the_total_higher(goods: Basket, offers: list[Offer]) -> None:
    totals = [price(goods, *offers[:count]).total.minor for count in range(len(offers) + 1)]

    assert all(after <= before for before, after in pairwise(totals))


@settings(deadline=None)
@given(BASKETS, OFFERS, st.randoms(use_true_random=False))
def test_the_order_of_the_offers_does_not_matter(goods: Basket, offers: list[Offer], dice: Random) -> None:
    shuffled = dice.sample(offers, len(offers))

    assert price(goods, *offers) == price(goods, *shuffled)


@settings(deadline=None, max_examples=300)
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


# --- giving back


@settings(deadline=None)
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
