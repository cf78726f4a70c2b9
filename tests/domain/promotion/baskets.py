"""Baskets and offers, made in a line."""

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.promotion import Basket, BasketLine, BuyerFacts, Offer, Priced, Scope, Verdict, price_basket
from domain.promotion.offers import Terms
from models import CurrencyCode, Money, ScopeKind

CNY = CurrencyCode.CNY
NOW = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
NOBODY = BuyerFacts()
TEA = Scope(ScopeKind.CATEGORIES, ids=frozenset({7}))
FIRST = Scope(ScopeKind.VARIANTS, ids=frozenset({1}))


def line(
    variant: int, price: int, quantity: int = 1, *, categories: Sequence[int] = (), brand: str = ""
) -> BasketLine:
    """Prices in fen; two variants make a product."""
    unit = Money(price, CNY)
    return BasketLine(variant, variant // 2, quantity, unit, frozenset(categories), brand)


def basket(*lines: BasketLine, fees: Sequence[int] = ()) -> Basket:
    return Basket(lines, tuple(Money(fee, CNY) for fee in fees), CNY)


def offer(
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
) -> Offer:
    return Offer(
        id=id,
        title=f"Offer {id}",
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


def price(goods: Basket, *offers: Offer, buyer: BuyerFacts = NOBODY) -> Priced:
    return price_basket(goods, offers, buyer, now=NOW)


def discounts(priced: Priced) -> list[int]:
    return [each.discount.minor for each in priced.lines]


def taken(priced: Priced) -> dict[int, int]:
    return {each.offer_id: each.amount.minor for each in priced.applied}


def verdict(priced: Priced, id: int) -> Verdict:
    [found] = [each for each in priced.verdicts if each.offer_id == id]
    return found
