"""Several offers at once: which come first, which apply, and why the others do not."""

from datetime import timedelta

import pytest

from domain.promotion import (
    BuyerFacts,
    BuyGet,
    Fixed,
    FlashSale,
    FreeShipping,
    FullReduction,
    Offer,
    Percent,
    Reason,
    Tier,
)
from models import CurrencyCode, Money
from tests.domain.promotion.baskets import (
    CNY,
    FIRST,
    NOBODY,
    NOW,
    TEA,
    basket,
    discounts,
    line,
    offer,
    price,
    taken,
    verdict,
)

NOON = timedelta(hours=4)
OVER_300 = FullReduction((Tier(300_00, 40_00),))


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
