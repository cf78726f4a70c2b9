"""Several promotions at once: their order, which apply, and why the others do not."""

from datetime import timedelta

import pytest

from domain.promotion.engine import (
    BuyerFacts,
    BuyGet,
    Fixed,
    FlashPrice,
    FreeShipping,
    FullReduction,
    Percent,
    PromotionReason,
    PromotionRule,
    Tier,
)
from models import CurrencyCode, Money
from tests.domain.promotion.baskets import (
    CNY,
    FIRST_VARIANT,
    NOW,
    TEA,
    UNKNOWN_BUYER,
    amounts_of,
    basket,
    discounts_of,
    evaluation_of,
    line,
    price,
    promotion,
)

NOON = timedelta(hours=4)
OVER_300 = FullReduction((Tier(300_00, 40_00),))


def test_flash_prices_come_first_then_free_units_then_lines_then_the_order_then_shipping() -> None:
    items = basket(line(1, 100_00, 3), line(2, 50_00, 2, categories=[7]), fees=[10_00])

    priced = price(
        items,
        promotion(FreeShipping(), id=1, minimum=200_00),
        promotion(OVER_300, id=2),
        promotion(Percent(10), id=3, scope=TEA),
        promotion(BuyGet(4, 1), id=4),
        promotion(FlashPrice(90_00, left=2), id=5, scope=FIRST_VARIANT),
    )

    assert amounts_of(priced) == {5: 20_00, 4: 50_00, 3: 8_68, 2: 40_00, 1: 10_00}
    assert [each.promotion_id for each in priced.applied] == [5, 4, 3, 2, 1]
    assert discounts_of(priced) == [87_11, 31_57]
    assert priced.total == Money(281_32, CNY)


def test_inside_a_stage_the_higher_priority_comes_first() -> None:
    items = basket(line(1, 100_00))

    assert price(items, promotion(Fixed(10_00)), promotion(Percent(10), id=2)).total == Money(80_00, CNY)
    assert price(items, promotion(Fixed(10_00), priority=1), promotion(Percent(10), id=2)).total == Money(
        81_00, CNY
    )


def test_promotions_of_one_stage_do_not_change_each_others_minimum() -> None:
    priced = price(basket(line(1, 300_00)), promotion(Percent(50)), promotion(OVER_300, id=2))

    assert amounts_of(priced) == {1: 150_00, 2: 40_00}


def test_a_minimum_looks_at_what_earlier_stages_left() -> None:
    items = basket(line(1, 300_00), line(2, 12_00), fees=[6_00])

    priced = price(
        items, promotion(Percent(10), scope=FIRST_VARIANT), promotion(FreeShipping(), id=2, minimum=294_00)
    )

    assert amounts_of(priced) == {1: 30_00}
    assert evaluation_of(priced, 2).reason is PromotionReason.AMOUNT_TOO_SMALL
    assert evaluation_of(priced, 2).missing_amount == Money(12_00, CNY)
    assert evaluation_of(priced, 2).message == "12.00 CNY more for Promotion 2."


def test_a_promotion_that_prevents_a_better_one_is_left_out() -> None:
    items = basket(line(1, 290_00), line(2, 12_00))

    priced = price(items, promotion(Percent(1), scope=FIRST_VARIANT), promotion(OVER_300, id=2))

    assert amounts_of(priced) == {2: 40_00}
    assert evaluation_of(priced, 1).reason is PromotionReason.NOT_CHEAPER


def test_of_an_exclusion_group_the_best_promotion_applies() -> None:
    items = basket(line(1, 200_00))
    twenty, thirty, other = (
        promotion(Fixed(20_00), code="A", group="coupon"),
        promotion(Fixed(30_00), id=2, code="B", group="coupon"),
        promotion(Fixed(5_00), id=3, code="C"),
    )

    priced = price(items, twenty, thirty, other)

    assert amounts_of(priced) == {2: 30_00, 3: 5_00}
    assert evaluation_of(priced, 1).because_of == (2,)
    assert evaluation_of(priced, 1).message == "Coupon A cannot be combined with Coupon B."


@pytest.mark.parametrize(("amount", "expected"), [(34_99, {2: 30_00, 3: 5_00}), (35_01, {1: 35_01})])
def test_a_promotion_that_is_not_stackable_applies_when_it_saves_more_than_all_others_together(
    amount: int, expected: dict[int, int]
) -> None:
    others = promotion(Fixed(30_00), id=2), promotion(Fixed(5_00), id=3)

    assert (
        amounts_of(price(basket(line(1, 200_00)), promotion(Fixed(amount), stackable=False), *others))
        == expected
    )


