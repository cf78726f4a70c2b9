from decimal import Decimal

from domain.errors import Invalid, collect_refusals
from domain.shipping import ShippingRateDraft, ShippingRegion
from models import CurrencyCode, Money, ShippingMethod
from resolvers.descriptions import input_type


@input_type
class ShippingRegionInput:
    """A country, or one province of it."""

    country_code: str | None = None
    """The ISO 3166 code of the country; left out, everything that no zone names."""
    province: str | None = None
    """One province of it; left out, all of the country that no zone names."""

    def draft(self) -> ShippingRegion:
        return ShippingRegion(self.country_code, self.province)


@input_type
class ShippingRateInput:
    """What sending one delivery costs by one method, in one currency."""

    method: ShippingMethod
    """How fast it travels."""
    currency_code: CurrencyCode = CurrencyCode.CNY
    """The currency of all amounts here, and of the orders this is for."""
    first_grams: int = 1_000
    """The weight, in grams, that the first fee covers."""
    first: Decimal
    """The fee up to that weight."""
    further_grams: int = 1_000
    """The step, in grams, in which further weight is counted."""
    further: Decimal
    """What each further step begun costs."""
    free_from: Decimal | None = None
    """Sending is free for goods of this price and more; left out, it never is."""
    limit_grams: int | None = None
    """The heaviest delivery, in grams, that is sent so; left out, any."""

    def draft(self, index: int) -> ShippingRateDraft:
        free = self.free_from
        with collect_refusals() as check:
            first = check.value(self.minor_of, 0, self.first, ("rates", index, "first"))
            further = check.value(self.minor_of, 0, self.further, ("rates", index, "further"))
            free_field = ("rates", index, "free_from")
            free_amount = None if free is None else check.value(self.minor_of, 0, free, free_field)
        return ShippingRateDraft(
            method=self.method,
            currency=self.currency_code,
            first_grams=self.first_grams,
            first_amount=first,
            further_grams=self.further_grams,
            further_amount=further,
            free_from_amount=free_amount,
            limit_grams=self.limit_grams,
        )

    def minor_of(self, amount: Decimal, field: tuple[str | int, ...]) -> int:
        """The amount in minor units; Invalid with more digits than the currency has."""
        try:
            return Money.of(amount, self.currency_code).minor
        except (ValueError, ArithmeticError):
            raise Invalid(
                "This is not an amount in {currency}.",
                currency=self.currency_code.value,
                field=field,
            ) from None
