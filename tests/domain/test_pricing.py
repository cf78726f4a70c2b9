"""Sums that come out to the last cent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing import PricedLine, price
from models import Coupon, CurrencyCode, Money, OfferType

NOW = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
CNY, USD = CurrencyCode.CNY, CurrencyCode.USD


def yuan(minor: int) -> Money:
    return Money(minor, CNY)


def line(unit: int, quantity: int = 1, variant_id: int = 1) -> PricedLine:
    return PricedLine(variant_id, quantity, yuan(unit), 500)


def coupon(
    *,
    percent: int | None = None,
    amount: int | None = None,
    minimum: int = 0,
    currency: CurrencyCode = CNY,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    usage_limit: int | None = None,
    used: int = 0,
) -> Coupon:
    return Coupon(
        code="SPRING",
        title="Spring",
        type=OfferType.PERCENT if percent else OfferType.FIXED,
        percent=percent,
        amount=amount,
        minimum_amount=minimum,
        currency=currency,
        starts_at=starts_at,
        ends_at=ends_at,
        usage_limit=usage_limit,
        used=used,
        translations={},
    )


def test_goods_and_fees_make_the_total() -> None:
    found = price([line(3_333, 3), line(1, 2)], coupon=None, fees=[yuan(600), yuan(0)], now=NOW)

    assert (found.goods, found.discount, found.shipping) == (yuan(10_001), yuan(0), yuan(600))
    assert found.total == yuan(10_601)
    assert found.line_discounts == (0, 0)


def test_a_percentage_is_rounded_once_for_all_lines_and_shared_to_the_cent() -> None:
    found = price([line(333), line(333), line(333)], coupon=coupon(percent=10), fees=[], now=NOW)

    assert found.discount == yuan(100)
    assert found.line_discounts == (34, 33, 33)
    assert found.total == yuan(899)


def test_half_a_cent_off_is_a_cent_off() -> None:
    assert price([line(5)], coupon=coupon(percent=10), fees=[], now=NOW).discount == yuan(1)
    assert price([line(4)], coupon=coupon(percent=10), fees=[], now=NOW).discount == yuan(0)


def test_a_coupon_takes_off_the_goods_only_never_the_fees() -> None:
    found = price([line(300)], coupon=coupon(amount=5_000), fees=[yuan(800)], now=NOW)

    assert (found.discount, found.total) == (yuan(300), yuan(800))


def test_an_empty_cart_costs_nothing_in_its_own_currency() -> None:
    assert price([], coupon=None, fees=[], now=NOW, currency=USD).total == Money(0, USD)


@pytest.mark.parametrize(
    ("given_coupon", "refusal"),
    [
        (coupon(percent=10, minimum=1_000), None),
        (coupon(percent=10, minimum=1_001), "Coupon SPRING is for 10.01 CNY and more."),
        (coupon(percent=10, starts_at=NOW), None),
        (coupon(percent=10, starts_at=NOW + timedelta(seconds=1)), "Coupon SPRING is not valid yet."),
        (coupon(percent=10, ends_at=NOW + timedelta(seconds=1)), None),
        (coupon(percent=10, ends_at=NOW), "Coupon SPRING has expired."),
        (coupon(percent=10, usage_limit=3, used=2), None),
        (coupon(percent=10, usage_limit=3, used=3), "Coupon SPRING has been used up."),
        (coupon(percent=10, currency=USD), "Coupon SPRING is for prices in USD."),
    ],
)
def test_a_coupon_that_does_not_apply_says_why_and_changes_no_sum(
    given_coupon: Coupon, refusal: str | None
) -> None:
    found = price([line(1_000)], coupon=given_coupon, fees=[], now=NOW)

    assert found.coupon_refusal == refusal
    assert found.total == yuan(1_000 if refusal else 900)


AMOUNTS = st.integers(0, 10**9)
LINES = st.lists(st.builds(line, AMOUNTS, st.integers(1, 999)), min_size=1, max_size=30)
FEES = st.lists(st.builds(yuan, AMOUNTS), max_size=5)
COUPONS = (
    st.none()
    | st.builds(coupon, percent=st.integers(1, 100))
    | st.builds(coupon, amount=st.integers(1, 10**12))
)


@given(lines=LINES, coupon=COUPONS, fees=FEES)
def test_the_lines_and_the_fees_always_add_up_to_the_total(
    lines: list[PricedLine], coupon: Coupon | None, fees: list[Money]
) -> None:
    found = price(lines, coupon=coupon, fees=fees, now=NOW)

    paid = [line.total.minor - off for line, off in zip(lines, found.line_discounts, strict=True)]
    assert sum(paid) + sum(fee.minor for fee in fees) == found.total.minor
    assert sum(found.line_discounts) == found.discount.minor


@given(lines=LINES, coupon=COUPONS)
def test_no_line_is_ever_negative_nor_dearer_than_without_a_coupon(
    lines: list[PricedLine], coupon: Coupon | None
) -> None:
    found = price(lines, coupon=coupon, fees=[], now=NOW)

    for each, off in zip(lines, found.line_discounts, strict=True):
        assert 0 <= off <= each.total.minor


@given(lines=LINES, percent=st.integers(1, 99))
def test_a_higher_percentage_never_takes_less(lines: list[PricedLine], percent: int) -> None:
    less = price(lines, coupon=coupon(percent=percent), fees=[], now=NOW)
    more = price(lines, coupon=coupon(percent=percent + 1), fees=[], now=NOW)

    assert less.discount.minor <= more.discount.minor
