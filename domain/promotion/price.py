"""A basket, the shop's offers and a buyer, brought to a price."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.promotion.apply import Cut, State, apply, apply_all, shortfall, undiscounted
from domain.promotion.basket import Basket, BuyerFacts
from domain.promotion.candidates import Candidate, meet
from domain.promotion.combine import best_combination
from domain.promotion.offers import Offer, Stage
from domain.promotion.priced import AppliedOffer, Discount, Priced, PricedDelivery, PricedLine
from domain.promotion.verdicts import Reason, Verdict, amount_too_small, applied, excluded, plain
from models import Money


def price_basket(basket: Basket, offers: Sequence[Offer], buyer: BuyerFacts, *, now: datetime) -> Priced:
    """The lowest total the offers legally allow, line by line, and a verdict on every offer.

    The order of `offers` makes no difference; ids are unique.
    """
    start = undiscounted(basket)
    met = [meet(offer, basket, buyer, now=now) for offer in sorted(offers, key=lambda offer: offer.turn)]
    candidates = [each for each in met if isinstance(each, Candidate) and not shortfall(each, start)]
    best = best_combination(candidates, start)
    outcome = Outcome(best.members, *apply_all(best.members, start))
    return Priced(
        currency=basket.currency,
        lines=priced_lines(basket, outcome.cuts),
        deliveries=priced_deliveries(basket, outcome.cuts),
        applied=tuple(applied_offer(cut, basket) for cut in outcome.cuts),
        verdicts=tuple(each if isinstance(each, Verdict) else judge(each, outcome, basket) for each in met),
        exact=best.exact,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The offers that apply, one after the other."""

    members: Sequence[Candidate]
    states: Sequence[State]
    """Before each of them, and the last one."""
    cuts: Sequence[Cut]


def judge(candidate: Candidate, outcome: Outcome, basket: Basket) -> Verdict:
    """Why a candidate applies or not."""
    offer = candidate.offer
    if candidate in outcome.members:
        return applied(offer, Money(outcome.cuts[outcome.members.index(candidate)].amount, basket.currency))
    rivals = [other.offer for other in outcome.members if candidate.excludes(other)]
    # What may not stand beside the others is judged as if it were alone.
    earlier = 0 if rivals else sum(other.offer.turn < offer.turn for other in outcome.members)
    before = outcome.states[earlier]
    if missing := shortfall(candidate, before):
        return amount_too_small(offer, Money(missing, basket.currency))
    if candidate.stage is Stage.SHIPPING and not basket.fees:
        return plain(offer, Reason.AT_DELIVERY)
    if not apply(candidate, before):
        return plain(offer, Reason.NOTHING_LEFT)
    return excluded(offer, rivals) if rivals else plain(offer, Reason.NOT_CHEAPER)


def priced_lines(basket: Basket, cuts: Sequence[Cut]) -> tuple[PricedLine, ...]:
    discounts: list[list[Discount]] = [[] for _ in basket.lines]
    for cut in cuts:
        if cut.candidate.stage is not Stage.SHIPPING:
            share(cut, cut.candidate.places, discounts, basket)
    return tuple(
        PricedLine(line.variant_id, line.quantity, line.unit, tuple(own))
        for line, own in zip(basket.lines, discounts, strict=True)
    )


def priced_deliveries(basket: Basket, cuts: Sequence[Cut]) -> tuple[PricedDelivery, ...]:
    discounts: list[list[Discount]] = [[] for _ in basket.fees]
    for cut in cuts:
        if cut.candidate.stage is Stage.SHIPPING:
            share(cut, range(len(basket.fees)), discounts, basket)
    return tuple(PricedDelivery(fee, tuple(own)) for fee, own in zip(basket.fees, discounts, strict=True))


def share(cut: Cut, places: Sequence[int], discounts: list[list[Discount]], basket: Basket) -> None:
    for place, part in zip(places, cut.parts, strict=True):
        if part:
            discounts[place].append(Discount(cut.candidate.offer.id, Money(part, basket.currency)))


def applied_offer(cut: Cut, basket: Basket) -> AppliedOffer:
    offer = cut.candidate.offer
    return AppliedOffer(
        offer.id, offer.title, offer.code, Money(cut.amount, basket.currency), sum(cut.special_units)
    )
