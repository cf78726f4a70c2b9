"""Amounts of money as clients give them."""

from decimal import Decimal

from domain.errors import Invalid
from models import CurrencyCode, Money
from resolvers.descriptions import input_type

MINOR_LIMIT = 10**12
"""The largest amount a client may give, in minor units."""


@input_type
class MoneyInput:
    """An amount of money, exact."""

    amount: Decimal
    """In major units, such as "19.90"; no more digits than the currency has."""
    currency_code: CurrencyCode
    """The ISO 4217 code of the currency."""

    def money(self, *, field: tuple[str | int, ...]) -> Money:
        """The amount; raises Invalid about `field` for too many digits or more than MINOR_LIMIT."""
        try:
            amount = Money.of(self.amount, self.currency_code)
        except (ValueError, ArithmeticError):
            digits = f"{self.currency_code.value} has fewer digits"
            raise Invalid("This is not an amount of money: {digits}.", digits=digits, field=field) from None
        if abs(amount.minor) > MINOR_LIMIT:
            raise Invalid("This is more money than the shop handles.", field=field)
        return amount
