"""Carts: their owners, lines, coupons, prices and warnings."""

from domain.cart.checkout import build_cart_emptying, lock_carts
from domain.cart.coupons import apply_coupon, remove_coupon
from domain.cart.expiry import EXPIRY_BATCH, delete_untouched_carts, is_untouched_since
from domain.cart.limits import COUPONS_LIMIT, LINES_LIMIT, QUANTITY_LIMIT, SAVED_LIMIT
from domain.cart.lines import (
    ADDITIONS_LIMIT,
    CartAddition,
    add_sellable,
    add_to_cart,
    dismiss_warnings,
    remove_line,
    set_quantity,
)
from domain.cart.merging import merge_guest_cart
from domain.cart.owner import TRANSITIONS, CartOwner, lock_cart, open_cart
from domain.cart.pricing import CartContents, PriceableLine, price_carts, price_lines
from domain.cart.saved import remove_saved_line, restore_line, save_line
from domain.cart.warnings import CartWarningCode, line_warnings

__all__ = [
    "ADDITIONS_LIMIT",
    "COUPONS_LIMIT",
    "EXPIRY_BATCH",
    "LINES_LIMIT",
    "QUANTITY_LIMIT",
    "SAVED_LIMIT",
    "TRANSITIONS",
    "CartAddition",
    "CartContents",
    "CartOwner",
    "CartWarningCode",
    "PriceableLine",
    "add_sellable",
    "add_to_cart",
    "apply_coupon",
    "build_cart_emptying",
    "delete_untouched_carts",
    "dismiss_warnings",
    "is_untouched_since",
    "line_warnings",
    "lock_cart",
    "lock_carts",
    "merge_guest_cart",
    "open_cart",
    "price_carts",
    "price_lines",
    "remove_coupon",
    "remove_line",
    "remove_saved_line",
    "restore_line",
    "save_line",
    "set_quantity",
]
