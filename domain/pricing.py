"""What a basket costs: pure sums, exact to the cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.errors import DomainError, ErrorCode
from domain.money import apportion, words
from models import Coupon, CurrencyCode, Money, OfferType

WHOLE = 100
"""Percent in one."""


class CouponRefused(DomainError):
    code = ErrorCode.COUPON_REFUSED


@dataclass(frozen=True, slots=True)
class PricedLine:
    """Units of a variant, at what one of them costs now."""

    variant_id: int
    quantity: int
    unit: Money
    weight_grams: int

    @property
    def total(self) -> Money:
        return self.unit * self.quantity


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What is to be paid and why; `total` is goods - discount + shipping.

    `line_discounts` are minor units, one per line in the order given, and add up to `discount`.
    """

    goods: Money
    discount: Money
    shipping: Money
    total: Money
    line_discounts: tuple[int, ...]
    coupon_refusal: str | None


def price(
    lines: Sequence[PricedLine],
    *,
    coupon: Coupon | None,
    fees: Sequence[Money],
    now: datetime,
    currency: CurrencyCode | None = None,
) -> Breakdown:
    """The sums of lines of one currency, with the coupon if it applies and a fee per delivery.

    `currency` need only be given where there may be no lines.
    A coupon that does not apply changes no sum; `coupon_refusal` says why, in words for the customer.
    """
    zero = Money.zero(currency or lines[0].unit.currency)
    goods = sum((line.total for line in lines), start=zero)
    shipping = sum(fees, start=zero)
    refusal = coupon_refusal(coupon, goods=goods, now=now) if coupon else None
    discount = reduction(coupon, goods) if coupon and refusal is None else zero
    return Breakdown(
        goods=goods,
        discount=discount,
        shipping=shipping,
        total=goods - discount + shipping,
        line_discounts=tuple(apportion(discount.minor, [line.total.minor for line in lines])),
        coupon_refusal=refusal,
    )


def coupon_refusal(coupon: Coupon, *, goods: Money, now: datetime) -> str | None:
    """Why a coupon does not apply to goods of this price at this time; None when it does."""
    minimum = Money(coupon.minimum_amount, coupon.currency)
    if coupon.starts_at and now < coupon.starts_at:
        return f"Coupon {coupon.code} is not valid yet."
    if coupon.ends_at and now >= coupon.ends_at:
        return f"Coupon {coupon.code} has expired."
    if coupon.usage_limit is not None and coupon.used >= coupon.usage_limit:
        return f"Coupon {coupon.code} has been used up."
    if coupon.currency is not goods.currency:
        return f"Coupon {coupon.code} is for prices in {coupon.currency.value}."
    if goods.minor < minimum.minor:
        return f"Coupon {coupon.code} is for {words(minimum)} and more."
    return None


def reduction(coupon: Coupon, goods: Money) -> Money:
    """What a coupon takes off goods of this price: half a cent counts as one, never more than the goods."""
    if coupon.type is OfferType.PERCENT:
        minor = (goods.minor * (coupon.percent or 0) + WHOLE // 2) // WHOLE
    else:
        minor = coupon.amount or 0
    return Money(min(minor, goods.minor), goods.currency)
