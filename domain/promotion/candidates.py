"""Which offers could give anything for a basket, before any of them is tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.promotion.basket import Basket, BasketLine, BuyerFacts
from domain.promotion.offers import BuyGet, FlashSale, Offer, Stage
from domain.promotion.verdicts import Reason, Verdict, plain, too_few


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An offer as it meets one basket."""

    offer: Offer
    stage: Stage
    places: tuple[int, ...]
    """Where its lines stand in the basket."""
    threshold: int
    groups: frozenset[str | tuple[Stage, int]]
    """Its exclusion groups, and a group for each variant whose single units it counts."""
    units: int
    """Units this buyer may have at its special price."""

    def excludes(self, other: "Candidate") -> bool:
        """Whether the two may not apply to one order."""
        alone = not (self.offer.stackable and other.offer.stackable)
        return alone or not self.groups.isdisjoint(other.groups)


def meet(offer: Offer, basket: Basket, buyer: BuyerFacts, *, now: datetime) -> Candidate | Verdict:
    """The offer ready to be tried, or why it is out of the question."""
    if reason := barred(offer, basket, buyer, now=now):
        return plain(offer, reason)
    places = tuple(place for place, line in enumerate(basket.lines) if offer.scope.covers(line))
    if not places:
        return plain(offer, Reason.OTHER_GOODS)
    lines = [basket.lines[place] for place in places]
    if (missing := units_missing(offer, lines)) > 0:
        return too_few(offer, missing)
    groups = offer.exclusion_groups | unit_groups(offer, lines)
    return Candidate(offer, offer.stage, places, offer.threshold, groups, flash_units(offer, buyer))


def barred(offer: Offer, basket: Basket, buyer: BuyerFacts, *, now: datetime) -> Reason | None:
    """What stands against an offer whatever the goods are."""
    if offer.starts_at and now < offer.starts_at:
        return Reason.NOT_STARTED
    if offer.ends_at and now >= offer.ends_at:
        return Reason.ENDED
    if offer.usage_limit is not None and offer.used >= offer.usage_limit:
        return Reason.USED_UP
    if isinstance(offer.terms, FlashSale) and not offer.terms.left:
        return Reason.USED_UP
    limit = offer.usage_limit_per_buyer
    if limit is not None and buyer.uses.get(offer.id, 0) >= limit:
        return Reason.BUYER_LIMIT_REACHED
    if isinstance(offer.terms, FlashSale) and flash_units(offer, buyer) <= 0:
        return Reason.BUYER_LIMIT_REACHED
    if offer.currency not in (None, basket.currency):
        return Reason.OTHER_CURRENCY
    return None


def units_missing(offer: Offer, lines: Sequence[BasketLine]) -> int:
    counted = sum(line.quantity for line in lines)
    if not isinstance(offer.terms, BuyGet):
        return offer.minimum_quantity - counted
    priced = sum(line.quantity for line in lines if line.unit)
    return max(offer.minimum_quantity - counted, offer.terms.buy + offer.terms.get - priced)


def flash_units(offer: Offer, buyer: BuyerFacts) -> int:
    terms = offer.terms
    if not isinstance(terms, FlashSale):
        return 0
    if terms.per_buyer is None:
        return terms.left
    return min(terms.left, terms.per_buyer - buyer.flash_units.get(offer.id, 0))


def unit_groups(offer: Offer, lines: Sequence[BasketLine]) -> frozenset[tuple[Stage, int]]:
    """A unit has one special price, and counts for one offer of free units."""
    if offer.stage not in (Stage.FLASH, Stage.UNITS):
        return frozenset()
    return frozenset((offer.stage, line.variant_id) for line in lines)
