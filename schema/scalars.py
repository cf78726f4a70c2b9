"""Values without an identity."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.types.base_scalars import DateTimeDefinition

import models
from resolvers.described import describe_enum
from schema.rows import row_type

CurrencyCode = describe_enum(models.CurrencyCode)


def moment(given: object) -> datetime:
    """A time as it was given, in UTC: without a zone it is none, and some are beyond the calendar there."""
    time: datetime = DateTimeDefinition.parse_value(given)  # type: ignore[misc]
    if time.tzinfo is None:
        raise refused(given, "Say the time zone, too, such as 2026-11-11T00:00:00+08:00.")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise refused(given, "The calendar does not reach there.") from None


def refused(given: object, why: str) -> StrawberryInputCoercionError:
    return StrawberryInputCoercionError(f'Value cannot represent a DateTime: "{given}". {why}')


DateTime = replace(
    DateTimeDefinition,
    description="A moment, in ISO 8601 with its time zone: 2026-11-11T00:00:00+08:00.",
    parse_value=moment,
)


@row_type(models.Money)
class Money:
    """An amount of money, exact."""

    amount: Decimal
    """In major units with the currency's own digits, as a string: "19.90"."""
    currency_code: models.CurrencyCode
    """The ISO 4217 code of the currency."""
