"""Coupons of a cart, and what it comes to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.goods import items_in
from domain.cart.limits import COUPONS_LIMIT
from domain.cart.owner import changed
from domain.errors import LimitReached
from domain.offer import CouponRefused, Pricing, code_of, offers_for, price
from domain.promotion import Basket, Reason
from models import Cart


async def apply_coupon(
    session: AsyncSession, cart: Cart, *, code: str, now: datetime, by: int | None = None
) -> None:
    """Use a coupon, too, when this cart is ordered: it must do something beside the others.

    One on the cart that may not be combined with it, and takes less, makes room for it.
    """
    new = code_of(code)
    codes = [*(other for other in cart.coupon_codes if other != new), new]
    pricing = await price_cart(session, cart, codes=codes, now=now)
    if refusal := next((words for place, words in pricing.refused() if codes[place] == new), None):
        raise CouponRefused(refusal, field=("code",))
    reasons = {each.code: each.reason for each in pricing.judged if each.code}
    if reasons[new] not in (Reason.APPLIED, Reason.AT_DELIVERY):
        words = next(each.words for each in pricing.judged if each.code == new)
        raise CouponRefused(words, field=("code",))
    kept = [other for other in codes if reasons.get(other) is not Reason.EXCLUDED]
    if len(kept) > COUPONS_LIMIT:
        raise LimitReached(f"A cart holds at most {COUPONS_LIMIT} coupons.", field=("code",))
    cart.coupon_codes = kept
    changed(session, cart, now, by)


async def remove_coupon(
    session: AsyncSession, cart: Cart, *, code: str | None = None, now: datetime, by: int | None = None
) -> None:
    """Use a coupon no more, or without a code none at all."""
    kept = [] if code is None else [other for other in cart.coupon_codes if other != code_of(code)]
    if kept == cart.coupon_codes:
        return
    cart.coupon_codes = kept
    changed(session, cart, now, by)


async def price_cart(session: AsyncSession, cart: Cart, *, codes: Sequence[str], now: datetime) -> Pricing:
    """What a cart comes to with these codes, before shipping; what is not sold any more counts nothing."""
    items = await items_in(session, cart.id, cart.currency)
    lines = tuple(line for item in items if (line := item.priced))
    offers = await offers_for(
        session,
        currencies=[cart.currency],
        codes=codes,
        variant_ids=[line.variant_id for line in lines],
        buyer_ids=[] if cart.account_id is None else [cart.account_id],
        now=now,
    )
    basket = Basket(lines, (), cart.currency)
    return price(basket, offers, codes=codes, account_id=cart.account_id, now=now)
