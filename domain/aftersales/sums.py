"""What goes back, to the last cent: sums without a database."""

from collections.abc import Mapping

from domain.aftersales.rules import Claim, Units, is_fault
from domain.promotion import refund_share
from models import Order, OrderLine


def line_refund(line: OrderLine, units: Units, quantity: int) -> int:
    """What `quantity` units bring back of what is left of the line; the last one brings the rest."""
    units_left = units.bought - units.refunded
    amount_left = line.total.minor - line.cancelled_amount - units.refunded_amount
    return refund_share(amount_left, units_left, 0, quantity)


def shipping_refund(order: Order, claim: Claim, units: Mapping[int, Units]) -> int:
    """The fee goes back with the last unit of an order that comes back whole, and for faults only."""
    claimed = {wanted.line_id: wanted.quantity for wanted in claim.lines}
    whole = all(
        claimed.get(line_id, 0) + each.refunded_for_fault == each.bought for line_id, each in units.items()
    )
    fee = order.shipping_amount - order.cancelled_shipping_amount
    return fee if claim.refunds and is_fault(claim.reason) and whole else 0
