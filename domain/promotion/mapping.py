"""Stored rows as the data the engine takes: promotions as rules, category paths as ids."""

from domain.promotion.engine import (
    BuyGet,
    Fixed,
    FlashPrice,
    FreeShipping,
    FullReduction,
    Percent,
    PromotionRule,
    Scope,
    Tier,
)
from domain.promotion.engine.rules import Terms
from models import Promotion, PromotionKind, PromotionScopeKind


def category_ids_in(path: str | None) -> frozenset[int]:
    """The ids of a category and all its ancestors, from `Category.path`; empty without a category."""
    return frozenset(int(part) for part in (path or "").strip("/").split("/") if part)


def rule_of(row: Promotion) -> PromotionRule:
    return PromotionRule(
        id=row.id,
        title=row.title,
        terms=terms_of(row),
        code=row.code,
        scope=scope_of(row),
        currency=row.currency,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        minimum_amount=row.minimum_amount,
        minimum_quantity=row.minimum_quantity,
        cap=row.cap_amount,
        usage_limit=row.usage_limit,
        used=row.used,
        usage_limit_per_buyer=row.usage_limit_per_buyer,
        priority=row.priority,
        stackable=row.stackable,
        exclusion_groups=frozenset(row.exclusion_groups),
        translations={tag: texts["title"] for tag, texts in row.translations.items() if "title" in texts},
    )


def terms_of(row: Promotion) -> Terms:
    match row.kind:
        case PromotionKind.PERCENT:
            return Percent(row.percent or 0)
        case PromotionKind.FIXED:
            return Fixed(row.amount or 0)
        case PromotionKind.FULL_REDUCTION:
            return FullReduction(tuple(Tier(**tier) for tier in row.tiers), row.repeating)
        case PromotionKind.BUY_N_GET_M:
            return BuyGet(row.buy or 0, row.get or 0)
        case PromotionKind.FREE_SHIPPING:
            return FreeShipping()
        case PromotionKind.FLASH_SALE:
            return FlashPrice(row.amount or 0, row.left or 0, row.share_per_buyer)


def scope_of(row: Promotion) -> Scope:
    """Its scope; for a flash sale its one variant."""
    if row.variant_id is not None:
        return Scope(PromotionScopeKind.VARIANTS, frozenset({row.variant_id}))
    return Scope(row.scope, frozenset(row.scope_ids), frozenset(row.scope_brands))
