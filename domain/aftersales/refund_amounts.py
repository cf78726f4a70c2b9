"""What goes back, to the last cent: sums in minor units, without a database."""

from collections.abc import Mapping, Sequence

from domain.aftersales.reasons import REASONS
from domain.aftersales.rules import LineUnits, TicketClaim
from domain.money import apportion
from domain.promotion.engine import refund_share
from models import Order, OrderLine


def line_refund(line: OrderLine, units: LineUnits, quantity: int) -> int:
    """What `quantity` units bring back of what is left of the line; the last one brings the rest."""
    units_left = units.bought - units.refunded
    amount_left = line.total.minor - line.cancelled_amount - units.refunded_amount
    return refund_share(amount_left, units_left, 0, quantity)


def shipping_refund(order: Order, claim: TicketClaim, units: Mapping[int, LineUnits]) -> int:
    """The fee goes back with the last unit of an order that comes back whole, and for faults only."""
    claimed = {line.order_line_id: line.quantity for line in claim.lines}
    whole = all(
        claimed.get(line_id, 0) + each.refunded_for_fault == each.bought for line_id, each in units.items()
    )
    fee = order.shipping_amount - order.cancelled_shipping_amount
    return fee if claim.refunds and REASONS[claim.reason].fault and whole else 0


def cap_amounts(amounts: Sequence[int], limit: int) -> Sequence[int]:
    """The amounts, or their shares of the limit when together they exceed it."""
    return amounts if sum(amounts) <= limit else apportion(limit, amounts)
