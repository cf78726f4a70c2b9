"""A priced basket: what everything costs, what each offer takes where, and why."""

from dataclasses import dataclass

from domain.promotion.verdicts import Verdict
from models import CurrencyCode, Money


@dataclass(frozen=True, slots=True)
class Discount:
    """What one offer takes off one line or one delivery's fee."""

    offer_id: int
    amount: Money


@dataclass(frozen=True, slots=True)
class PricedLine:
    """Units of a variant: at the ordinary price, and after all offers."""

    variant_id: int
    quantity: int
    unit: Money
    discounts: tuple[Discount, ...]

    @property
    def goods(self) -> Money:
        return self.unit * self.quantity

    @property
    def discount(self) -> Money:
        return sum((each.amount for each in self.discounts), start=Money.zero(self.unit.currency))

    @property
    def total(self) -> Money:
        return self.goods - self.discount


@dataclass(frozen=True, slots=True)
class PricedDelivery:
    """What one delivery costs, before and after all offers."""

    fee: Money
    discounts: tuple[Discount, ...]

    @property
    def discount(self) -> Money:
        return sum((each.amount for each in self.discounts), start=Money.zero(self.fee.currency))

    @property
    def total(self) -> Money:
        return self.fee - self.discount


@dataclass(frozen=True, slots=True)
class AppliedOffer:
    """An offer of the best combination, and all it takes."""

    offer_id: int
    title: str
    code: str | None
    amount: Money
    flash_units: int
    """Units at the special price, to be taken from the share of the sale."""


@dataclass(frozen=True, slots=True)
class Priced:
    """The answer: lines and deliveries as they stood in the basket, offers in their order of application."""

    currency: CurrencyCode
    lines: tuple[PricedLine, ...]
    deliveries: tuple[PricedDelivery, ...]
    applied: tuple[AppliedOffer, ...]
    verdicts: tuple[Verdict, ...]
    exact: bool
    """Whether it is known that no other legal combination is cheaper."""

    @property
    def goods(self) -> Money:
        """All lines at ordinary prices."""
        return sum((line.goods for line in self.lines), start=Money.zero(self.currency))

    @property
    def discount(self) -> Money:
        """What the offers take off the lines."""
        return sum((line.discount for line in self.lines), start=Money.zero(self.currency))

    @property
    def shipping(self) -> Money:
        """All fees after what the offers take off them."""
        return sum((delivery.total for delivery in self.deliveries), start=Money.zero(self.currency))

    @property
    def total(self) -> Money:
        return self.goods - self.discount + self.shipping
