"""A stored offer as the sums understand it."""

from collections.abc import Iterable
from unicodedata import normalize

from domain.promotion import (
    BuyGet,
    Fixed,
    FlashSale,
    FreeShipping,
    FullReduction,
    Offer,
    Percent,
    Scope,
    Tier,
)
from domain.promotion.offers import Terms
from models import Offer as Row
from models import OfferKind, ScopeKind


def code_of(text: str) -> str:
    """A code as it is stored: customers may type it in small letters, or in the wide ones of Chinese text."""
    return normalize("NFKC", text).strip().upper()


def codes_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Codes as they are stored, each once, in the order given."""
    return tuple(dict.fromkeys(code_of(text) for text in texts))


def category_ids(path: str | None) -> frozenset[int]:
    """A category and all above it, from its `path`; nothing for what is in none."""
    return frozenset(int(part) for part in (path or "").strip("/").split("/") if part)


def offer_of(row: Row) -> Offer:
    return Offer(
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
    )


def terms_of(row: Row) -> Terms:
    match row.kind:
        case OfferKind.PERCENT:
            return Percent(row.percent or 0)
        case OfferKind.FIXED:
            return Fixed(row.amount or 0)
        case OfferKind.FULL_REDUCTION:
            return FullReduction(tuple(Tier(**tier) for tier in row.tiers), row.repeating)
        case OfferKind.BUY_N_GET_M:
            return BuyGet(row.buy or 0, row.get or 0)
        case OfferKind.FREE_SHIPPING:
            return FreeShipping()
        case OfferKind.FLASH_SALE:
            return FlashSale(row.amount or 0, row.left or 0, row.share_per_buyer)


def scope_of(row: Row) -> Scope:
    if row.variant_id is not None:
        return Scope(ScopeKind.VARIANTS, frozenset({row.variant_id}))
    return Scope(row.scope, frozenset(row.scope_ids), frozenset(row.scope_brands))
