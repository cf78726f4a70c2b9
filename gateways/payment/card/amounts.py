"""Amounts as Stripe writes them: whole numbers of a unit that is not ISO 4217's for every currency.

https://docs.stripe.com/currencies says which; the shop's own unit is that of `models.money`.
"""

from gateways.payment.provider import ProviderError, ProviderRefused
from models import CurrencyCode, Money
from models.money import MINOR_DIGITS

ZERO_DECIMAL = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def digits_at_stripe(currency: str) -> int:
    """Digits after the decimal point in Stripe's amounts.

    ISK and UGX have none of their own and are written with two all the same.
    """
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


def encode_amount(minor: int, currency: str, digits: int) -> int:
    """An amount with so many digits in Stripe's unit; ProviderRefused where Stripe has no such amount."""
    scaled, rest = rescale(minor, digits_at_stripe(currency) - digits)
    if rest or (currency in THREE_DECIMAL and scaled % 10):
        raise ProviderRefused(f"Stripe takes no such fraction of {currency}.")
    return scaled


def decode_amount(amount: int, currency: str, digits: int) -> int:
    """Stripe's amount with so many digits; ProviderError where it has more."""
    minor, rest = rescale(amount, digits - digits_at_stripe(currency))
    if rest:
        raise ProviderError(f"an amount of {currency} with more digits than it has")
    return minor


def rescale(amount: int, places: int) -> tuple[int, int]:
    """The amount shifted by decimal places, and what is left over."""
    return (amount * 10**places, 0) if places >= 0 else divmod(amount, 10**-places)


def stripe_amount(money: Money) -> int:
    return encode_amount(money.minor, money.currency, MINOR_DIGITS[money.currency])


def is_priced_in(currency: str) -> bool:
    """Whether the shop knows the currency, which Stripe writes in lower case."""
    return currency.upper() in CurrencyCode.__members__


def money_of(amount: int, currency: str) -> Money:
    """Stripe's amount as money of the shop; ProviderError for a currency the shop does not know."""
    if not is_priced_in(currency):
        raise ProviderError("an amount in a currency the shop does not have")
    code = CurrencyCode(currency.upper())
    return Money(decode_amount(amount, code, MINOR_DIGITS[code]), code)