def test_a_coupon_is_not_used_when_an_automatic_promotion_saves_as_much() -> None:
    coupon = promotion(Fixed(20_00), code="A", group="one")

    automatic = promotion(Percent(100), id=2, cap=20_00, group="one", priority=-1)

    assert amounts_of(price(basket(line(1, 99_00)), coupon, automatic)) == {2: 20_00}


def test_a_coupon_is_not_used_when_the_items_cost_nothing_without_it() -> None:
    coupon = promotion(Fixed(20_00), code="A", priority=1)

    assert amounts_of(price(basket(line(1, 15_00)), coupon, promotion(Fixed(15_00), id=2))) == {2: 15_00}


def test_of_two_flash_sales_of_a_variant_the_better_one_counts() -> None:
    few = promotion(FlashPrice(5_00, left=1), scope=FIRST_VARIANT)
    many = promotion(FlashPrice(8_00, left=9), id=2, scope=FIRST_VARIANT)

    assert amounts_of(price(basket(line(1, 10_00, 3)), few, many)) == {2: 6_00}


REFUSALS = {
    PromotionReason.NOT_STARTED: PromotionRule(id=1, title="A", terms=Percent(10), starts_at=NOW + NOON),
    PromotionReason.ENDED: PromotionRule(id=1, title="A", terms=Percent(10), ends_at=NOW),
    PromotionReason.USED_UP: PromotionRule(id=1, title="A", terms=Percent(10), usage_limit=5, used=5),
    PromotionReason.BUYER_LIMIT_REACHED: PromotionRule(
        id=1, title="A", terms=Percent(10), usage_limit_per_buyer=2
    ),
    PromotionReason.OTHER_CURRENCY: PromotionRule(
        id=1, title="A", terms=Fixed(10), currency=CurrencyCode.USD
    ),
    PromotionReason.NO_ELIGIBLE_ITEMS: PromotionRule(id=1, title="A", terms=Percent(10), scope=TEA),
    PromotionReason.NO_DELIVERY_YET: PromotionRule(id=1, title="A", terms=FreeShipping()),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_promotion_says_why_it_does_not_apply(reason: PromotionReason) -> None:
    priced = price(basket(line(1, 10_00)), REFUSALS[reason], buyer=BuyerFacts(uses={1: 2}))

    assert (priced.total, priced.applied) == (Money(10_00, CNY), ())
    assert [(each.reason, each.applied) for each in priced.evaluations] == [(reason, False)]


@pytest.mark.parametrize(
    ("buyer", "left", "reason"),
    [
        (UNKNOWN_BUYER, 0, PromotionReason.USED_UP),
        (BuyerFacts(flash_units={1: 2}), 5, PromotionReason.BUYER_LIMIT_REACHED),
    ],
)
def test_a_flash_sale_says_whether_it_is_sold_out_or_the_buyer_limit_is_reached(
    buyer: BuyerFacts, left: int, reason: PromotionReason
) -> None:
    sale = promotion(FlashPrice(5_00, left=left, per_buyer=2), scope=FIRST_VARIANT)

    assert evaluation_of(price(basket(line(1, 10_00)), sale, buyer=buyer), 1).reason is reason


def test_missing_units_are_counted() -> None:
    [evaluation] = price(basket(line(1, 10_00, 2)), promotion(BuyGet(3, 1))).evaluations

    assert (evaluation.reason, evaluation.missing_quantity, str(evaluation.message)) == (
        PromotionReason.QUANTITY_TOO_SMALL,
        2,
        "2 more for Promotion 1.",
    )


def test_a_promotion_starts_at_its_time_and_ends_before_its_end() -> None:
    window = PromotionRule(id=1, title="A", terms=Percent(10), starts_at=NOW, ends_at=NOW + NOON)

    assert price(basket(line(1, 10_00)), window).total == Money(9_00, CNY)


def test_an_empty_basket_costs_nothing() -> None:
    priced = price(basket(), promotion(Fixed(5_00)), promotion(FreeShipping(), id=2))

    assert priced.total == Money(0, CNY)
    assert {each.reason for each in priced.evaluations} == {PromotionReason.NO_ELIGIBLE_ITEMS}
