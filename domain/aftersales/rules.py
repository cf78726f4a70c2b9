"""Who may ask for what and until when, decided without a session or a clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.reasons import REASONS, ClaimStage, stage_of
from domain.aftersales.states import REFUND_TYPES
from domain.errors import DomainError, ErrorCode
from models import Order, OrderLine, OrderStatus, TicketReason, TicketType


class TicketObstacle(StrEnum):
    """Why the shop cannot grant a request, for programs."""

    REASON_NOT_ALLOWED = "REASON_NOT_ALLOWED"
    """This reason does not fit what is asked for."""
    ORDER_OVER = "ORDER_OVER"
    """The order was cancelled or has been refunded in full."""
    NOT_PAID = "NOT_PAID"
    """There is no money to give back, or not all of it has come in yet."""
    CANCEL_INSTEAD = "CANCEL_INSTEAD"
    """Nothing has left yet and all of it is unwanted: the order can be cancelled."""
    ALREADY_SHIPPED = "ALREADY_SHIPPED"
    """It has been packed or sent, and can only be returned."""
    NOT_SHIPPED = "NOT_SHIPPED"
    """It has not been sent yet."""
    NOT_DELIVERED = "NOT_DELIVERED"
    """It has not arrived yet."""
    WINDOW_CLOSED = "WINDOW_CLOSED"
    """The time for such a request is over."""
    ALREADY_ASKED = "ALREADY_ASKED"
    """Other tickets are about these units already."""


class NotEligible(DomainError):
    code = ErrorCode.NOT_ELIGIBLE

    def __init__(self, obstacle: TicketObstacle, message: str, *, field: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, field=field)
        self.obstacle = obstacle


@dataclass(frozen=True, slots=True)
class ClaimedUnits:
    """Units of an order line that a customer claims something for."""

    order_line_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class TicketClaim:
    """What a customer asks for, and why."""

    type: TicketType
    reason: TicketReason
    lines: tuple[ClaimedUnits, ...]

    @property
    def stage(self) -> ClaimStage:
        return stage_of(self.type, self.reason)

    @property
    def refunds(self) -> bool:
        return self.type in REFUND_TYPES


@dataclass(slots=True)
class LineUnits:
    """What has become of the units of one order line, and what other tickets claim of them."""

    bought: int
    waiting: int = 0
    """Neither packed nor withdrawn."""
    sent: int = 0
    """Left the warehouse, wherever they are now."""
    arrived: int = 0
    claimed: dict[ClaimStage, int] = field(default_factory=lambda: dict.fromkeys(ClaimStage, 0))
    """By tickets that were not declined."""
    withdrawing: int = 0
    """Waiting, but asked for by a ticket that has not been agreed yet."""
    refunded: int = 0
    """By tickets that end with a refund."""
    refunded_amount: int = 0
    """In minor units."""
    refunded_for_fault: int = 0
    """By tickets that are settled and were the shop's fault."""

    @property
    def unclaimed(self) -> int:
        return self.bought - sum(self.claimed.values())

    def left(self, stage: ClaimStage) -> int:
        """Units that may still be claimed at this stage."""
        still_sent = self.sent - self.claimed[ClaimStage.SENT] - self.claimed[ClaimStage.ARRIVED]
        at_stage = {
            ClaimStage.WAITING: self.waiting - self.withdrawing,
            ClaimStage.SENT: still_sent,
            ClaimStage.ARRIVED: min(self.arrived - self.claimed[ClaimStage.ARRIVED], still_sent),
        }
        return max(0, min(self.unclaimed, at_stage[stage]))

    @property
    def packed(self) -> int:
        """Packed or sent: bought, and neither waiting nor withdrawn."""
        return self.bought - self.waiting - (self.claimed[ClaimStage.WAITING] - self.withdrawing)


STAGE_OBSTACLES: Mapping[ClaimStage, tuple[TicketObstacle, str]] = {
    ClaimStage.WAITING: (
        TicketObstacle.ALREADY_SHIPPED,
        "has been packed or sent: return it when it has arrived",
    ),
    ClaimStage.SENT: (TicketObstacle.NOT_SHIPPED, "has not been sent yet"),
    ClaimStage.ARRIVED: (TicketObstacle.NOT_DELIVERED, "has not arrived yet"),
}
"""What is refused, and how, when units have not reached the stage a claim needs, or are past it."""


