"""What goes back, to the last cent: sums in minor units, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.aftersales.reasons import REASONS
from domain.aftersales.rules import ClaimCase, LineUnits, TicketClaim
from domain.money import apportion
from domain.promotion.engine import refund_share
from models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class WithdrawnAmounts:
    """What units cost that leave an order."""

    lines: Sequence[int]
    shipping: int
    """The fees of deliveries of which nothing is left."""
    credited: int
    """The part that was not paid yet, and is not due any more."""

    @property
    def refund(self) -> int:
        return sum(self.lines) + self.shipping - self.credited


def price_withdrawal(case: ClaimCase, *, fees: int) -> WithdrawnAmounts:
    """What the claimed units cost; `fees` are those of all deliveries of which nothing is left then.

    It is never more than is still to be paid or can be refunded: staff may have refunded something before.
    """
    fee = fees - case.order.cancelled_shipping_amount
    *lines, shipping = cap_amounts([*line_refunds(case), fee], case.unpaid + case.refundable)
    return WithdrawnAmounts(lines, shipping, credited=min(case.unpaid, sum(lines) + shipping))


def line_refunds(case: ClaimCase) -> list[int]:
    """What each claimed line brings back."""
    return [
        line_refund(case.lines[claimed.order_line_id], case.units[claimed.order_line_id], claimed.quantity)
        for claimed in case.claim.lines
    ]


def line_refund(line: OrderLine, units: LineUnits, quantity: int) -> int:
    """What `quantity` units bring back of what is left of the line; the last one brings the rest.

    Where others have brought back less than they cost, since staff had refunded something before, the
    difference does not go to these. By rounding alone they differ by less than one for each unit.
    """
    cost, units_left = line.total.minor - line.cancelled_amount, units.bought - units.refunded
    share = refund_share(cost, max(1, units.bought), 0, units.refunded)
    is_less = units.refunded_amount <= share - units.refunded
    return refund_share(cost - (share if is_less else units.refunded_amount), units_left, 0, quantity)


def shipping_refund(order: Order, claim: TicketClaim, units: Mapping[int, LineUnits]) -> int:
    """The fee goes back with the last unit of an order that comes back whole, and for faults only."""
    claimed = {line.order_line_id: line.quantity for line in claim.lines}
    whole = all(
        claimed.get(line_id, 0) + each.refunded_for_fault == each.bought for line_id, each in units.items()
    )
    fee = order.shipping_amount - order.cancelled_shipping_amount
    return fee if claim.refunds and REASONS[claim.reason].fault and whole else 0


def share_uncollectable(
    lines: Sequence[OrderLine], units: Mapping[int, LineUnits], *, fee: int, amount: int
) -> tuple[list[int], int]:
    """What of cash that nobody collects comes off each line, and off the fee.

    First what was claimed and not refunded, as nobody had paid it, then the fee; cents that are left by
    rounding come off what was kept.
    """
    unpaid = cap_amounts([unrefunded_amount(line, units[line.id]) for line in lines], amount)
    shipping = min(fee, amount - sum(unpaid))
    left = [
        line.total.minor - line.cancelled_amount - units[line.id].refunded_amount - share
        for line, share in zip(lines, unpaid, strict=True)
    ]
    rest = cap_amounts(left, amount - sum(unpaid) - shipping)
    return [sum(shares) for shares in zip(unpaid, rest, strict=True)], shipping


def unrefunded_amount(line: OrderLine, units: LineUnits) -> int:
    """What the units cost that tickets have settled in money, without what was refunded for them."""
    cost = refund_share(line.total.minor - line.cancelled_amount, max(1, units.bought), 0, units.refunded)
    return max(0, cost - units.refunded_amount)


def cap_amounts(amounts: Sequence[int], limit: int) -> Sequence[int]:
    """The amounts, or their shares of the limit when together they exceed it."""
    return amounts if sum(amounts) <= limit else apportion(limit, amounts)
