"""Which promotions could reduce a basket, before any of them is applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.promotion.engine.basket import Basket, BasketLine, BuyerFacts
from domain.promotion.engine.evaluation import (
    PromotionEvaluation,
    PromotionReason,
    explain_missing_units,
    explain_reason,
)
from domain.promotion.engine.rules import BuyGet, FlashPrice, PromotionRule, PromotionStage


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A promotion that may apply to one basket, with the lines it covers."""

    promotion: PromotionRule
    stage: PromotionStage
    line_indexes: tuple[int, ...]
    """The indexes of its lines in the basket."""
    threshold: int
    """Minor units its lines must cost."""
    groups: frozenset[str | tuple[PromotionStage, int]]
    """Its exclusion groups, and one for each variant whose single units it prices or counts."""
    flash_units_allowed: int
    """Units this buyer may have at its special price."""

    def excludes(self, other: "Candidate") -> bool:
        """Whether the two may not apply to one order."""
        not_stackable = not (self.promotion.stackable and other.promotion.stackable)
        return not_stackable or not self.groups.isdisjoint(other.groups)


def match_promotion(
    promotion: PromotionRule, basket: Basket, buyer: BuyerFacts, *, now: datetime
) -> Candidate | PromotionEvaluation:
    """The promotion as a candidate for the basket, or the reason why it cannot apply."""
    if reason := ineligible_reason(promotion, basket, buyer, now=now):
        return explain_reason(promotion, reason)
    indexes = tuple(index for index, line in enumerate(basket.lines) if promotion.scope.covers(line))
    if not indexes:
        return explain_reason(promotion, PromotionReason.NO_ELIGIBLE_ITEMS)
    lines = [basket.lines[index] for index in indexes]
    if (missing := units_missing(promotion, lines)) > 0:
        return explain_missing_units(promotion, missing)
    groups = promotion.exclusion_groups | unit_exclusion_groups(promotion, lines)
    return Candidate(
        promotion=promotion,
        stage=promotion.stage,
        line_indexes=indexes,
        threshold=promotion.threshold,
        groups=groups,
        flash_units_allowed=flash_units_allowed(promotion, buyer),
    )


def ineligible_reason(
    promotion: PromotionRule, basket: Basket, buyer: BuyerFacts, *, now: datetime
) -> PromotionReason | None:
    """Why a promotion cannot apply whatever the lines are: its time, its limits or its currency."""
    if promotion.starts_at and now < promotion.starts_at:
        return PromotionReason.NOT_STARTED
    if promotion.ends_at and now >= promotion.ends_at:
        return PromotionReason.ENDED
    if promotion.usage_limit is not None and promotion.used >= promotion.usage_limit:
        return PromotionReason.USED_UP
    if isinstance(promotion.terms, FlashPrice) and not promotion.terms.left:
        return PromotionReason.USED_UP
    limit = promotion.usage_limit_per_buyer
    if not buyer.has_account and is_limited_per_buyer(promotion):
        return PromotionReason.ACCOUNT_REQUIRED
    if limit is not None and buyer.uses.get(promotion.id, 0) >= limit:
        return PromotionReason.BUYER_LIMIT_REACHED
    if isinstance(promotion.terms, FlashPrice) and flash_units_allowed(promotion, buyer) <= 0:
        return PromotionReason.BUYER_LIMIT_REACHED
    if promotion.currency not in (None, basket.currency):
        return PromotionReason.OTHER_CURRENCY
    return None


def is_limited_per_buyer(promotion: PromotionRule) -> bool:
    """Whether one customer may have it, or units of it, only so often."""
    terms = promotion.terms
    per_buyer = terms.per_buyer if isinstance(terms, FlashPrice) else None
    return promotion.usage_limit_per_buyer is not None or per_buyer is not None


def units_missing(promotion: PromotionRule, lines: Sequence[BasketLine]) -> int:
    """How many more units its lines would need; 0 or less when there are enough."""
    units = sum(line.quantity for line in lines)
    if not isinstance(promotion.terms, BuyGet):
        return promotion.minimum_quantity - units
    # A unit that costs nothing anyway counts neither as bought nor as free.
    priced_units = sum(line.quantity for line in lines if line.unit_price)
    return max(promotion.minimum_quantity - units, promotion.terms.buy + promotion.terms.get - priced_units)


def flash_units_allowed(promotion: PromotionRule, buyer: BuyerFacts) -> int:
    """Units the buyer may still have at the price of a flash sale; 0 for other promotions."""
    terms = promotion.terms
    if not isinstance(terms, FlashPrice):
        return 0
    if terms.per_buyer is None:
        return terms.left
    return min(terms.left, terms.per_buyer - buyer.flash_units.get(promotion.id, 0))


def unit_exclusion_groups(
    promotion: PromotionRule, lines: Sequence[BasketLine]
) -> frozenset[tuple[PromotionStage, int]]:
    """One group per variant: a unit has one special price, and counts for one promotion of free units."""
    if promotion.stage not in (PromotionStage.FLASH, PromotionStage.UNITS):
        return frozenset()
    return frozenset((promotion.stage, line.variant_id) for line in lines)
