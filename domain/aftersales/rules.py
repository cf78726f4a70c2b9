"""Who may ask for what, and until when: no session, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto

from domain.aftersales.states import REFUNDS, Deadlines
from domain.errors import DomainError, ErrorCode
from models import Order, OrderLine, OrderStatus, TicketReason, TicketType

REASONS: Mapping[TicketType, frozenset[TicketReason]] = {
    TicketType.REFUND_ONLY: frozenset(TicketReason),
    TicketType.RETURN_REFUND: frozenset(TicketReason)
    - {TicketReason.MISSING_ITEM, TicketReason.NOT_RECEIVED},
    TicketType.EXCHANGE: frozenset(
        {
            TicketReason.QUALITY_FAULT,
            TicketReason.WRONG_ITEM,
            TicketReason.DAMAGED,
            TicketReason.NOT_AS_DESCRIBED,
        }
    ),
    TicketType.RESHIP: frozenset(
        {TicketReason.MISSING_ITEM, TicketReason.WRONG_ITEM, TicketReason.NOT_RECEIVED}
    ),
}
"""The reasons each type takes."""


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


class Stage(Enum):
    """How far the units a claim is about have come."""

    WAITING = auto()
    SENT = auto()
    ARRIVED = auto()


def stage_of(type: TicketType, reason: TicketReason) -> Stage:
    """Where units must be for such a claim."""
    if reason is TicketReason.NOT_RECEIVED:
        return Stage.SENT
    if type is TicketType.REFUND_ONLY and reason is TicketReason.NO_REASON:
        return Stage.WAITING
    return Stage.ARRIVED


def is_fault(reason: TicketReason) -> bool:
    """Whether the shop is to blame."""
    return reason is not TicketReason.NO_REASON


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of an order line that a customer claims something for."""

    line_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What a customer asks for, and why."""

    type: TicketType
    reason: TicketReason
    lines: tuple[Wanted, ...]

    @property
    def stage(self) -> Stage:
        return stage_of(self.type, self.reason)

    @property
    def refunds(self) -> bool:
        return self.type in REFUNDS


@dataclass(slots=True)
class Units:
    """What has become of the units of one order line, and what other tickets have taken of them."""

    bought: int
    waiting: int = 0
    """Neither packed nor withdrawn."""
    sent: int = 0
    """Left the warehouse, wherever they are now."""
    arrived: int = 0
    claimed: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(Stage, 0))
    """By tickets that were not turned down."""
    withdrawing: int = 0
    """Waiting, but asked for by a ticket that has not been agreed yet."""
    refunded: int = 0
    """By tickets that end with money."""
    refunded_amount: int = 0
    refunded_for_fault: int = 0
    """By tickets that are settled and were the shop's fault."""

    @property
    def unclaimed(self) -> int:
        return self.bought - sum(self.claimed.values())

    def left(self, stage: Stage) -> int:
        """Units that may still be claimed at this stage."""
        still_sent = self.sent - self.claimed[Stage.SENT] - self.claimed[Stage.ARRIVED]
        there = {
            Stage.WAITING: self.waiting - self.withdrawing,
            Stage.SENT: still_sent,
            Stage.ARRIVED: min(self.arrived - self.claimed[Stage.ARRIVED], still_sent),
        }
        return max(0, min(self.unclaimed, there[stage]))

    @property
    def packed(self) -> int:
        """Packed or sent: bought, and neither waiting nor withdrawn."""
        return self.bought - self.waiting - (self.claimed[Stage.WAITING] - self.withdrawing)


MISPLACED: Mapping[Stage, tuple[TicketObstacle, str]] = {
    Stage.WAITING: (TicketObstacle.ALREADY_SHIPPED, "has been packed or sent: return it when it has arrived"),
    Stage.SENT: (TicketObstacle.NOT_SHIPPED, "has not been sent yet"),
    Stage.ARRIVED: (TicketObstacle.NOT_DELIVERED, "has not arrived yet"),
}


def deadline(order: Order, reason: TicketReason, deadlines: Deadlines) -> datetime | None:
    """The last moment to ask; None while the goods have not been received."""
    received_at = order.completed_at or order.delivered_at
    if received_at is None:
        return None
    return received_at + (deadlines.quality_window if is_fault(reason) else deadlines.return_window)


@dataclass(frozen=True, slots=True)
class Case:
    """A claim, and all that decides about it."""

    order: Order
    claim: Claim
    lines: Mapping[int, OrderLine]
    units: Mapping[int, Units]
    captured: int
    refundable: int
    """What was taken for the order and neither went back nor is promised to other tickets."""


def obstacle(case: Case, deadlines: Deadlines, *, asked_at: datetime) -> NotEligible | None:
    """The first thing that stands in the way of a claim."""
    if case.claim.reason not in REASONS[case.claim.type]:
        return NotEligible(
            TicketObstacle.REASON_NOT_ALLOWED, "This reason does not fit what you ask for.", field=("reason",)
        )
    last = deadline(case.order, case.claim.reason, deadlines)
    if last is not None and last < asked_at:
        return NotEligible(
            TicketObstacle.WINDOW_CLOSED, f"The time for this ended on {last:%Y-%m-%d at %H:%M} UTC."
        )
    return of_the_order(case) or of_the_units(case)


def of_the_order(case: Case) -> NotEligible | None:
    if case.order.status in {OrderStatus.CANCELLED, OrderStatus.CLOSED}:
        return NotEligible(
            TicketObstacle.ORDER_OVER, "This order was cancelled or has been refunded in full."
        )
    if case.order.status is OrderStatus.PENDING:
        return NotEligible(TicketObstacle.NOT_PAID, "This order has not been paid yet.")
    if case.claim.refunds and case.captured and not case.refundable:
        return NotEligible(TicketObstacle.ORDER_OVER, "All that was paid has been refunded or promised back.")
    if case.claim.refunds and not case.captured and case.order.total_amount:
        return NotEligible(TicketObstacle.NOT_PAID, "Nothing has been paid for this order yet.")
    if case.claim.stage is Stage.WAITING and case.captured < case.order.total_amount:
        return NotEligible(TicketObstacle.NOT_PAID, "This order has not been paid in full yet.")
    return None


def of_the_units(case: Case) -> NotEligible | None:
    stage = case.claim.stage
    for index, wanted in enumerate(case.claim.lines):
        units, title = case.units[wanted.line_id], case.lines[wanted.line_id].title
        if wanted.quantity <= units.left(stage):
            continue
        where = ("lines", index, "quantity")
        if wanted.quantity > units.unclaimed:
            words = f"Only {units.unclaimed} of {title} can still be asked for."
            return NotEligible(TicketObstacle.ALREADY_ASKED, words, field=where)
        code, words = MISPLACED[stage]
        return NotEligible(code, f"{title} {words}.", field=where)
    if stage is Stage.WAITING and empties(case.claim.lines, case.units):
        return NotEligible(
            TicketObstacle.CANCEL_INSTEAD, "Nothing has been packed yet: you can cancel the order."
        )
    return None


def empties(lines: Sequence[Wanted], units: Mapping[int, Units]) -> bool:
    """Whether an order of which nothing was packed yet would have nothing left to send."""
    if any(each.packed for each in units.values()):
        return False
    waiting = sum(each.waiting - each.withdrawing for each in units.values())
    return sum(wanted.quantity for wanted in lines) >= waiting
