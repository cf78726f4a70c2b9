"""Carts: what somebody means to buy, at the prices of this moment."""

from domain.cart.coupons import apply_coupon, price_cart, remove_coupon
from domain.cart.expiry import SWEEP, forget_carts, untouched_since
from domain.cart.goods import CartItem, Offer, cart_items
from domain.cart.limits import COUPONS_LIMIT, LINES_LIMIT, QUANTITY_LIMIT, SAVED_LIMIT
from domain.cart.lines import (
    ADDED_LIMIT,
    Wanted,
    add_to_cart,
    add_what_fits,
    dismiss_warnings,
    remove_line,
    set_quantity,
)
from domain.cart.merging import MERGED, adopt_cart
from domain.cart.ordering import emptying, take_carts
from domain.cart.owner import TRANSITIONS, Owner, lock_cart, open_cart
from domain.cart.saved import remove_saved_line, restore_line, save_line
from domain.cart.warnings import CartWarningCode, line_warnings

__all__ = [
    "ADDED_LIMIT",
    "COUPONS_LIMIT",
    "LINES_LIMIT",
    "MERGED",
    "QUANTITY_LIMIT",
    "SAVED_LIMIT",
    "SWEEP",
    "TRANSITIONS",
    "CartItem",
    "CartWarningCode",
    "Offer",
    "Owner",
    "Wanted",
    "add_to_cart",
    "add_what_fits",
    "adopt_cart",
    "apply_coupon",
    "cart_items",
    "dismiss_warnings",
    "emptying",
    "forget_carts",
    "line_warnings",
    "lock_cart",
    "open_cart",
    "price_cart",
    "remove_coupon",
    "remove_line",
    "remove_saved_line",
    "restore_line",
    "save_line",
    "set_quantity",
    "take_carts",
    "untouched_since",
]
