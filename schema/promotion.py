"""Promotions, their usage, and the discounts of carts and orders."""

from datetime import datetime

import strawberry

import models
from resolvers import promotion as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.catalog import Category, Product, Variant
from schema.connection import Connection
from schema.limits.sizes import FEW, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, plain_list, row_type, translated
from schema.scalars import Money

PromotionKind = describe_enum(models.PromotionKind)
PromotionScopeKind = describe_enum(models.PromotionScopeKind)
PromotionStatus = describe_enum(resolve.PromotionStatus)
PromotionReason = describe_enum(resolve.PromotionReason)


@row_type(resolve.PromotionTier)
class PromotionTier:
    """A tier of a full reduction."""

    minimum: Money
    """What the items must cost."""
    amount: Money
    """What is then taken off."""


@row_type(models.Promotion)
class PromotionScope:
    """The items a promotion is for."""

    scope: models.PromotionScopeKind = strawberry.field(name="kind")
    """Which of the lists is used."""
    categories: list[Category] = batched(resolve.scope_categories, size=SOME)
    products: list[Product] = batched(resolve.scope_products, size=SOME)
    variants: list[Variant] = batched(resolve.scope_variants, size=SOME)
    scope_brands: list[str] = plain_list(size=SOME, name="brands")
    """Its brands."""


@row_type(resolve.PromotionUsage)
class PromotionUsage:
    """How often orders used a promotion; cancelled orders do not count."""

    orders: int
    """How many orders used it."""
    customers: int
    """How many customers used it, counted once per currency."""
    flash_units: int
    """Units sold at the price of a flash sale."""
    saved: list[Money] = plain_list(size=FEW)
    """What it took off, once per currency."""


@row_type(models.Promotion)
class Promotion(Node):
    """A coupon, or without a code an automatic promotion."""

    code: str | None
    """What customers enter; null for an automatic promotion."""
    title: str = translated("title")
    """What customers read, in their language."""
    kind: models.PromotionKind
    """How it reduces what is paid."""
    percent: int | None
    """How much of the items' price it takes off, from 1 to 100; null unless it is PERCENT."""
    reduction: Money | None = strawberry.field(name="amount")
    """What it takes off; null unless it is FIXED."""
    tiers: list[PromotionTier] = field(resolve.tiers, size=FEW)
    repeating: bool
    """Whether the best tier of a FULL_REDUCTION is given as often as it fits."""
    buy: int | None
    """How many units are paid; null unless it is BUY_N_GET_M."""
    get: int | None
    """How many more units are then free; null unless it is BUY_N_GET_M."""
    variant: Variant | None = loaded("variant", key="variant_id")
    """What a FLASH_SALE sells; null for other kinds."""
    flash_price: Money | None
    """What one unit costs in a FLASH_SALE; null for other kinds."""
    share: int | None
    """How many units a FLASH_SALE has at this price; null for other kinds."""
    left: int | None
    """How many of them are left; null for other kinds."""
    share_per_buyer: int | None
    """How many of them one customer may have; null for any number."""
    scope: PromotionScope | None = field(resolve.scope)
    currency: models.CurrencyCode | None
    """The currency of its amounts, and of the prices it is for; null for any."""
    minimum: Money | None
    """What the items must cost for it to apply; null without a minimum."""
    minimum_quantity: int
    """How many units of the items there must be for it to apply."""
    cap: Money | None
    """The most it takes off; null without a cap."""
    starts_at: datetime | None
    """From when it applies; null when it applied from its creation."""
    ends_at: datetime | None
    """Until when it applies; null without an end."""
    status: resolve.PromotionStatus = field(resolve.status)
    usage_limit: int | None = field(resolve.usage_limit)
    usage_limit_per_buyer: int | None
    """How many orders of one customer may use it; null for any number."""
    usage: PromotionUsage | None = batched(resolve.usage)
    priority: int
    """A promotion with a higher priority is applied earlier."""
    stackable: bool
    """Whether other promotions may apply beside it."""
    exclusion_groups: list[str] = plain_list(size=FEW)
    """Of all promotions in one group only one applies."""
    version: int
    """One higher with each change; send it with a change, so that no other change is overwritten."""
    archived_at: datetime | None
    """When it was archived; null if it was not."""


@row_type(resolve.EvaluatedPromotion)
class EvaluatedPromotion:
    """A promotion that was considered, and why it does or does not apply."""

    promotion: Promotion
    """The promotion."""
    title: str = translated("title")
    """What customers read, in their language."""
    code: str | None
    """The coupon's code; null for an automatic promotion."""
    applied: bool
    """Whether it applies: it is part of the cheapest combination."""
    reason: resolve.PromotionReason
    """For programs: why it applies or not."""
    message: str = field(resolve.message)
    amount: Money | None
    """What it takes off in all; null when it does not apply."""
    missing_amount: Money | None
    """How much more its items must cost; null unless that is the reason."""
    missing_quantity: int | None
    """How many more units of its items are needed; null unless that is the reason."""
    because_of: list[Promotion] = plain_list(size=FEW)
    """The promotions that exclude it and save more; empty unless that is the reason."""


@row_type(models.PromotionUse)
class AppliedPromotion:
    """A promotion that made an order cheaper, as it was when the order was placed."""

    title: str = batched(resolve.promotion_titles)
    code: str | None
    """The coupon's code; null for an automatic promotion."""
    saved: Money = strawberry.field(name="amount")
    """What it took off lines and shipping fees."""
    flash_units: int
    """Units at the price of a flash sale, without those that were cancelled."""
    released_at: datetime | None
    """When it was released, because the order or all it applied to was cancelled; null if it was not."""
    promotion: Promotion | None = loaded("promotion", key="promotion_id")
    """The promotion as it is now."""


@row_type(resolve.DiscountPart)
class DiscountPart:
    """What one promotion took off a line or a fee."""

    amount: Money
    """How much it took off."""
    promotion: Promotion | None = loaded("promotion", key="promotion_id")
    """The promotion as it is now."""


@row_type(resolve.FlashSale)
class FlashSale:
    """A limited number of units of a variant at a special price."""

    price: Money
    """What one unit costs."""
    ends_at: datetime | None
    """Until when it runs."""
    share: int
    """How many units there were at this price."""
    left: int
    """How many of them are left."""
    per_buyer: int | None
    """How many units one customer may have; null for any number."""


@strawberry.type
class PromotionQuery:
    promotions: Connection[Promotion] = field(resolve.promotions, allow=Permission.PROMOTION_EDIT)
    promotion: Promotion | None = field(resolve.promotion, allow=Permission.PROMOTION_EDIT)


@strawberry.type
class PromotionMutation:
    promotion_save = mutation(resolve.promotion_save, returns=Promotion, allow=Permission.PROMOTION_EDIT)
    promotion_archive = mutation(
        resolve.promotion_archive, returns=Promotion, allow=Permission.PROMOTION_EDIT
    )
