"""Scalars and values without an identity."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.types.base_scalars import DateTimeDefinition

import models
from resolvers.descriptions import describe_enum
from schema.rows import row_type

CurrencyCode = describe_enum(models.CurrencyCode)


def parse_moment(value: object) -> datetime:
    """The moment in UTC; refused without a time zone, and where UTC is beyond the calendar."""
    time: datetime = DateTimeDefinition.parse_value(value)  # type: ignore[misc]
    if time.tzinfo is None:
        raise invalid_moment("Say the time zone, too, such as 2026-11-11T00:00:00+08:00.")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise invalid_moment("The calendar does not reach there.") from None


def invalid_moment(reason: str) -> StrawberryInputCoercionError:
    return StrawberryInputCoercionError(f"Value cannot represent a DateTime. {reason}")


DateTime = replace(
    DateTimeDefinition,
    description="A moment, in ISO 8601 with its time zone: 2026-11-11T00:00:00+08:00.",
    parse_value=parse_moment,
)


@row_type(models.Money)
class Money:
    """An amount of money, exact."""

    amount: Decimal
    """In major units with the currency's own digits, as a string: "19.90"."""
    currency_code: models.CurrencyCode
    """The ISO 4217 code of the currency."""
