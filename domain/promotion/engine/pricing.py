"""Prices a basket with the given promotions for a buyer, at the lowest legal total."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.promotion.engine.basket import Basket, BuyerFacts
from domain.promotion.engine.candidates import Candidate, match_promotion
from domain.promotion.engine.combination import best_combination
from domain.promotion.engine.deduction import (
    BasketState,
    Deduction,
    amount_missing,
    apply_promotion,
    apply_promotions,
    undiscounted_state,
)
from domain.promotion.engine.evaluation import (
    PromotionEvaluation,
    PromotionReason,
    explain_applied,
    explain_excluded,
    explain_missing_amount,
    explain_reason,
)
from domain.promotion.engine.priced_basket import (
    AppliedPromotion,
    Discount,
    PricedBasket,
    PricedDelivery,
    PricedLine,
)
from domain.promotion.engine.rules import PromotionRule, PromotionStage
from models import Money


def price_basket(
    basket: Basket, promotions: Sequence[PromotionRule], buyer: BuyerFacts, *, now: datetime
) -> PricedBasket:
    """The lowest total the promotions legally allow, line by line, and an evaluation of every promotion.

    The order of `promotions` makes no difference; their ids must be unique.
    """
    start = undiscounted_state(basket)
    in_order = sorted(promotions, key=lambda promotion: promotion.application_order)
    matches = [match_promotion(promotion, basket, buyer, now=now) for promotion in in_order]
    candidates = [each for each in matches if isinstance(each, Candidate) and not amount_missing(each, start)]
    best = best_combination(candidates, start)
    outcome = PricingOutcome(best.members, *apply_promotions(best.members, start))
    return PricedBasket(
        currency=basket.currency,
        lines=price_lines(basket, outcome.deductions),
        deliveries=price_deliveries(basket, outcome.deductions),
        applied=tuple(applied_promotion_of(deduction, basket) for deduction in outcome.deductions),
        evaluations=tuple(
            each if isinstance(each, PromotionEvaluation) else evaluate_candidate(each, outcome, basket)
            for each in matches
        ),
        exact=best.exact,
    )


@dataclass(frozen=True, slots=True)
class PricingOutcome:
    """The promotions that apply, in their order of application."""

    members: Sequence[Candidate]
    states: Sequence[BasketState]
    """The state before each of them, and the last one."""
    deductions: Sequence[Deduction]


def evaluate_candidate(candidate: Candidate, outcome: PricingOutcome, basket: Basket) -> PromotionEvaluation:
    """Why a candidate applies or not."""
    promotion = candidate.promotion
    if candidate in outcome.members:
        saved = outcome.deductions[outcome.members.index(candidate)].total
        return explain_applied(promotion, Money(saved, basket.currency))
    rivals = [other.promotion for other in outcome.members if candidate.excludes(other)]
    # One that may not apply beside the others is evaluated as if it were the only one.
    earlier = 0
    if not rivals:
        order = promotion.application_order
        earlier = sum(other.promotion.application_order < order for other in outcome.members)
    before = outcome.states[earlier]
    if missing := amount_missing(candidate, before):
        return explain_missing_amount(promotion, Money(missing, basket.currency))
    if candidate.stage is PromotionStage.SHIPPING and not basket.fees:
        return explain_reason(promotion, PromotionReason.NO_DELIVERY_YET)
    if not apply_promotion(candidate, before):
        return explain_reason(promotion, PromotionReason.NOTHING_LEFT)
    if rivals:
        return explain_excluded(promotion, rivals)
    return explain_reason(promotion, PromotionReason.NOT_CHEAPER)


def price_lines(basket: Basket, deductions: Sequence[Deduction]) -> tuple[PricedLine, ...]:
    """The lines of the basket with what each promotion takes off them."""
    discounts: list[list[Discount]] = [[] for _ in basket.lines]
    for deduction in deductions:
        if deduction.candidate.stage is not PromotionStage.SHIPPING:
            add_discounts(deduction, deduction.candidate.line_indexes, discounts, basket)
    return tuple(
        PricedLine(line.variant_id, line.quantity, line.unit_price, tuple(own))
        for line, own in zip(basket.lines, discounts, strict=True)
    )


def price_deliveries(basket: Basket, deductions: Sequence[Deduction]) -> tuple[PricedDelivery, ...]:
    """The fees of the basket with what each promotion takes off them."""
    discounts: list[list[Discount]] = [[] for _ in basket.fees]
    for deduction in deductions:
        if deduction.candidate.stage is PromotionStage.SHIPPING:
            add_discounts(deduction, range(len(basket.fees)), discounts, basket)
    return tuple(PricedDelivery(fee, tuple(own)) for fee, own in zip(basket.fees, discounts, strict=True))


def add_discounts(
    deduction: Deduction, indexes: Sequence[int], discounts: list[list[Discount]], basket: Basket
) -> None:
    """Append the amounts of a deduction to the discounts at the given indexes, in place."""
    promotion_id = deduction.candidate.promotion.id
    for index, amount in zip(indexes, deduction.amounts, strict=True):
        if amount:
            discounts[index].append(Discount(promotion_id, Money(amount, basket.currency)))


def applied_promotion_of(deduction: Deduction, basket: Basket) -> AppliedPromotion:
    promotion = deduction.candidate.promotion
    return AppliedPromotion(
        promotion_id=promotion.id,
        title=promotion.title,
        code=promotion.code,
        amount=Money(deduction.total, basket.currency),
        flash_units=sum(deduction.flash_units),
    )
