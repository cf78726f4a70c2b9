"""Offers: what customers see of them, and how clerks make them."""

from datetime import datetime

import strawberry

import models
from domain.offer import Judged
from domain.promotion import Reason
from loaders import offer as loaders
from resolvers import offer as resolve
from resolvers.described import describe_enum
from resolvers.guard import CATALOGUE
from schema.catalog import Category, Product, Variant
from schema.connection import Connection
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, row_type, translated
from schema.scalars import Money

OfferKind = describe_enum(models.OfferKind)
OfferScopeKind = describe_enum(models.ScopeKind)
OfferState = describe_enum(loaders.OfferState)
OfferReason = describe_enum(Reason)


@row_type(resolve.OfferTier)
class OfferTier:
    """A step of a full reduction."""

    minimum: Money
    """What the goods must cost."""
    amount: Money
    """What is taken off then."""


@row_type(models.Offer)
class OfferScope:
    """What an offer is for."""

    scope: models.ScopeKind = strawberry.field(name="kind")
    """Which of the lists it is."""
    categories: list[Category] = batched(resolve.scope_categories)
    products: list[Product] = batched(resolve.scope_products)
    variants: list[Variant] = batched(resolve.scope_variants)
    scope_brands: list[str] = strawberry.field(name="brands")
    """Its brands."""


@row_type(loaders.Usage)
class OfferUsage:
    """What orders have had of an offer; cancelled ones have given it back."""

    orders: int
    """How many orders it made cheaper."""
    customers: int
    """Of how many customers, apart for each currency."""
    flash_units: int
    """Units sold at its special price."""
    saved: list[Money]
    """What it took off them, once per currency."""


@row_type(models.Offer)
class Offer(Node):
    """A coupon, or without a code an offer that applies by itself."""

    code: str | None
    """What customers type; null for one that applies by itself."""
    title: str = translated("title")
    """What customers read, in their language."""
    kind: models.OfferKind
    """How it reduces what is paid."""
    percent: int | None
    """How much of the goods it takes off, from 1 to 100; null unless it is PERCENT."""
    reduction: Money | None = strawberry.field(name="amount")
    """What it takes off; null unless it is FIXED."""
    tiers: list[OfferTier] = field(resolve.tiers)
    repeating: bool
    """Whether the best step is given as often as it fits."""
    buy: int | None
    """How many units are paid; null unless it is BUY_N_GET_M."""
    get: int | None
    """How many units more are free then."""
    variant: Variant | None = loaded("variant", key="variant_id")
    """What a FLASH_SALE sells."""
    flash_price: Money | None
    """What one unit costs in a FLASH_SALE."""
    share: int | None
    """How many units there are at this price."""
    left: int | None
    """How many of them are left."""
    share_per_buyer: int | None
    """How many of them one customer may have; null for any number."""
    scope: OfferScope | None = field(resolve.scope)
    currency: models.CurrencyCode | None
    """The currency of its amounts, and of the prices it is for; null for any."""
    minimum: Money | None
    """What the goods must cost for it to apply; null for anything."""
    minimum_quantity: int
    """How many of the goods there must be."""
    cap: Money | None
    """The most it takes; null for no limit."""
    starts_at: datetime | None
    """From when it applies; null when it always has."""
    ends_at: datetime | None
    """Until when it applies; null when it always will."""
    state: loaders.OfferState = field(resolve.state)
    usage_limit: int | None = field(resolve.usage_limit)
    usage_limit_per_buyer: int | None
    """How many orders of one customer may use it; null for any number."""
    usage: OfferUsage | None = batched(resolve.usage)
    priority: int
    """The higher one comes first where offers follow each other."""
    stackable: bool
    """Whether others may apply beside it."""
    exclusion_groups: list[str]
    """Of all offers in one group only one applies."""
    version: int
    """One higher with each change; pass it along with a change of yours."""
    archived_at: datetime | None
    """When it was taken back; null while it stands."""


@row_type(Judged)
class JudgedOffer:
    """An offer that was considered, and why it does or does not apply."""

    offer: Offer
    """Which."""
    title: str = translated("title")
    """What customers read, in their language."""
    code: str | None
    """The coupon's code; null for one that applies by itself."""
    applied: bool
    """Whether it is part of the best combination."""
    reason: Reason
    """For programs: why it applies or not."""
    words: str = field(resolve.words)
    amount: Money | None
    """What it takes off in all; null when it does not apply."""
    missing_amount: Money | None
    """How much more its goods must cost; null unless that is the reason."""
    missing_quantity: int | None
    """How many more of its goods are needed; null unless that is the reason."""
    because_of: list[Offer]
    """What it may not be combined with, and which is better."""


@row_type(models.OfferUse)
class AppliedOffer:
    """An offer that made an order cheaper, as it was when the order was placed."""

    title: str
    """What it was called."""
    code: str | None
    """The coupon's code; null for one that applied by itself."""
    saved: Money = strawberry.field(name="amount")
    """What it took off lines and fees."""
    flash_units: int
    """Units at the special price of a flash sale, less those that were cancelled."""
    released_at: datetime | None
    """When it was given back, because the order or all it applied to was cancelled; null while it stands."""
    offer: Offer | None = loaded("offer", key="offer_id")
    """The offer as it is now."""


@row_type(resolve.DiscountPart)
class DiscountPart:
    """What one offer took off a line or a fee."""

    amount: Money
    """How much."""
    offer: Offer | None = loaded("offer", key="offer_id")
    """The offer as it is now."""


@row_type(loaders.FlashSale)
class FlashSale:
    """Units of a variant at a special price, as long as they last."""

    price: Money
    """What one costs."""
    ends_at: datetime | None
    """Until when."""
    share: int
    """How many there were at this price."""
    left: int
    """How many are left."""
    per_buyer: int | None
    """How many one customer may have; null for any number."""


@strawberry.type
class OfferQuery:
    offers: Connection[Offer] = field(resolve.offers, allow=CATALOGUE)
    offer: Offer | None = field(resolve.offer, allow=CATALOGUE)


@strawberry.type
class OfferMutation:
    offer_save = mutation(resolve.offer_save, returns=Offer, allow=CATALOGUE)
    offer_archive = mutation(resolve.offer_archive, returns=Offer, allow=CATALOGUE)
