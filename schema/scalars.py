"""Values without an identity."""

from decimal import Decimal

import models
from resolvers.described import describe_enum
from schema.rows import row_type

CurrencyCode = describe_enum(models.CurrencyCode)


@row_type(models.Money)
class Money:
    """An amount of money, exact."""

    amount: Decimal
    """In major units with the currency's own digits, as a string: "19.90"."""
    currency_code: models.CurrencyCode
    """The ISO 4217 code of the currency."""
