"""Offers of every kind: coupons, what applies by itself, and a flash sale that is on now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.content import Content, OfferContent
from domain.offer import Draft, save_offer
from events.shop import Shop
from models import Category, CurrencyCode, ScopeKind, Variant


async def load_offers(shop: Shop, content: Content) -> None:
    async with shop.database.writes.begin() as session:
        categories = await numbers(session, Category.slug, Category.id)
        variants = await numbers(session, Variant.sku, Variant.id)
        for offer in content.offers:
            draft = draft_of(offer, shop, categories, variants)
            await save_offer(session, draft, known=None, now=shop.clock())


async def numbers(session: AsyncSession, name: Any, number: Any) -> Mapping[str, int]:
    return dict((await session.execute(select(name, number))).all())


def draft_of(
    offer: OfferContent, shop: Shop, categories: Mapping[str, int], variants: Mapping[str, int]
) -> Draft:
    return Draft(
        code=offer.code,
        title=offer.title,
        kind=offer.kind,
        percent=offer.percent,
        amount=offer.amount.minor if offer.amount else None,
        tiers=[{"minimum": tier.minimum.minor, "amount": tier.amount.minor} for tier in offer.tiers],
        buy=offer.buy,
        get=offer.get,
        variant_id=variants[offer.sku] if offer.sku else None,
        share=offer.share,
        share_per_buyer=offer.per_buyer,
        scope=ScopeKind.CATEGORIES if offer.category else ScopeKind.ALL,
        scope_ids=[categories[offer.category]] if offer.category else [],
        currency=CurrencyCode.CNY,
        minimum_amount=offer.minimum.minor if offer.minimum else 0,
        cap_amount=offer.cap.minor if offer.cap else None,
        ends_at=shop.clock() + timedelta(days=offer.days),
        usage_limit=offer.usage_limit,
        usage_limit_per_buyer=offer.per_customer,
        exclusion_groups=offer.groups,
        translations={"en": {"title": offer.en}},
    )
