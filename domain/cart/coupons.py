"""Applying coupons to a cart and removing them."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.limits import COUPONS_LIMIT
from domain.cart.owner import record_change
from domain.cart.pricing import price_cart
from domain.cause import Cause
from domain.errors import LimitReached
from domain.promotion import CouponRefused, normalize_code
from domain.promotion.engine import PromotionReason
from models import Cart


async def apply_coupon(session: AsyncSession, cart: Cart, *, code: str, cause: Cause) -> None:
    """Add a coupon to a locked cart; CouponRefused when it would not lower the price.

    It replaces a coupon that may not be combined with it and takes less.
    """
    new = normalize_code(code)
    codes = [*(other for other in cart.coupon_codes if other != new), new]
    pricing = await price_cart(session, cart, codes=codes, now=cause.now)
    if refusal := next((message for place, message in pricing.refused_codes() if codes[place] == new), None):
        raise CouponRefused(refusal, field=("code",))
    reasons = {each.code: each.reason for each in pricing.evaluated if each.code}
    if reasons[new] not in (PromotionReason.APPLIED, PromotionReason.NO_DELIVERY_YET):
        message = next(each.message for each in pricing.evaluated if each.code == new)
        raise CouponRefused(message, field=("code",))
    kept = [other for other in codes if reasons.get(other) is not PromotionReason.EXCLUDED]
    if len(kept) > COUPONS_LIMIT:
        raise LimitReached("A cart holds at most {limit} coupons.", limit=COUPONS_LIMIT, field=("code",))
    cart.coupon_codes = kept
    record_change(session, cart, cause=cause)


async def remove_coupon(session: AsyncSession, cart: Cart, *, code: str | None = None, cause: Cause) -> None:
    """Remove a coupon from a locked cart, or all of them without a `code`."""
    kept = [] if code is None else [other for other in cart.coupon_codes if other != normalize_code(code)]
    if kept == cart.coupon_codes:
        return
    cart.coupon_codes = kept
    record_change(session, cart, cause=cause)
