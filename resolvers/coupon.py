from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from domain.coupon import CouponTerms, save_coupon
from domain.errors import Invalid
from loaders.cart import COUPONS, NEWEST_COUPON
from loaders.page import Page
from models import Coupon, CurrencyCode, Money, OfferType
from resolvers.context import Info
from resolvers.guard import CATALOGUE
from resolvers.ids import row_id
from resolvers.inputs.coupon import CouponTextInput, by_language
from resolvers.paging import paged


async def coupons(info: Info, first: int = 20, after: str | None = None) -> Page[Any]:
    """All coupons, the newest first.

    first: how many, at most 100
    after: the cursor behind which the page begins
    """
    return await paged(info, COUPONS, NEWEST_COUPON, first=first, after=after)


async def coupon_save(
    info: Info,
    code: str,
    title: str,
    type: OfferType,
    currency_code: CurrencyCode = CurrencyCode.CNY,
    id: strawberry.ID | None = None,
    percent: int | None = None,
    amount: Decimal | None = None,
    minimum: Decimal = Decimal(0),
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    usage_limit: int | None = None,
    translations: list[CouponTextInput] = [],  # noqa: B006 - it is only read
) -> Coupon:
    """Make a coupon, or change one; orders that used it keep what they were given.

    code: what customers type: 3 to 40 letters, digits, - or _
    title: what customers read
    type: how it reduces what is paid
    currency_code: the currency of its amounts, and of the carts it is for
    id: the one to change; a new one without it
    percent: how much of the goods a PERCENT coupon takes off, from 1 to 100
    amount: how much a FIXED coupon takes off
    minimum: what the goods must cost for it to apply
    starts_at: from when it applies; at once without it
    ends_at: until when it applies; for ever without it
    usage_limit: how many orders may use it; any number without it
    translations: its title in other languages
    """
    terms = CouponTerms(
        code=code,
        title=title,
        type=type,
        percent=percent,
        amount=None if amount is None else minor(amount, currency_code, "amount"),
        minimum_amount=minor(minimum, currency_code, "minimum"),
        currency=currency_code,
        starts_at=starts_at,
        ends_at=ends_at,
        usage_limit=usage_limit,
        translations=by_language(translations),
    )
    coupon_id = None if id is None else row_id(id, "Coupon")
    async with info.context.transaction() as session:
        return await save_coupon(session, coupon_id=coupon_id, terms=terms)


def minor(amount: Decimal, currency: CurrencyCode, field: str) -> int:
    try:
        return Money.of(amount, currency).minor
    except ValueError:
        raise Invalid(f"This is not an amount in {currency.value}.", field=(field,)) from None


def used(root: Coupon, info: Info) -> int | None:
    """How many orders have used it; null for those who do not keep coupons."""
    return root.used if keeps(info) else None


def usage_limit(root: Coupon, info: Info) -> int | None:
    """How many orders may use it; null for any number, and for those who do not keep coupons."""
    return root.usage_limit if keeps(info) else None


def keeps(info: Info) -> bool:
    return info.context.viewer.role in CATALOGUE


async def find_coupon(info: Info, coupon_id: int) -> Coupon | None:
    return await info.context.load.coupon.load(coupon_id) if keeps(info) else None
