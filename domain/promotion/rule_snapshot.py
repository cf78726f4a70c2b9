"""The rules of promotions as an order keeps them: an edit applies those of the day it was placed."""

from collections.abc import Mapping
from dataclasses import asdict, replace

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
from models import CurrencyCode, PromotionKind, PromotionScopeKind
from models.base import JsonObject

TERMS_BY_KIND: Mapping[PromotionKind, type[Terms]] = {
    PromotionKind.PERCENT: Percent,
    PromotionKind.FIXED: Fixed,
    PromotionKind.BUY_N_GET_M: BuyGet,
    PromotionKind.FREE_SHIPPING: FreeShipping,
    PromotionKind.FLASH_SALE: FlashPrice,
}


def dump_rule(rule: PromotionRule) -> JsonObject:
    """What an order keeps of a rule: its terms and conditions, without its time and what was used of it."""
    return {
        "id": rule.id,
        "title": rule.title,
        "kind": rule.kind.value,
        "terms": asdict(rule.terms),
        "code": rule.code,
        "scope": rule.scope.kind.value,
        "scope_ids": sorted(rule.scope.ids),
        "scope_brands": sorted(rule.scope.brands),
        "currency": rule.currency.value if rule.currency else None,
        "minimum_amount": rule.minimum_amount,
        "minimum_quantity": rule.minimum_quantity,
        "cap": rule.cap,
        "usage_limit": rule.usage_limit,
        "usage_limit_per_buyer": rule.usage_limit_per_buyer,
        "priority": rule.priority,
        "stackable": rule.stackable,
        "exclusion_groups": sorted(rule.exclusion_groups),
        "translations": dict(rule.translations),
    }


def load_rule(kept: JsonObject) -> PromotionRule:
    """The rule that `dump_rule` wrote; nothing of it counts as used."""
    return PromotionRule(
        id=kept["id"],
        title=kept["title"],
        terms=load_terms(PromotionKind(kept["kind"]), kept["terms"]),
        code=kept["code"],
        scope=Scope(
            PromotionScopeKind(kept["scope"]), frozenset(kept["scope_ids"]), frozenset(kept["scope_brands"])
        ),
        currency=CurrencyCode(kept["currency"]) if kept["currency"] else None,
        minimum_amount=kept["minimum_amount"],
        minimum_quantity=kept["minimum_quantity"],
        cap=kept["cap"],
        usage_limit=kept["usage_limit"],
        usage_limit_per_buyer=kept["usage_limit_per_buyer"],
        priority=kept["priority"],
        stackable=kept["stackable"],
        exclusion_groups=frozenset(kept["exclusion_groups"]),
        translations=kept.get("translations", {}),
    )


def load_terms(kind: PromotionKind, kept: JsonObject) -> Terms:
    if kind is PromotionKind.FULL_REDUCTION:
        return FullReduction(tuple(Tier(**tier) for tier in kept["tiers"]), kept["repeating"])
    return TERMS_BY_KIND[kind](**kept)


def count_used(rule: PromotionRule, *, used: int, flash_units_left: int) -> PromotionRule:
    """The rule with what others have used of it."""
    terms = rule.terms
    if isinstance(terms, FlashPrice):
        terms = replace(terms, left=flash_units_left)
    return replace(rule, used=used, terms=terms)
