"""Why a promotion applies to a basket or does not, as a code for programs and a message for the customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.money import money_text
from domain.promotion.engine.rules import PromotionRule
from models import Money


class PromotionReason(StrEnum):
    """Why a promotion applies or does not."""

    APPLIED = "APPLIED"
    """It is part of the combination with the lowest total."""
    NOT_STARTED = "NOT_STARTED"
    """It has not started yet."""
    ENDED = "ENDED"
    """It has ended."""
    USED_UP = "USED_UP"
    """All its uses are taken, or all units of its flash sale are sold."""
    BUYER_LIMIT_REACHED = "BUYER_LIMIT_REACHED"
    """This customer has used it as often as one customer may."""
    ACCOUNT_REQUIRED = "ACCOUNT_REQUIRED"
    """It is limited per customer, and therefore not for guests: signing in helps."""
    OTHER_CURRENCY = "OTHER_CURRENCY"
    """Its amounts are in another currency than the prices."""
    NO_ELIGIBLE_ITEMS = "NO_ELIGIBLE_ITEMS"
    """There is none of the items it is for."""
    QUANTITY_TOO_SMALL = "QUANTITY_TOO_SMALL"
    """`missing_quantity` more units of its items are needed."""
    AMOUNT_TOO_SMALL = "AMOUNT_TOO_SMALL"
    """Its items must cost `missing_amount` more, measured after the promotions that come before it."""
    EXCLUDED = "EXCLUDED"
    """It cannot be combined with the promotions in `because_of`, which save more."""
    NO_DELIVERY_YET = "NO_DELIVERY_YET"
    """It reduces shipping fees, which are not known before a delivery is chosen."""
    NOTHING_LEFT = "NOTHING_LEFT"
    """The other promotions leave nothing that it could reduce."""
    NOT_CHEAPER = "NOT_CHEAPER"
    """It would take something off, but other promotions would then take off as much less or more."""


@dataclass(frozen=True, slots=True)
class PromotionEvaluation:
    """Whether a promotion that was considered applies, and why."""

    promotion_id: int
    reason: PromotionReason
    message: str
    missing_amount: Money | None = None
    missing_quantity: int | None = None
    because_of: tuple[int, ...] = ()
    """Ids of the promotions that exclude it."""

    @property
    def applied(self) -> bool:
        return self.reason is PromotionReason.APPLIED


MESSAGES = {
    PromotionReason.NOT_STARTED: "{} is not valid yet.",
    PromotionReason.ENDED: "{} has expired.",
    PromotionReason.USED_UP: "{} has been used up.",
    PromotionReason.BUYER_LIMIT_REACHED: "You have had {} as often as one customer may.",
    PromotionReason.ACCOUNT_REQUIRED: "Sign in to have {}.",
    PromotionReason.OTHER_CURRENCY: "{} is for prices in another currency.",
    PromotionReason.NO_ELIGIBLE_ITEMS: "{} is for other goods.",
    PromotionReason.NO_DELIVERY_YET: "{} counts once you say where it goes.",
    PromotionReason.NOTHING_LEFT: "There is nothing that {} could reduce.",
    PromotionReason.NOT_CHEAPER: "You do not pay less with {}.",
}


def explain_reason(promotion: PromotionRule, reason: PromotionReason) -> PromotionEvaluation:
    """An evaluation whose message needs no further facts."""
    return PromotionEvaluation(promotion.id, reason, MESSAGES[reason].format(promotion.label))


def explain_applied(promotion: PromotionRule, saved: Money) -> PromotionEvaluation:
    message = f"{promotion.label} saves {money_text(saved)}."
    return PromotionEvaluation(promotion.id, PromotionReason.APPLIED, message)


def explain_missing_units(promotion: PromotionRule, missing: int) -> PromotionEvaluation:
    message = f"{missing} more for {promotion.label}."
    reason = PromotionReason.QUANTITY_TOO_SMALL
    return PromotionEvaluation(promotion.id, reason, message, missing_quantity=missing)


def explain_missing_amount(promotion: PromotionRule, missing: Money) -> PromotionEvaluation:
    message = f"{money_text(missing)} more for {promotion.label}."
    reason = PromotionReason.AMOUNT_TOO_SMALL
    return PromotionEvaluation(promotion.id, reason, message, missing_amount=missing)


def explain_excluded(promotion: PromotionRule, by: Sequence[PromotionRule]) -> PromotionEvaluation:
    better = ", ".join(other.label for other in by) if promotion.stackable else "other promotions"
    message = f"{promotion.label} cannot be combined with {better}."
    because_of = tuple(other.id for other in by)
    return PromotionEvaluation(promotion.id, PromotionReason.EXCLUDED, message, because_of=because_of)
