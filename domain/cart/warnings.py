"""What the owner of a cart should look at before ordering."""

from enum import StrEnum

from models import Money


class CartWarningCode(StrEnum):
    """What has changed since something was put into a cart."""

    PRICE_CHANGED = "PRICE_CHANGED"
    """It costs more or less than when it was added."""
    LESS_STOCK = "LESS_STOCK"
    """Fewer are left than are in the cart."""
    SOLD_OUT = "SOLD_OUT"
    """None is left."""
    NO_LONGER_SOLD = "NO_LONGER_SOLD"
    """It is not sold any more, and not part of the totals."""
    MERGE_CAPPED = "MERGE_CAPPED"
    """At sign-in two carts became one, with more units of it than there are, or than a line holds."""
    COUPON_REFUSED = "COUPON_REFUSED"
    """A coupon does not apply to this cart now."""


def line_warnings(
    *, quantity: int, seen: Money, unit: Money | None, left: int | None, wanted: int | None = None
) -> list[CartWarningCode]:
    """What the owner of a line should know, the gravest first; `unit` and `left` as in an Offer."""
    if unit is None:
        return [CartWarningCode.NO_LONGER_SOLD]
    warnings = []
    if left is not None and left < quantity:
        warnings.append(CartWarningCode.LESS_STOCK if left > 0 else CartWarningCode.SOLD_OUT)
    if wanted is not None:
        warnings.append(CartWarningCode.MERGE_CAPPED)
    if unit != seen:
        warnings.append(CartWarningCode.PRICE_CHANGED)
    return warnings
