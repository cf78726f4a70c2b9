"""What it costs to send a parcel."""

from dataclasses import dataclass

import pytest

from domain.shipping import TARIFFS, YUAN, Distance, distance_of, shipping_fee
from models import CurrencyCode, Money, ShippingMethod

STANDARD, EXPRESS = ShippingMethod.STANDARD, ShippingMethod.EXPRESS


@dataclass(frozen=True)
class Place:
    country_code: str
    province: str


HOME = Place("CN", "浙江省")


def cny(minor: int) -> Money:
    return Money(minor, CurrencyCode.CNY)


@pytest.mark.parametrize(
    ("place", "distance"),
    [
        (Place("CN", "浙江省"), Distance.NEAR),
        (Place("CN", "上海"), Distance.NEAR),
        (Place("cn", " Jiangsu"), Distance.NEAR),
        (Place("CN", "广东省"), Distance.FAR),
        (Place("CN", "北京市"), Distance.FAR),
        (Place("CN", "新疆维吾尔自治区"), Distance.REMOTE),
        (Place("CN", "Inner Mongolia"), Distance.REMOTE),
        (Place("US", "Zhejiang"), Distance.ABROAD),
    ],
)
def test_how_far_a_province_is(place: Place, distance: Distance) -> None:
    assert distance_of(place) is distance


@pytest.mark.parametrize(
    ("grams", "fee"), [(0, 600), (1, 600), (1_000, 600), (1_001, 700), (2_000, 700), (9_500, 1_500)]
)
def test_each_kilogram_begun_after_the_first_costs_more(grams: int, fee: int) -> None:
    assert shipping_fee(STANDARD, HOME, grams, cny(100)) == cny(fee)


@pytest.mark.parametrize(
    ("method", "place", "goods", "fee"),
    [
        (STANDARD, HOME, 9_899, 600),
        (STANDARD, HOME, 9_900, 0),
        (STANDARD, Place("CN", "西藏"), 9_900, 0),
        (STANDARD, Place("US", "CA"), 9_900, 6_000),
        (EXPRESS, HOME, 9_900, 1_200),
    ],
)
def test_only_standard_at_home_is_free_and_only_from_the_named_amount(
    method: ShippingMethod, place: Place, goods: int, fee: int
) -> None:
    assert shipping_fee(method, place, 500, cny(goods)) == cny(fee)


def test_a_fee_is_in_the_currency_of_the_goods() -> None:
    assert shipping_fee(EXPRESS, HOME, 500, Money(100, CurrencyCode.USD)) == Money(180, CurrencyCode.USD)
    assert shipping_fee(EXPRESS, HOME, 500, Money(100, CurrencyCode.JPY)) == Money(240, CurrencyCode.JPY)


def test_the_table_has_a_fee_for_everything() -> None:
    assert set(TARIFFS) == set(ShippingMethod)
    assert all(set(row) == set(Distance) for row in TARIFFS.values())
    assert set(YUAN) == set(CurrencyCode)
