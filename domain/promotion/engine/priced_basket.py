"""A priced basket: what each line and delivery costs, and what each promotion takes off it."""

from dataclasses import dataclass

from domain.promotion.engine.evaluation import PromotionEvaluation
from models import CurrencyCode, Money


@dataclass(frozen=True, slots=True)
class Discount:
    """What one promotion takes off one line or one delivery's fee."""

    promotion_id: int
    amount: Money


@dataclass(frozen=True, slots=True)
class PricedLine:
    """Units of a variant: at the ordinary price, and after all promotions."""

    variant_id: int
    quantity: int
    unit_price: Money
    discounts: tuple[Discount, ...]

    @property
    def subtotal(self) -> Money:
        """All units at the ordinary price."""
        return self.unit_price * self.quantity

    @property
    def discount(self) -> Money:
        return sum((each.amount for each in self.discounts), start=Money.zero(self.unit_price.currency))

    @property
    def total(self) -> Money:
        return self.subtotal - self.discount


@dataclass(frozen=True, slots=True)
class PricedDelivery:
    """What one delivery costs, before and after all promotions."""

    fee: Money
    discounts: tuple[Discount, ...]

    @property
    def discount(self) -> Money:
        return sum((each.amount for each in self.discounts), start=Money.zero(self.fee.currency))

    @property
    def total(self) -> Money:
        return self.fee - self.discount


@dataclass(frozen=True, slots=True)
class AppliedPromotion:
    """A promotion of the best combination, and all it takes off."""

    promotion_id: int
    title: str
    code: str | None
    amount: Money
    flash_units: int
    """Units at the price of a flash sale."""


@dataclass(frozen=True, slots=True)
class PricedBasket:
    """Lines and deliveries in the order of the basket, promotions in their order of application."""

    currency: CurrencyCode
    lines: tuple[PricedLine, ...]
    deliveries: tuple[PricedDelivery, ...]
    applied: tuple[AppliedPromotion, ...]
    evaluations: tuple[PromotionEvaluation, ...]
    """One for each promotion that was considered."""
    exact: bool
    """Whether it is known that no other legal combination is cheaper."""

    @property
    def subtotal(self) -> Money:
        """All lines at ordinary prices."""
        return sum((line.subtotal for line in self.lines), start=Money.zero(self.currency))

    @property
    def discount(self) -> Money:
        """What the promotions take off the lines."""
        return sum((line.discount for line in self.lines), start=Money.zero(self.currency))

    @property
    def shipping(self) -> Money:
        """All fees after what the promotions take off them."""
        return sum((delivery.total for delivery in self.deliveries), start=Money.zero(self.currency))

    @property
    def total(self) -> Money:
        """Lines and fees after all promotions."""
        return self.subtotal - self.discount + self.shipping
