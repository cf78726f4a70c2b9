"""What a promotion of each kind takes off."""

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
    Scope,
    Tier,
)
from models import Money, PromotionScopeKind
from tests.domain.promotion.baskets import (
    CNY,
    FIRST_VARIANT,
    TEA,
    amounts_of,
    basket,
    discounts_of,
    evaluation_of,
    line,
    price,
    promotion,
)


def test_half_a_cent_of_a_percentage_counts_as_one() -> None:
    assert price(basket(line(1, 12_35)), promotion(Percent(10))).total == Money(11_11, CNY)


def test_a_fixed_amount_takes_off_no_more_than_the_items_cost() -> None:
    priced = price(basket(line(1, 5_00), fees=[8_00]), promotion(Fixed(20_00)))

    assert amounts_of(priced) == {1: 5_00}
    assert (priced.subtotal, priced.discount, priced.total) == (
        Money(5_00, CNY),
        Money(5_00, CNY),
        Money(8_00, CNY),
    )


def test_a_discount_is_shared_among_lines_to_the_cent() -> None:
    priced = price(basket(line(1, 10_00), line(2, 10_00), line(3, 10_00)), promotion(Fixed(10_00)))

    assert discounts_of(priced) == [3_34, 3_33, 3_33]


def test_a_percentage_takes_off_no_more_than_its_cap() -> None:
    assert amounts_of(price(basket(line(1, 900_00)), promotion(Percent(20), cap=50_00))) == {1: 50_00}


@pytest.mark.parametrize(
    ("amount", "expected"), [(299_99, {}), (300_00, {1: 40_00}), (699_00, {1: 70_00}), (1_000_00, {1: 70_00})]
)
def test_a_full_reduction_gives_the_best_tier_reached(amount: int, expected: dict[int, int]) -> None:
    terms = FullReduction((Tier(300_00, 40_00), Tier(500_00, 70_00)))

    assert amounts_of(price(basket(line(1, amount)), promotion(terms))) == expected


def test_a_repeating_full_reduction_is_given_as_often_as_it_fits() -> None:
    each_300 = FullReduction((Tier(300_00, 40_00),), repeating=True)

    assert amounts_of(price(basket(line(1, 1_000_00)), promotion(each_300))) == {1: 120_00}


def test_what_the_cheapest_units_cost_is_taken_off_all_units_of_their_sets() -> None:
    items = basket(line(1, 30_00, 2), line(2, 10_00, 1), line(3, 20_00, 4))

    priced = price(items, promotion(BuyGet(2, 1)))

    # Two sets of six units, 10 + 4 x 20 + 30, of which those for 10 and 20 are free; a unit at 30 is in none.
    assert amounts_of(priced) == {1: 30_00}
    assert discounts_of(priced) == [7_50, 2_50, 20_00]


def test_a_gift_is_shared_with_what_was_paid_for_it() -> None:
    priced = price(basket(line(1, 100_00), line(2, 100_00)), promotion(BuyGet(1, 1)))

    assert [each.total.minor for each in priced.lines] == [50_00, 50_00]


def test_a_gift_is_shared_by_price_to_the_cent_and_at_most_to_its_cap() -> None:
    items = basket(line(1, 9_99), line(2, 3_33))

    assert discounts_of(price(items, promotion(BuyGet(1, 1)))) == [2_50, 83]
    assert discounts_of(price(items, promotion(BuyGet(1, 1), cap=1_01))) == [76, 25]


def test_units_that_make_no_set_cost_what_they_cost() -> None:
    items = basket(line(1, 200_00), line(2, 100_00), line(3, 100_00), line(4, 0))

    assert discounts_of(price(items, promotion(BuyGet(1, 1)))) == [0, 50_00, 50_00, 0]


def test_units_in_a_flash_sale_share_a_gift_by_the_price_of_the_sale() -> None:
    sale = promotion(FlashPrice(40_00, left=1), id=2, scope=FIRST_VARIANT)

    priced = price(basket(line(1, 60_00), line(2, 50_00)), sale, promotion(BuyGet(1, 1)))

    assert [each.total.minor for each in priced.lines] == [22_22, 27_78]


def test_a_unit_counts_for_one_promotion_of_free_units_only() -> None:
    priced = price(basket(line(1, 10_00, 3)), promotion(BuyGet(2, 1)), promotion(BuyGet(1, 1), id=2))

    assert amounts_of(priced) == {1: 10_00}
    assert evaluation_of(priced, 2).reason is PromotionReason.EXCLUDED


def test_free_shipping_with_a_cap_is_shared_among_the_deliveries() -> None:
    priced = price(basket(line(1, 99_00), fees=[12_00, 6_00]), promotion(FreeShipping(), cap=10_00))

    assert [each.total.minor for each in priced.deliveries] == [5_33, 2_67]
    assert priced.shipping == Money(8_00, CNY)


def test_a_flash_sale_gives_its_price_to_as_many_units_as_a_buyer_may_still_have() -> None:
    sale = promotion(FlashPrice(9_90, left=100, per_buyer=3), scope=FIRST_VARIANT)

    priced = price(basket(line(1, 20_00, 5)), sale, buyer=BuyerFacts(flash_units={1: 1}))

    assert priced.total == Money(2 * 9_90 + 3 * 20_00, CNY)
    assert priced.applied[0].flash_units == 2


def test_a_flash_sale_ends_when_its_units_are_sold() -> None:
    priced = price(
        basket(line(1, 20_00, 5)), promotion(FlashPrice(9_90, left=1, per_buyer=3), scope=FIRST_VARIANT)
    )

    assert priced.total == Money(9_90 + 4 * 20_00, CNY)
    assert priced.applied[0].flash_units == 1


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), [10, 10, 10, 10]),
        (TEA, [0, 10, 10, 0]),
        (Scope(PromotionScopeKind.PRODUCTS, ids=frozenset({1})), [0, 10, 10, 0]),
        (Scope(PromotionScopeKind.VARIANTS, ids=frozenset({1, 4})), [10, 0, 0, 10]),
        (Scope(PromotionScopeKind.BRANDS, brands=frozenset({"Longjing"})), [0, 0, 10, 10]),
    ],
)
def test_a_promotion_is_for_the_items_of_its_scope(scope: Scope, expected: list[int]) -> None:
    items = basket(
        line(1, 1_00, categories=[5]),
        line(2, 1_00, categories=[5, 7]),
        line(3, 1_00, categories=[7], brand="Longjing"),
        line(4, 1_00, brand="Longjing"),
    )

    assert discounts_of(price(items, promotion(Percent(10), scope=scope))) == expected
