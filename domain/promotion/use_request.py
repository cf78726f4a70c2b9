"""A promotion's use by an order that is about to be placed."""

from dataclasses import dataclass

from domain.promotion.engine import FlashPrice, PromotionRule
from domain.promotion.usage_counts import UsageCount
from models import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionUseRequest:
    """A use to be recorded, if the limits of the promotion still allow it."""

    order_id: int
    account_id: int
    promotion: PromotionRule
    """As the order was priced with it."""
    position: int
    """Its place in the order of application, from 1."""
    amount: Money
    flash_units: int

    @property
    def count(self) -> UsageCount:
        return UsageCount(1, self.flash_units)

    @property
    def buyer(self) -> tuple[int, int]:
        """The key of the buyer's counter: promotion id and account id."""
        return self.promotion.id, self.account_id

    @property
    def is_counted(self) -> bool:
        """Whether all customers together may have only so many uses or units of it."""
        return self.promotion.usage_limit is not None or isinstance(self.promotion.terms, FlashPrice)

    @property
    def buyer_limits(self) -> tuple[int | None, int | None]:
        """How many uses, and how many units at a special price, one buyer may have; None for any number."""
        terms = self.promotion.terms
        per_buyer = terms.per_buyer if isinstance(terms, FlashPrice) else None
        return self.promotion.usage_limit_per_buyer, per_buyer

    @property
    def is_counted_per_buyer(self) -> bool:
        return self.buyer_limits != (None, None)
