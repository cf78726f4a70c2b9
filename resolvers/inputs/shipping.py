from decimal import Decimal

from domain.errors import Invalid
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
        return ShippingRateDraft(
            method=self.method,
            currency=self.currency_code,
            first_grams=self.first_grams,
            first_amount=self.minor_of(self.first, ("rates", index, "first")),
            further_grams=self.further_grams,
            further_amount=self.minor_of(self.further, ("rates", index, "further")),
            free_from_amount=None
            if self.free_from is None
            else self.minor_of(self.free_from, ("rates", index, "free_from")),
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
