"""What the owner of a cart should look at before ordering."""

from enum import StrEnum

from models.live_lines import LiveLine


class CartWarningCode(StrEnum):
    """What has changed since something was put into a cart."""

    PRICE_CHANGED = "PRICE_CHANGED"
    """It costs more or less than when it was added."""
    LESS_STOCK = "LESS_STOCK"
    """Fewer are available than are in the cart."""
    SOLD_OUT = "SOLD_OUT"
    """None is available."""
    NO_LONGER_SOLD = "NO_LONGER_SOLD"
    """It is not sold any more, and not part of the totals."""
    MERGE_CAPPED = "MERGE_CAPPED"
    """At sign-in two carts were merged that held more units of it than are available or than a line holds."""
    COUPON_REFUSED = "COUPON_REFUSED"
    """A coupon does not apply to this cart now."""


def line_warnings(line: LiveLine) -> list[CartWarningCode]:
    """What the owner of a line should know, the gravest first."""
    if line.unit_price is None:
        return [CartWarningCode.NO_LONGER_SOLD]
    warnings = []
    if line.available is not None and line.available < line.quantity:
        warnings.append(CartWarningCode.LESS_STOCK if line.available > 0 else CartWarningCode.SOLD_OUT)
    if line.merged_quantity is not None:
        warnings.append(CartWarningCode.MERGE_CAPPED)
    if line.unit_price != line.seen_price:
        warnings.append(CartWarningCode.PRICE_CHANGED)
    return warnings
