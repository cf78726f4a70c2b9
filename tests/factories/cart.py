"""Carts and coupons."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import CartOwner, add_to_cart, open_cart
from domain.cause import Cause
from models import Account, Cart, CurrencyCode, Promotion, PromotionKind, PromotionScopeKind, Variant

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NUMBERS = count(1)


async def create_cart(
    session: AsyncSession,
    owner: Account | None = None,
    *,
    token_hash: str | None = None,
    lines: Mapping[Variant, int] | None = None,
    currency: CurrencyCode = CurrencyCode.CNY,
    now: datetime = NOW,
) -> Cart:
    """A customer's cart, or a guest's; `lines` are quantities by variant."""
    cart = await open_cart(
        session,
        CartOwner(owner.id if owner else None, token_hash),
        new_token_hashes=[token_hash or f"token-{next(NUMBERS)}"],
        currency=currency,
        now=now,
    )
    for variant, quantity in (lines or {}).items():
        await add_to_cart(session, cart, variant_id=variant.id, quantity=quantity, cause=Cause(now))
    await session.flush()
    return cart


async def create_coupon(
    session: AsyncSession,
    *,
    code: str | None = None,
    title: str = "Spring sale",
    percent: int | None = None,
    amount: int | None = None,
    minimum_amount: int = 0,
    currency: CurrencyCode = CurrencyCode.CNY,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    usage_limit: int | None = None,
    usage_limit_per_buyer: int | None = None,
    used: int = 0,
) -> Promotion:
    """A coupon of ten percent, unless another percentage or an amount in minor units is given."""
    coupon = Promotion(
        code=code or f"SPRING{next(NUMBERS)}",
        title=title,
        kind=PromotionKind.FIXED if amount else PromotionKind.PERCENT,
        percent=None if amount else percent or 10,
        amount=amount,
        tiers=[],
        repeating=False,
        scope=PromotionScopeKind.ALL,
        scope_ids=[],
        scope_brands=[],
        minimum_amount=minimum_amount,
        minimum_quantity=0,
        currency=currency,
        starts_at=starts_at,
        ends_at=ends_at,
        usage_limit=usage_limit,
        usage_limit_per_buyer=usage_limit_per_buyer,
        used=used,
        sold=0,
        priority=0,
        stackable=True,
        exclusion_groups=["coupon"],
        translations={},
        version=1,
        created_at=NOW,
    )
    session.add(coupon)
    await session.flush()
    return coupon
