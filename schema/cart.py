"""Carts: lines at the prices of the moment, totals and warnings."""

from datetime import datetime

import strawberry

import models
from domain.cart import CartWarningCode as Code
from domain.offer import Pricing
from loaders.cart import ShownLine, ShownSavedLine
from resolvers import cart as resolve
from resolvers.described import describe_enum
from resolvers.guard import SHOPPERS
from schema.catalog import Variant
from schema.mutation import mutation
from schema.node import Node
from schema.offer import JudgedOffer
from schema.rows import batched, field, loaded, row_type, subscription
from schema.scalars import Money

CartWarningCode = describe_enum(Code)


@row_type(resolve.CartWarning)
class CartWarning:
    """Something that has changed since it was put into the cart; no error, but worth a look."""

    code: Code
    """For programs: what it is."""
    message: str
    """For people: words a customer can read."""
    line: "CartLine | None"
    """The line it is about; null when it is about the whole cart, or about what is saved for later."""
    left: int | None
    """How many are left of what is on the line; null where there is no limit."""
    wanted: int | None
    """How many two carts held that became one; null when it is about something else."""
    seen_price: Money | None
    """What one cost when it was added; null when it is about the whole cart."""
    price: Money | None
    """What one costs now; null when it is not sold any more, or about the whole cart."""


@row_type(ShownLine)
class CartLine(Node):
    """A variant in a cart, at the price of this moment."""

    variant: Variant = loaded("variant", key="variant_id")
    """What it is."""
    quantity: int
    """How many units."""
    unit_price: Money | None
    """What one costs now; null when it is not sold any more."""
    total: Money | None
    """What all of them cost now, before any discount; null when it is not sold any more."""
    warnings: list[CartWarning] = field(resolve.warnings_of_line)


@row_type(ShownSavedLine)
class SavedLine(Node):
    """A variant saved for later: no part of the totals, and not ordered."""

    variant: Variant = loaded("variant", key="variant_id")
    """What it is."""
    quantity: int
    """How many units."""
    unit_price: Money | None
    """What one costs now; null when it is not sold any more."""
    warnings: list[CartWarning] = field(resolve.warnings_of_line)


@row_type(Pricing)
class CartTotals:
    """What a cart comes to at the prices of this moment; shipping depends on where it goes."""

    goods: Money = strawberry.field(name="subtotal")
    """What the lines cost."""
    discount: Money
    """What the offers that apply take off."""
    total: Money
    """What is left to pay, before shipping."""


@row_type(models.Cart)
class Cart(Node):
    """What somebody means to buy."""

    token: str | None
    """The secret of a guest's cart, for the `X-Cart-Token` header: told once, when the cart is made; null
    when it is the one that was sent."""
    version: int
    """One higher with each change; pass it as `after` to watch without a gap."""
    currency: models.CurrencyCode
    """The currency of all its prices; an empty cart takes the one its owner looks at."""
    lines: list[CartLine] = loaded("cart_lines")
    """What is in it, in the order it was added."""
    saved_lines: list[SavedLine] = loaded("cart_saved_lines")
    """What is saved for later, in the order it was saved."""
    coupon_codes: list[str]
    """The coupons that will be tried, in the order they were applied; `offers` says what they do."""
    offers: list[JudgedOffer] = batched(resolve.offers)
    totals: CartTotals = batched(resolve.totals)
    warnings: list[CartWarning] = batched(resolve.warnings)
    updated_at: datetime
    """When it was changed last."""


@row_type(models.Event)
class CartUpdate:
    """One change of a cart."""

    version: int
    """The cart's version this made; they follow each other without a gap. "cart.goods_changed" makes none and
    comes with the version there is."""
    name: str
    """What happened, such as "cart.changed", or "cart.goods_changed" around it."""
    occurred_at: datetime
    """When the shop recorded it."""
    cart: Cart = loaded("cart", key="subject_id")
    """The cart as it is now."""


@strawberry.type
class CartQuery:
    cart: Cart | None = field(resolve.cart, allow=SHOPPERS)


@strawberry.type
class CartMutation:
    cart_line_add = mutation(resolve.cart_line_add, returns=Cart, allow=SHOPPERS)
    cart_lines_add = mutation(resolve.cart_lines_add, returns=Cart, allow=SHOPPERS)
    cart_line_update = mutation(resolve.cart_line_update, returns=Cart, allow=SHOPPERS)
    cart_line_remove = mutation(resolve.cart_line_remove, returns=Cart, allow=SHOPPERS)
    cart_line_save = mutation(resolve.cart_line_save, returns=Cart, allow=SHOPPERS)
    cart_line_restore = mutation(resolve.cart_line_restore, returns=Cart, allow=SHOPPERS)
    cart_saved_line_remove = mutation(resolve.cart_saved_line_remove, returns=Cart, allow=SHOPPERS)
    cart_warnings_dismiss = mutation(resolve.cart_warnings_dismiss, returns=Cart, allow=SHOPPERS)
    cart_coupon_apply = mutation(resolve.cart_coupon_apply, returns=Cart, allow=SHOPPERS)
    cart_coupon_remove = mutation(resolve.cart_coupon_remove, returns=Cart, allow=SHOPPERS)


@strawberry.type
class CartSubscription:
    cart_updates: CartUpdate = subscription(resolve.cart_updates, allow=SHOPPERS)
