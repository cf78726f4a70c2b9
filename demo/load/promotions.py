"""Loading promotions of every kind: coupons, automatic ones and a running flash sale."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content, PromotionContent
from domain.promotion import PromotionDraft, save_promotion
from events.shop import Shop
from models import Category, CurrencyCode, PromotionScopeKind, Variant


async def load_promotions(shop: Shop, content: Content) -> None:
    async with shop.database.writes.begin() as session:
        categories = await load_ids(session, Category.slug, Category.id)
        variants = await load_ids(session, Variant.sku, Variant.id)
        for promotion in content.promotions:
            draft = draft_of(promotion, shop, categories, variants)
            await save_promotion(session, draft, expected=None, now=shop.clock())


async def load_ids(session: AsyncSession, key: Any, id_column: Any) -> Mapping[str, int]:
    """Return the ids of all rows, by `key`."""
    return dict((await session.execute(select(key, id_column))).all())


def draft_of(
    promotion: PromotionContent, shop: Shop, categories: Mapping[str, int], variants: Mapping[str, int]
) -> PromotionDraft:
    return PromotionDraft(
        code=promotion.code,
        title=promotion.title,
        kind=promotion.kind,
        percent=promotion.percent,
        amount=promotion.amount.minor if promotion.amount else None,
        tiers=[{"minimum": tier.minimum.minor, "amount": tier.amount.minor} for tier in promotion.tiers],
        buy=promotion.buy,
        get=promotion.get,
        variant_id=variants[promotion.sku] if promotion.sku else None,
        share=promotion.share,
        share_per_buyer=promotion.per_buyer,
        scope=PromotionScopeKind.CATEGORIES if promotion.category else PromotionScopeKind.ALL,
        scope_ids=[categories[promotion.category]] if promotion.category else [],
        currency=CurrencyCode.CNY,
        minimum_amount=promotion.minimum.minor if promotion.minimum else 0,
        cap_amount=promotion.cap.minor if promotion.cap else None,
        ends_at=shop.clock() + timedelta(days=promotion.days),
        usage_limit=promotion.usage_limit,
        usage_limit_per_buyer=promotion.per_customer,
        exclusion_groups=promotion.groups,
        translations={"en": {"title": promotion.en}},
    )
