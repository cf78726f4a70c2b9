"""Baskets, promotions and their results, in one line."""

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.promotion.engine import (
    Basket,
    BasketLine,
    BuyerFacts,
    PricedBasket,
    PromotionEvaluation,
    PromotionRule,
    Scope,
    price_basket,
)
from domain.promotion.engine.rules import Terms
from models import CurrencyCode, Money, PromotionScopeKind

CNY = CurrencyCode.CNY
NOW = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
UNKNOWN_BUYER = BuyerFacts()
TEA = Scope(PromotionScopeKind.CATEGORIES, ids=frozenset({7}))
FIRST_VARIANT = Scope(PromotionScopeKind.VARIANTS, ids=frozenset({1}))


def line(
    variant: int, price: int, quantity: int = 1, *, categories: Sequence[int] = (), brand: str = ""
) -> BasketLine:
    """Prices in fen; two variants make a product."""
    unit_price = Money(price, CNY)
    return BasketLine(variant, variant // 2, quantity, unit_price, frozenset(categories), brand)


def basket(*lines: BasketLine, fees: Sequence[int] = ()) -> Basket:
    return Basket(lines, tuple(Money(fee, CNY) for fee in fees), CNY)


def promotion(
    terms: Terms,
    *,
    id: int = 1,
    scope: Scope | None = None,
    code: str | None = None,
    minimum: int = 0,
    cap: int | None = None,
    group: str | None = None,
    stackable: bool = True,
    priority: int = 0,
) -> PromotionRule:
    return PromotionRule(
        id=id,
        title=f"Promotion {id}",
        terms=terms,
        scope=scope or Scope(),
        code=code,
        currency=CNY,
        minimum_amount=minimum,
        cap=cap,
        exclusion_groups=frozenset({group} if group else ()),
        stackable=stackable,
        priority=priority,
    )


def price(items: Basket, *promotions: PromotionRule, buyer: BuyerFacts = UNKNOWN_BUYER) -> PricedBasket:
    return price_basket(items, promotions, buyer, now=NOW)


def discounts_of(priced: PricedBasket) -> list[int]:
    return [each.discount.minor for each in priced.lines]


def amounts_of(priced: PricedBasket) -> dict[int, int]:
    return {each.promotion_id: each.amount.minor for each in priced.applied}


def evaluation_of(priced: PricedBasket, id: int) -> PromotionEvaluation:
    [evaluation] = [each for each in priced.evaluations if each.promotion_id == id]
    return evaluation
