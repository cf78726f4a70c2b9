"""Why a promotion applies to a basket or does not, as a code for programs and a message for the customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.promotion.engine.rules import PromotionRule
from models import Money
from text.messages import Message


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
    message: Message
    missing_amount: Money | None = None
    missing_quantity: int | None = None
    because_of: tuple[int, ...] = ()
    """Ids of the promotions that exclude it."""

    @property
    def applied(self) -> bool:
        return self.reason is PromotionReason.APPLIED


MESSAGES = {
    PromotionReason.NOT_STARTED: lambda label: Message("{promotion} is not valid yet.", promotion=label),
    PromotionReason.ENDED: lambda label: Message("{promotion} has expired.", promotion=label),
    PromotionReason.USED_UP: lambda label: Message("{promotion} has been used up.", promotion=label),
    PromotionReason.BUYER_LIMIT_REACHED: lambda label: Message(
        "You have had {promotion} as often as one customer may.", promotion=label
    ),
    PromotionReason.ACCOUNT_REQUIRED: lambda label: Message("Sign in to have {promotion}.", promotion=label),
    PromotionReason.OTHER_CURRENCY: lambda label: Message(
        "{promotion} is for prices in another currency.", promotion=label
    ),
    PromotionReason.NO_ELIGIBLE_ITEMS: lambda label: Message(
        "{promotion} is for other goods.", promotion=label
    ),
    PromotionReason.NO_DELIVERY_YET: lambda label: Message(
        "{promotion} counts once you say where it goes.", promotion=label
    ),
    PromotionReason.NOTHING_LEFT: lambda label: Message(
        "There is nothing that {promotion} could reduce.", promotion=label
    ),
    PromotionReason.NOT_CHEAPER: lambda label: Message(
        "You do not pay less with {promotion}.", promotion=label
    ),
}
"""The messages that name nothing but the promotion."""


def explain_reason(promotion: PromotionRule, reason: PromotionReason) -> PromotionEvaluation:
    """An evaluation whose message needs no further facts."""
    return PromotionEvaluation(promotion.id, reason, MESSAGES[reason](promotion.label))


def explain_applied(promotion: PromotionRule, saved: Money) -> PromotionEvaluation:
    message = Message("{promotion} saves {amount}.", promotion=promotion.label, amount=saved)
    return PromotionEvaluation(promotion.id, PromotionReason.APPLIED, message)


def explain_missing_units(promotion: PromotionRule, missing: int) -> PromotionEvaluation:
    message = Message("{missing} more for {promotion}.", missing=missing, promotion=promotion.label)
    reason = PromotionReason.QUANTITY_TOO_SMALL
    return PromotionEvaluation(promotion.id, reason, message, missing_quantity=missing)


def explain_missing_amount(promotion: PromotionRule, missing: Money) -> PromotionEvaluation:
    message = Message("{amount} more for {promotion}.", amount=missing, promotion=promotion.label)
    reason = PromotionReason.AMOUNT_TOO_SMALL
    return PromotionEvaluation(promotion.id, reason, message, missing_amount=missing)


def explain_excluded(promotion: PromotionRule, by: Sequence[PromotionRule]) -> PromotionEvaluation:
    better = [other.label for other in by] if promotion.stackable else Message("other promotions")
    message = Message(
        "{promotion} cannot be combined with {better}.", promotion=promotion.label, better=better
    )
    because_of = tuple(other.id for other in by)
    return PromotionEvaluation(promotion.id, PromotionReason.EXCLUDED, message, because_of=because_of)
