"""Coupons: what customers see of them, and how clerks make them."""

from datetime import datetime

import strawberry

import models
from resolvers import coupon as resolve
from resolvers.described import describe_enum
from resolvers.guard import CATALOGUE
from schema.connection import Connection
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, row_type, translated
from schema.scalars import Money

OfferType = describe_enum(models.OfferType)


@row_type(models.Coupon)
class Coupon(Node):
    """A code that makes an order cheaper."""

    code: str
    """What customers type."""
    title: str = translated("title")
    """What customers read, in their language."""
    type: models.OfferType
    """How it reduces what is paid."""
    percent: int | None
    """How much of the goods it takes off, from 1 to 100; null when it takes off an amount."""
    reduction: Money | None = strawberry.field(name="amount")
    """What it takes off; null when it takes off a percentage."""
    minimum: Money
    """What the goods must cost for it to apply."""
    starts_at: datetime | None
    """From when it applies; null when it always has."""
    ends_at: datetime | None
    """Until when it applies; null when it always will."""
    usage_limit: int | None = field(resolve.usage_limit)
    used: int | None = field(resolve.used)


@strawberry.type
class CouponQuery:
    coupons: Connection[Coupon] = field(resolve.coupons, allow=CATALOGUE)


@strawberry.type
class CouponMutation:
    coupon_save = mutation(resolve.coupon_save, returns=Coupon, allow=CATALOGUE)
