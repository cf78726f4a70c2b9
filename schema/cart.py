"""Carts: lines at the prices of the moment, totals and warnings."""

from datetime import datetime

import strawberry

import models
from domain.cart import CartWarningCode as Code
from domain.pricing import Breakdown
from loaders.cart import ShownLine
from resolvers import cart as resolve
from resolvers.described import describe_enum
from resolvers.guard import SHOPPERS
from schema.catalog import Variant
from schema.coupon import Coupon
from schema.mutation import mutation
from schema.node import Node
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
    """The line it is about; null when it is about the whole cart."""
    left: int | None
    """How many are left of what is on the line; null where there is no limit."""


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


@row_type(Breakdown)
class CartTotals:
    """What a cart comes to at the prices of this moment; shipping depends on where it goes."""

    goods: Money = strawberry.field(name="subtotal")
    """What the lines cost."""
    discount: Money
    """What the coupon takes off; zero without one, or when it does not apply."""
    total: Money
    """What is left to pay, before shipping."""


@row_type(models.Cart)
class Cart(Node):
    """What somebody means to buy."""

    token: str | None
    """The secret of a guest's cart, for the `X-Cart-Token` header: told once, when the cart is made."""
    version: int
    """One higher with each change; pass it as `after` to watch without a gap."""
    currency: models.CurrencyCode
    """The currency of all its prices; an empty cart takes the one its owner looks at."""
    lines: list[CartLine] = loaded("cart_lines")
    """What is in it, in the order it was added."""
    coupon: Coupon | None = loaded("coupon", key="coupon_id")
    """The coupon that will be used; null for none."""
    totals: CartTotals = batched(resolve.totals)
    warnings: list[CartWarning] = batched(resolve.warnings)
    updated_at: datetime
    """When it was changed last."""


@row_type(models.Event)
class CartUpdate:
    """One change of a cart."""

    version: int
    """The cart's version this made; they follow each other without a gap."""
    name: str
    """What happened, such as "cart.changed"."""
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
    cart_line_update = mutation(resolve.cart_line_update, returns=Cart, allow=SHOPPERS)
    cart_line_remove = mutation(resolve.cart_line_remove, returns=Cart, allow=SHOPPERS)
    cart_coupon_apply = mutation(resolve.cart_coupon_apply, returns=Cart, allow=SHOPPERS)
    cart_coupon_remove = mutation(resolve.cart_coupon_remove, returns=Cart, allow=SHOPPERS)


@strawberry.type
class CartSubscription:
    cart_updates: CartUpdate = subscription(resolve.cart_updates, allow=SHOPPERS)
