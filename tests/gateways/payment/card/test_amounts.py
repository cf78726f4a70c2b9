"""Amounts of all currencies come to Stripe in its own unit, and back."""

import pytest

from gateways.payment.card.amounts import decode_amount, encode_amount, money_of, stripe_amount
from gateways.payment.provider import ProviderError, ProviderRefused
from models import CurrencyCode, Money


@pytest.mark.parametrize(
    ("minor", "currency", "digits", "amount"),
    [
        (12_900, "EUR", 2, 12_900),
        (500, "JPY", 0, 500),
        (50_000, "KRW", 0, 50_000),
        (5_120, "BHD", 3, 5_120),
        (1_000, "KWD", 3, 1_000),
        (10, "ISK", 0, 1_000),
        (10, "UGX", 0, 1_000),
        (1_000, "MGA", 2, 10),
        (100_000, "HUF", 2, 100_000),
    ],
)
def test_every_amount_has_one_form_at_stripe(minor: int, currency: str, digits: int, amount: int) -> None:
    assert encode_amount(minor, currency, digits) == amount
    assert decode_amount(amount, currency, digits) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "digits"), [(5_124, "KWD", 3), (1, "BHD", 3), (1_050, "MGA", 2)]
)
def test_a_fraction_that_stripe_does_not_take_is_refused(minor: int, currency: str, digits: int) -> None:
    with pytest.raises(ProviderRefused, match=currency):
        encode_amount(minor, currency, digits)


def test_an_amount_with_more_digits_than_its_currency_is_not_believed() -> None:
    with pytest.raises(ProviderError, match="ISK"):
        decode_amount(1_050, "ISK", 0)


@pytest.mark.parametrize("currency", CurrencyCode)
def test_the_currencies_of_the_shop_have_the_same_unit_at_stripe(currency: CurrencyCode) -> None:
    assert stripe_amount(Money(1_234, currency)) == 1_234
    assert money_of(1_234, currency.lower()) == Money(1_234, currency)


def test_a_currency_the_shop_does_not_have_is_not_believed() -> None:
    with pytest.raises(ProviderError):
        money_of(100, "krw")