def claim_deadline(order: Order, reason: TicketReason, deadlines: Deadlines) -> datetime | None:
    """The last moment to ask; None while the goods have not been received."""
    received_at = order.receipt_confirmed_at or order.completed_at or order.delivered_at
    if received_at is None:
        return None
    return received_at + deadlines.window_of(REASONS[reason].window)


@dataclass(frozen=True, slots=True)
class ClaimCase:
    """A claim with all that decides about it; amounts are minor units."""

    order: Order
    claim: TicketClaim
    lines: Mapping[int, OrderLine]
    """All lines of the order, by id."""
    units: Mapping[int, LineUnits]
    """By order line."""
    captured: int
    refundable: int
    """What was captured for the order and neither went back nor is promised to other tickets."""
    unpaid: int
    """What is still to be paid, and not under way."""


def find_obstacle(case: ClaimCase, deadlines: Deadlines, *, asked_at: datetime) -> NotEligible | None:
    """The first reason to refuse a claim; None when it can be granted."""
    if case.claim.type not in REASONS[case.claim.reason].types:
        return NotEligible(
            TicketObstacle.REASON_NOT_ALLOWED, "This reason does not fit what you ask for.", field=("reason",)
        )
    last = claim_deadline(case.order, case.claim.reason, deadlines)
    if last is not None and last < asked_at:
        return NotEligible(
            TicketObstacle.WINDOW_CLOSED, f"The time for this ended on {last:%Y-%m-%d at %H:%M} UTC."
        )
    return find_order_obstacle(case) or find_units_obstacle(case)


def find_order_obstacle(case: ClaimCase) -> NotEligible | None:
    """What of the order's state or its money stands in the way."""
    if case.order.status in {OrderStatus.CANCELLED, OrderStatus.CLOSED}:
        return NotEligible(
            TicketObstacle.ORDER_OVER, "This order was cancelled or has been refunded in full."
        )
    if case.order.status is OrderStatus.PENDING:
        return NotEligible(TicketObstacle.NOT_PAID, "This order has not been paid yet.")
    is_withdrawal = case.claim.stage is ClaimStage.WAITING
    if case.claim.refunds and case.captured and not case.refundable and not (is_withdrawal and case.unpaid):
        return NotEligible(TicketObstacle.ORDER_OVER, "All that was paid has been refunded or promised back.")
    if case.claim.refunds and not case.captured and case.order.total_amount and not is_withdrawal:
        return NotEligible(TicketObstacle.NOT_PAID, "Nothing has been paid for this order yet.")
    return None


def find_units_obstacle(case: ClaimCase) -> NotEligible | None:
    """What of the claimed units stands in the way: other tickets, or how far they have come."""
    stage = case.claim.stage
    for index, claimed in enumerate(case.claim.lines):
        units, title = case.units[claimed.order_line_id], case.lines[claimed.order_line_id].title
        if claimed.quantity <= units.left(stage):
            continue
        path = ("lines", index, "quantity")
        if claimed.quantity > units.unclaimed:
            message = f"Only {units.unclaimed} of {title} can still be asked for."
            return NotEligible(TicketObstacle.ALREADY_ASKED, message, field=path)
        code, message = STAGE_OBSTACLES[stage]
        return NotEligible(code, f"{title} {message}.", field=path)
    if stage is ClaimStage.WAITING and leaves_nothing_to_send(case.claim.lines, case.units):
        return NotEligible(
            TicketObstacle.CANCEL_INSTEAD, "Nothing has been packed yet: you can cancel the order."
        )
    return None


def leaves_nothing_to_send(lines: Sequence[ClaimedUnits], units: Mapping[int, LineUnits]) -> bool:
    """Whether an order of which nothing was packed yet would have nothing left to send."""
    if any(each.packed for each in units.values()):
        return False
    waiting = sum(each.waiting - each.withdrawing for each in units.values())
    return sum(claimed.quantity for claimed in lines) >= waiting
