"""Why an offer applies or does not, for programs and for the customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.money import words
from domain.promotion.offers import Offer
from models import Money


class Reason(StrEnum):
    """Why an offer applies or does not."""

    APPLIED = "APPLIED"
    """It is part of the best combination."""
    NOT_STARTED = "NOT_STARTED"
    """Its time has not come."""
    ENDED = "ENDED"
    """Its time is over."""
    USED_UP = "USED_UP"
    """Others have used it as often as it may be used, or bought its share."""
    BUYER_LIMIT_REACHED = "BUYER_LIMIT_REACHED"
    """This buyer has had as much of it as one buyer may."""
    OTHER_CURRENCY = "OTHER_CURRENCY"
    """Its amounts are in another currency than the prices."""
    OTHER_GOODS = "OTHER_GOODS"
    """None of its goods are there."""
    TOO_FEW = "TOO_FEW"
    """`missing_quantity` more of its goods are needed."""
    AMOUNT_TOO_SMALL = "AMOUNT_TOO_SMALL"
    """Its goods must cost `missing_amount` more after the offers that come before it."""
    EXCLUDED = "EXCLUDED"
    """It may not apply beside `because_of`, which are better."""
    AT_DELIVERY = "AT_DELIVERY"
    """It is about fees, which nobody knows before it is said where everything goes."""
    NOTHING_LEFT = "NOTHING_LEFT"
    """What it could reduce costs nothing any more, or less than it offers."""
    NOT_CHEAPER = "NOT_CHEAPER"
    """It would take something, but another offer would give less by as much or more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an offer that was considered."""

    offer_id: int
    reason: Reason
    words: str
    missing_amount: Money | None = None
    missing_quantity: int | None = None
    because_of: tuple[int, ...] = ()

    @property
    def applied(self) -> bool:
        return self.reason is Reason.APPLIED


PLAIN = {
    Reason.NOT_STARTED: "{} is not valid yet.",
    Reason.ENDED: "{} has expired.",
    Reason.USED_UP: "{} has been used up.",
    Reason.BUYER_LIMIT_REACHED: "You have had {} as often as one customer may.",
    Reason.OTHER_CURRENCY: "{} is for prices in another currency.",
    Reason.OTHER_GOODS: "{} is for other goods.",
    Reason.AT_DELIVERY: "{} counts once you say where it goes.",
    Reason.NOTHING_LEFT: "There is nothing that {} could reduce.",
    Reason.NOT_CHEAPER: "You do not pay less with {}.",
}


def plain(offer: Offer, reason: Reason) -> Verdict:
    return Verdict(offer.id, reason, PLAIN[reason].format(offer.label))


def applied(offer: Offer, saved: Money) -> Verdict:
    return Verdict(offer.id, Reason.APPLIED, f"{offer.label} saves {words(saved)}.")


def too_few(offer: Offer, missing: int) -> Verdict:
    sentence = f"{missing} more for {offer.label}."
    return Verdict(offer.id, Reason.TOO_FEW, sentence, missing_quantity=missing)


def amount_too_small(offer: Offer, missing: Money) -> Verdict:
    sentence = f"{words(missing)} more for {offer.label}."
    return Verdict(offer.id, Reason.AMOUNT_TOO_SMALL, sentence, missing_amount=missing)


def excluded(offer: Offer, by: Sequence[Offer]) -> Verdict:
    better = ", ".join(other.label for other in by) if offer.stackable else "other offers"
    sentence = f"{offer.label} cannot be combined with {better}."
    return Verdict(offer.id, Reason.EXCLUDED, sentence, because_of=tuple(other.id for other in by))
