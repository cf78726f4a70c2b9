"""Offers, in one line."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models import CurrencyCode, Offer, OfferKind, ScopeKind, Variant
from tests.factories.cart import NOW

NUMBERS = count(1)


async def create_offer(session: AsyncSession, kind: OfferKind, **given: Any) -> Offer:
    """An offer for everything that applies by itself, without limits, unless told."""
    offer = Offer(
        **{
            "kind": kind,
            "title": f"Offer {next(NUMBERS)}",
            "tiers": [],
            "repeating": False,
            "scope": ScopeKind.ALL,
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
    session.add(offer)
    await session.flush()
    return offer


async def percent(session: AsyncSession, percent: int = 10, **given: Any) -> Offer:
    return await create_offer(session, OfferKind.PERCENT, percent=percent, **given)


async def full_reduction(session: AsyncSession, *steps: tuple[int, int], **given: Any) -> Offer:
    """满减: minor units off from minor units on."""
    tiers = [{"minimum": minimum, "amount": amount} for minimum, amount in steps]
    return await create_offer(session, OfferKind.FULL_REDUCTION, tiers=tiers, **given)


async def free_shipping(session: AsyncSession, **given: Any) -> Offer:
    return await create_offer(session, OfferKind.FREE_SHIPPING, **given)


async def buy_get(session: AsyncSession, buy: int, get: int, **given: Any) -> Offer:
    return await create_offer(session, OfferKind.BUY_N_GET_M, buy=buy, get=get, **given)


async def flash_sale(
    session: AsyncSession,
    variant: Variant,
    *,
    price: int,
    share: int,
    per_buyer: int | None = None,
    ends_at: datetime = NOW + timedelta(days=365),
    **given: Any,
) -> Offer:
    return await create_offer(
        session,
        OfferKind.FLASH_SALE,
        variant_id=variant.id,
        amount=price,
        share=share,
        share_per_buyer=per_buyer,
        ends_at=ends_at,
        **given,
    )
