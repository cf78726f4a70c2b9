"""Scalars and values without an identity."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from strawberry import scalar
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.types.base_scalars import DateTimeDefinition

import models
from resolvers.descriptions import describe_enum
from schema.rows import row_type

CurrencyCode = describe_enum(models.CurrencyCode)


FIRST_YEAR, LAST_YEAR = 1900, 3000
"""Between these every moment can be told in every time zone, and days be added to it."""


def parse_moment(value: object) -> datetime:
    """The moment in UTC; refused without a time zone, and in years so far away that nothing can be added."""
    time: datetime = DateTimeDefinition.parse_value(value)  # type: ignore[misc]
    if time.tzinfo is None:
        raise invalid_moment("Say the time zone, too, such as 2026-11-11T00:00:00+08:00.")
    if not FIRST_YEAR < time.year < LAST_YEAR:
        raise invalid_moment("The calendar does not reach there.")
    return time.astimezone(UTC)


def parse_carrier_code(value: object) -> models.CarrierCode:
    """The code as carriers have it; whether there is such a carrier is another question."""
    if not isinstance(value, str) or not 1 <= len(value) <= models.CARRIER_CODE_LENGTH:
        raise StrawberryInputCoercionError("Value cannot represent a CarrierCode.")
    return models.CarrierCode(value)


def invalid_moment(reason: str) -> StrawberryInputCoercionError:
    return StrawberryInputCoercionError(f"Value cannot represent a DateTime. {reason}")


DateTime = replace(
    DateTimeDefinition,
    description="A moment, in ISO 8601 with its time zone: 2026-11-11T00:00:00+08:00.",
    parse_value=parse_moment,
)


CarrierCode = scalar(
    name="CarrierCode",
    description='The code of a carrier, such as "SF"; `carriers` has them all.',
    serialize=str,
    parse_value=parse_carrier_code,
)


@row_type(models.Money)
class Money:
    """An amount of money, exact."""

    amount: Decimal
    """In major units with the currency's own digits, as a string: "19.90"."""
    currency_code: models.CurrencyCode
    """The ISO 4217 code of the currency."""
