"""Pricing a basket with the shop's promotions, and what became of each promotion and code."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import NotFound
from domain.promotion.active import ActivePromotions
from domain.promotion.engine import (
    Basket,
    PricedBasket,
    PromotionEvaluation,
    PromotionReason,
    PromotionRule,
    price_basket,
)
from domain.promotion.use_request import PromotionUseRequest
from models import Money, Promotion, Translations
from text.messages import Message

USABLE_REASONS = {
    PromotionReason.APPLIED,
    PromotionReason.EXCLUDED,
    PromotionReason.NOT_CHEAPER,
    PromotionReason.NOTHING_LEFT,
    PromotionReason.NO_DELIVERY_YET,
}
"""With these reasons a code does not hinder an order: it applies, or something better does."""

UNKNOWN_COUPON = NotFound("coupon").message


@dataclass(frozen=True, slots=True)
class EvaluatedPromotion:
    """A promotion that was considered, and why it does or does not apply."""

    promotion: Promotion
    evaluation: PromotionEvaluation
    amount: Money | None
    """What it takes off; None when it does not apply."""
    because_of: Sequence[Promotion]
    """The promotions that exclude it and save more."""

    @property
    def title(self) -> str:
        return self.promotion.title

    @property
    def code(self) -> str | None:
        return self.promotion.code

    @property
    def translations(self) -> Translations:
        return self.promotion.translations

    @property
    def applied(self) -> bool:
        return self.evaluation.applied

    @property
    def reason(self) -> PromotionReason:
        return self.evaluation.reason

    @property
    def message(self) -> Message:
        return self.evaluation.message

    @property
    def missing_amount(self) -> Money | None:
        return self.evaluation.missing_amount

    @property
    def missing_quantity(self) -> int | None:
        return self.evaluation.missing_quantity


@dataclass(frozen=True, slots=True)
class PricingResult:
    """A priced basket, the promotions that were considered, by id, and the codes that were given."""

    priced: PricedBasket
    rules: Mapping[int, PromotionRule]
    rows: Mapping[int, Promotion]
    codes: Sequence[str]

    @property
    def subtotal(self) -> Money:
        return self.priced.subtotal

    @property
    def discount(self) -> Money:
        return self.priced.discount

    @property
    def shipping(self) -> Money:
        return self.priced.shipping

    @property
    def total(self) -> Money:
        return self.priced.total

    @property
    def evaluated(self) -> list[EvaluatedPromotion]:
        """Every promotion considered; those that apply first, in their order of application."""
        amounts = {each.promotion_id: each.amount for each in self.priced.applied}
        ranks = {promotion_id: rank for rank, promotion_id in enumerate(amounts)}
        evaluations = sorted(
            self.priced.evaluations, key=lambda each: ranks.get(each.promotion_id, len(ranks))
        )
        return [
            EvaluatedPromotion(
                promotion=self.rows[each.promotion_id],
                evaluation=each,
                amount=amounts.get(each.promotion_id),
                because_of=[self.rows[other] for other in each.because_of],
            )
            for each in evaluations
        ]

    def refused_codes(self) -> Iterator[tuple[int, Message]]:
        """The index of each code that cannot be used now, and the message why."""
        by_code = {self.rules[each.promotion_id].code: each for each in self.priced.evaluations}
        for index, code in enumerate(self.codes):
            evaluation = by_code.get(code)
            if evaluation is None:
                yield index, UNKNOWN_COUPON
            elif evaluation.reason not in USABLE_REASONS:
                yield index, evaluation.message

    @property
    def rules_in_force(self) -> list[PromotionRule]:
        """The rules that have started and not ended, whether they apply or not."""
        out_of_time = {PromotionReason.NOT_STARTED, PromotionReason.ENDED}
        return [
            self.rules[each.promotion_id]
            for each in self.priced.evaluations
            if each.reason not in out_of_time
        ]

    def use_requests(self, *, order_id: int, account_id: int) -> list[PromotionUseRequest]:
        """The uses of promotions that an order at this price is to record."""
        return [
            PromotionUseRequest(
                order_id=order_id,
                account_id=account_id,
                promotion=self.rules[each.promotion_id],
                position=position,
                amount=each.amount,
                flash_units=each.flash_units,
            )
            for position, each in enumerate(self.priced.applied, start=1)
        ]

    @property
    def in_flash_sale(self) -> bool:
        """Whether any unit is bought at a flash sale's price."""
        return any(each.flash_units for each in self.priced.applied)


def price_with_promotions(
    basket: Basket,
    promotions: ActivePromotions,
    *,
    codes: Collection[str],
    account_id: int | None,
    now: datetime,
) -> PricingResult:
    """The lowest price the promotions legally allow; `codes` are normalized (`normalize_code`)."""
    rules = promotions.select_for(
        currency=basket.currency, codes=codes, variant_ids={line.variant_id for line in basket.lines}
    )
    return PricingResult(
        priced=price_basket(basket, rules, promotions.buyer_facts(account_id), now=now),
        rules={rule.id: rule for rule in rules},
        rows=promotions.rows,
        codes=tuple(codes),
    )
