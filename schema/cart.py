"""Carts: their lines at present prices, totals and warnings."""

from datetime import datetime

import strawberry

import models
from models.live_lines import LiveCartLine, LiveSavedLine
from resolvers import cart as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.catalog import Variant
from schema.limits.sizes import FEW, PRICING, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.promotion import EvaluatedPromotion
from schema.rows import batched, field, loaded, plain_list, row_type, subscription
from schema.scalars import Money

CartWarningCode = describe_enum(resolve.CartWarningCode)


@row_type(resolve.CartWarning)
class CartWarning:
    """Something that has changed since it was put into the cart: no error, but worth showing to its owner."""

    code: resolve.CartWarningCode
    """What has changed, for programs."""
    message: str = field(resolve.warning_message)
    line: "CartLine | None"
    """The line it is about; null when it is about the whole cart or about a saved line."""
    available: int | None
    """How many units of the line's variant are available; null where there is no limit."""
    merged_quantity: int | None
    """How many units two carts held together before they were merged; null for other warnings."""
    seen_price: Money | None
    """What one unit cost when it was added; null when it is about the whole cart."""
    price: Money | None
    """What one unit costs now; null when it is not sold any more, or about the whole cart."""


@row_type(LiveCartLine)
class CartLine(Node):
    """Units of a variant in a cart, at the present price."""

    variant: Variant = loaded("variant", key="variant_id")
    """The variant."""
    quantity: int
    """How many units."""
    unit_price: Money | None
    """What one unit costs now; null when it is not sold any more."""
    total: Money | None
    """What all units cost now, before any discount; null when it is not sold any more."""
    backordered: int
    """How many of these units would wait for stock to come."""
    exclusion: models.ClaimExclusion | None = loaded("product_exclusion", key="product_id")
    """Why it cannot be returned without a reason, which the buyer confirms when ordering; null where it
    can."""
    warnings: list[CartWarning] = field(resolve.warnings_of_line, size=FEW)


@row_type(LiveSavedLine)
class SavedLine(Node):
    """Units of a variant saved for later: not in the totals, and not ordered."""

    variant: Variant = loaded("variant", key="variant_id")
    """The variant."""
    quantity: int
    """How many units."""
    unit_price: Money | None
    """What one unit costs now; null when it is not sold any more."""
    warnings: list[CartWarning] = field(resolve.warnings_of_line, size=FEW)


@row_type(resolve.PricingResult)
class CartTotals:
    """What a cart costs at present prices, before shipping."""

    subtotal: Money
    """What the lines cost before any discount."""
    discount: Money
    """What the promotions take off."""
    total: Money
    """What is to be paid, before shipping."""


@row_type(models.Cart)
class Cart(Node):
    """What a guest or customer means to buy."""

    token: str | None
    """The secret of a guest's cart, for the `X-Cart-Token` header: made and signed by the shop, and given
    once, by the mutation that makes the cart; otherwise null."""
    version: int
    """One higher with each change; pass it as `after` to `cartUpdates` to miss none."""
    currency: models.CurrencyCode
    """The currency of all its prices; an empty cart takes the viewer's."""
    lines: list[CartLine] = loaded("cart_lines", size=SOME)
    """What is in it, in the order it was added."""
    saved_lines: list[SavedLine] = loaded("cart_saved_lines", size=SOME)
    """What is saved for later, in the order it was saved."""
    coupon_codes: list[str] = plain_list(size=FEW)
    """The coupons applied to it, in the order they were applied; `promotions` says what each does."""
    promotions: list[EvaluatedPromotion] = batched(resolve.promotions, size=FEW, price=PRICING)
    totals: CartTotals = batched(resolve.totals)
    warnings: list[CartWarning] = batched(resolve.warnings, size=FEW)
    updated_at: datetime
    """When it was last changed."""


@row_type(models.Event)
class CartUpdate:
    """One change of a cart."""

    version: int
    """The version of the cart after this change; versions follow each other without a gap.
    "cart.items_changed" makes no new version."""
    name: str
    """What happened: "cart.changed" for a change by its owner, "cart.items_changed" for prices, stock or
    promotions that changed."""
    occurred_at: datetime
    """When the shop recorded it."""
    cart: Cart = loaded("cart", key="subject_id")
    """The cart as it is now."""


@strawberry.type
class CartQuery:
    cart: Cart | None = field(resolve.cart, allow=Permission.CART)


@strawberry.type
class CartMutation:
    cart_line_add = mutation(resolve.cart_line_add, returns=Cart, allow=Permission.CART)
    cart_lines_add = mutation(resolve.cart_lines_add, returns=Cart, allow=Permission.CART)
    cart_line_update = mutation(resolve.cart_line_update, returns=Cart, allow=Permission.CART)
    cart_line_remove = mutation(resolve.cart_line_remove, returns=Cart, allow=Permission.CART)
    cart_line_save = mutation(resolve.cart_line_save, returns=Cart, allow=Permission.CART)
    cart_line_restore = mutation(resolve.cart_line_restore, returns=Cart, allow=Permission.CART)
    cart_saved_line_remove = mutation(resolve.cart_saved_line_remove, returns=Cart, allow=Permission.CART)
    cart_warnings_dismiss = mutation(resolve.cart_warnings_dismiss, returns=Cart, allow=Permission.CART)
    cart_coupon_apply = mutation(resolve.cart_coupon_apply, returns=Cart, allow=Permission.CART)
    cart_coupon_remove = mutation(resolve.cart_coupon_remove, returns=Cart, allow=Permission.CART)


@strawberry.type
class CartSubscription:
    cart_updates: CartUpdate = subscription(resolve.cart_updates, allow=Permission.CART)
