from decimal import Decimal

from domain.errors import Invalid
from domain.shipping import RateTerms, Region
from models import CurrencyCode, Money, ShippingMethod
from resolvers.described import input_type


@input_type
class ShippingRegionInput:
    """A country, or one province of it."""

    country_code: str | None = None
    """The ISO 3166 code of the country; left out, all that no zone names."""
    province: str | None = None
    """One province of it; left out, all of the country that no zone names."""

    def region(self) -> Region:
        return Region(self.country_code, self.province)


@input_type
class ShippingRateInput:
    """What sending one delivery costs by one method, in one currency."""

    method: ShippingMethod
    """How fast it travels."""
    currency_code: CurrencyCode = CurrencyCode.CNY
    """The currency of all amounts here, and of the orders this is for."""
    first_grams: int = 1_000
    """The weight the first fee pays for."""
    first: Decimal
    """What that costs."""
    further_grams: int = 1_000
    """The step in which more weight is counted."""
    further: Decimal
    """What each step begun costs."""
    free_from: Decimal | None = None
    """Goods of this price and more travel for nothing; none do when left out."""
    limit_grams: int | None = None
    """The heaviest delivery that travels so; any when left out."""

    def terms(self, index: int) -> RateTerms:
        return RateTerms(
            method=self.method,
            currency=self.currency_code,
            first_grams=self.first_grams,
            first_amount=self.minor(self.first, ("rates", index, "first")),
            further_grams=self.further_grams,
            further_amount=self.minor(self.further, ("rates", index, "further")),
            free_from_amount=None
            if self.free_from is None
            else self.minor(self.free_from, ("rates", index, "free_from")),
            limit_grams=self.limit_grams,
        )

    def minor(self, amount: Decimal, field: tuple[str | int, ...]) -> int:
        try:
            return Money.of(amount, self.currency_code).minor
        except (ValueError, ArithmeticError):
            raise Invalid(f"This is not an amount in {self.currency_code.value}.", field=field) from None
