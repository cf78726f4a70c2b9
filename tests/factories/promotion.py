"""Promotions, in one line each."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models import CurrencyCode, Promotion, PromotionKind, PromotionScopeKind, Variant
from tests.factories.cart import NOW

NUMBERS = count(1)


async def create_promotion(session: AsyncSession, kind: PromotionKind, **given: Any) -> Promotion:
    """An automatic promotion for all items, without limits, unless `given` says otherwise."""
    promotion = Promotion(
        **{
            "kind": kind,
            "title": f"Promotion {next(NUMBERS)}",
            "tiers": [],
            "repeating": False,
            "scope": PromotionScopeKind.ALL,
            "scope_ids": [],
            "scope_brands": [],
            "currency": CurrencyCode.CNY,
            "minimum_amount": 0,
            "minimum_quantity": 0,
            "used": 0,
            "sold": 0,
            "priority": 0,
            "stackable": True,
            "exclusion_groups": [],
            "translations": {},
            "version": 1,
            "created_at": NOW,
        }
        | given
    )
    session.add(promotion)
    await session.flush()
    return promotion


async def create_percent(session: AsyncSession, percent: int = 10, **given: Any) -> Promotion:
    return await create_promotion(session, PromotionKind.PERCENT, percent=percent, **given)


async def create_full_reduction(session: AsyncSession, *steps: tuple[int, int], **given: Any) -> Promotion:
    """A 满减 of (minimum, amount) tiers in minor units."""
    tiers = [{"minimum": minimum, "amount": amount} for minimum, amount in steps]
    return await create_promotion(session, PromotionKind.FULL_REDUCTION, tiers=tiers, **given)


async def create_flash_sale(
    session: AsyncSession,
    variant: Variant,
    *,
    price: int,
    share: int,
    per_buyer: int | None = None,
    ends_at: datetime = NOW + timedelta(days=365),
    **given: Any,
) -> Promotion:
    return await create_promotion(
        session,
        PromotionKind.FLASH_SALE,
        variant_id=variant.id,
        amount=price,
        share=share,
        share_per_buyer=per_buyer,
        ends_at=ends_at,
        **given,
    )
