"""Amounts of money: whole minor units of one currency, never a float."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class CurrencyCode(StrEnum):
    """An ISO 4217 currency the shop can price in."""

    CNY = "CNY"
    """Renminbi."""
    USD = "USD"
    """US dollar."""
    EUR = "EUR"
    """Euro."""
    GBP = "GBP"
    """Pound sterling."""
    JPY = "JPY"
    """Yen, which has no minor unit."""
    HKD = "HKD"
    """Hong Kong dollar."""


MINOR_DIGITS = {
    CurrencyCode.CNY: 2,
    CurrencyCode.USD: 2,
    CurrencyCode.EUR: 2,
    CurrencyCode.GBP: 2,
    CurrencyCode.JPY: 0,
    CurrencyCode.HKD: 2,
}
"""Digits after the decimal point, by currency (ISO 4217 table A.1)."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (fen, cents) of a currency."""

    minor: int
    currency: CurrencyCode

    @classmethod
    def zero(cls, currency: CurrencyCode) -> "Money":
        return cls(0, currency)

    @classmethod
    def of(cls, amount: Decimal, currency: CurrencyCode) -> "Money":
        """From an amount in major units; raises ValueError when it has more digits than the currency."""
        minor = amount.scaleb(MINOR_DIGITS[currency])
        if not minor.is_finite() or minor != minor.to_integral_value():
            raise ValueError(f"{amount} is not a whole number of minor units of {currency}")
        return cls(int(minor), currency)

    @property
    def currency_code(self) -> CurrencyCode:
        return self.currency

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with the currency's own number of digits."""
        return Decimal(self.minor).scaleb(-MINOR_DIGITS[self.currency])

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._minor_of(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._minor_of(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * times, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _minor_of(self, other: "Money") -> int:
        if other.currency is not self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.minor
