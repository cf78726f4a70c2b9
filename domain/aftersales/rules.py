"""Who may ask for what and until when, decided without a session or a clock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum

from domain.aftersales.reasons import REASONS, ClaimStage, stage_of
from domain.aftersales.sent_units import PickedUnits, SentUnits
from domain.aftersales.states import REFUND_TYPES, STATUS_WHEN_ACCEPTED
from domain.aftersales.substitute import SubstituteVariant
from domain.errors import DomainError, ErrorCode, Path
from domain.order import label_of_line
from models import Order, OrderLine, OrderStatus, TicketReason, TicketType
from text.messages import Fact, Localized


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
    CAME_BACK = "CAME_BACK"
    """The parcel came back to the shop, which settles it by itself."""
    TOO_EARLY = "TOO_EARLY"
    """The parcel may still arrive in time."""
    WINDOW_CLOSED = "WINDOW_CLOSED"
    """The time for such a request is over."""
    EXCLUDED = "EXCLUDED"
    """It cannot be returned without a reason, as was confirmed when it was ordered."""
    REASON_REFUSED = "REASON_REFUSED"
    """The terms of what was bought do not let it be claimed for this reason."""
    NOT_RETURNABLE = "NOT_RETURNABLE"
    """It was never sent, and cannot come back."""
    ALREADY_ASKED = "ALREADY_ASKED"
    """Other tickets are about these units already."""
    SAME_AGAIN = "SAME_AGAIN"
    """It is not exchanged for the same again without a fault: something else must be named."""
    SOLD_OUT = "SOLD_OUT"
    """There is too little of what is wanted instead."""


class NotEligible(DomainError):
    code = ErrorCode.NOT_ELIGIBLE

    def __init__(
        self,
        obstacle: TicketObstacle,
        template: str,
        /,
        *,
        field: Path = (),
        plural: str = "",
        **facts: Fact,
    ) -> None:
        super().__init__(template, field=field, plural=plural, **facts)
        self.obstacle = obstacle


@dataclass(frozen=True, slots=True)
class ClaimedUnits:
    """Units of an order line that a customer claims something for."""

    order_line_id: int
    quantity: int
    shipment_id: int | None = None
    """The parcel they came in; None for those that came first."""
    variant_id: int | None = None
    """What is wanted in their place by an exchange; None for the same again."""


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
    sent: list[SentUnits] = field(default_factory=list)
    """What left the warehouse, replacements included, in the order of its packing."""
    withdrawn: int = 0
    """By tickets that were not declined, before they were packed."""
    withdrawing: int = 0
    """Waiting, but asked for by a ticket that has not been agreed yet."""
    refunded: int = 0
    """By tickets that end with a refund."""
    refunded_amount: int = 0
    """What was refunded for them, as far as it was paid for the units that were ordered, in minor units."""
    refunded_for_fault: int = 0
    """By tickets that are settled and were the shop's fault."""

    @property
    def unclaimed(self) -> int:
        """Units that no ticket is about: of those bought, and of those sent in place of others."""
        claimed = sum(each.claimed for each in self.sent if each.replaces_ticket_id is None)
        again = sum(each.left for each in self.sent if each.replaces_ticket_id is not None)
        return max(0, self.bought - self.withdrawn - claimed) + again

    def at_stage(self, stage: ClaimStage) -> list[SentUnits]:
        """The parcels whose units have come that far: those that have not arrived first, then the oldest."""
        sent = [each for each in self.sent if not each.came_back]
        if stage is ClaimStage.ARRIVED:
            arrived = [each for each in sent if each.arrived_at is not None]
            return sorted(arrived, key=lambda each: (each.is_unpaid, each.arrived_at, each.shipment.id))
        return sorted(sent, key=lambda each: (each.arrived_at is not None, each.shipment.id))

    def left(self, stage: ClaimStage) -> int:
        """Units that may still be claimed at this stage."""
        if stage is ClaimStage.WAITING:
            return max(0, min(self.unclaimed, self.waiting - self.withdrawing))
        return sum(each.left for each in self.at_stage(stage))

    @property
    def packed(self) -> int:
        """Packed or sent: bought, and neither waiting nor withdrawn."""
        return self.bought - self.waiting - (self.withdrawn - self.withdrawing)


def refuse_stage(
    stage: ClaimStage, title: Localized, *, arrived: bool, came_back: bool, field: Path
) -> NotEligible:
    """What is refused, and how, when units have not reached the stage a claim needs, or are past it."""
    if stage is ClaimStage.WAITING and arrived:
        template = "{title} has arrived already: ask to return it instead."
        return NotEligible(TicketObstacle.ALREADY_SHIPPED, template, title=title, field=field)
    if stage is ClaimStage.WAITING:
        template = "{title} has been packed or sent: return it when it has arrived."
        return NotEligible(TicketObstacle.ALREADY_SHIPPED, template, title=title, field=field)
    if came_back:
        template = "{title} came back to the shop, which settles it by itself."
        return NotEligible(TicketObstacle.CAME_BACK, template, title=title, field=field)
    if stage is ClaimStage.SENT:
        template = "{title} has not been sent yet."
        return NotEligible(TicketObstacle.NOT_SHIPPED, template, title=title, field=field)
    template = "{title} has not arrived yet."
    return NotEligible(TicketObstacle.NOT_DELIVERED, template, title=title, field=field)


@dataclass(frozen=True, slots=True)
class ClaimCase:
    """A claim with all that decides about it; amounts are minor units."""

    order: Order
    claim: TicketClaim
    lines: Mapping[int, OrderLine]
    """All lines of the order, by id."""
    units: Mapping[int, LineUnits]
    """By order line."""
    days: Mapping[int, int]
    """For how many days after its arrival each order line can be claimed for this reason."""
    needs_picture: bool
    """Whether the customer attaches a picture that shows it."""
    refused: AbstractSet[int]
    """The order lines that cannot be claimed for this reason."""
    captured: int
    refundable: int
    """What was captured for the order and neither went back nor is promised to other tickets."""
    unpaid: int
    """What is still to be paid, and not under way."""
    substitutes: Mapping[int, SubstituteVariant] = field(default_factory=dict)
    """What is wanted in place of the claimed units, by order line."""
    available: Mapping[int, int] = field(default_factory=dict)
    """How many units of each wanted variant can be sold."""

    def parcels_of(self, claimed: ClaimedUnits) -> list[SentUnits]:
        """The parcels that claimed units may be in, in the order in which they are taken."""
        found = self.units[claimed.order_line_id].at_stage(self.claim.stage)
        return [each for each in found if claimed.shipment_id in {None, each.shipment.id}]

    def paid_of(self, claimed: ClaimedUnits) -> int:
        """How many of those units were not left unpaid at the door."""
        if self.claim.stage is ClaimStage.WAITING:
            return self.left_of(claimed)
        return sum(each.left for each in self.parcels_of(claimed) if not each.is_unpaid)

    def left_of(self, claimed: ClaimedUnits) -> int:
        """How many units can be claimed where those are."""
        if self.claim.stage is ClaimStage.WAITING:
            return self.units[claimed.order_line_id].left(ClaimStage.WAITING)
        return sum(each.left for each in self.parcels_of(claimed))


def find_type_obstacle(claim: TicketClaim) -> NotEligible | None:
    """Whether the reason does not fit what is asked for."""
    if claim.type in REASONS[claim.reason].types:
        return None
    return NotEligible(
        TicketObstacle.REASON_NOT_ALLOWED, "This reason does not fit what you ask for.", field=("reason",)
    )


def find_return_obstacle(case: ClaimCase) -> NotEligible | None:
    """The first line that cannot be sent back, where the claim needs it back."""
    if case.claim.type not in STATUS_WHEN_ACCEPTED:
        return None
    for index, claimed in enumerate(case.claim.lines):
        line = case.lines[claimed.order_line_id]
        if not line.requires_shipping:
            return NotEligible(
                TicketObstacle.NOT_RETURNABLE,
                "{title} was not sent and cannot come back: ask for a refund.",
                title=label_of_line(line),
                field=("lines", index, "order_line_id"),
            )
    return None


def find_reason_obstacles(case: ClaimCase) -> list[NotEligible]:
    """The lines that cannot be claimed for this reason, once they have been packed."""
    if case.claim.stage is ClaimStage.WAITING:
        return []
    return [
        NotEligible(
            TicketObstacle.REASON_REFUSED,
            "{title} cannot be claimed for this reason.",
            title=label_of_line(case.lines[claimed.order_line_id]),
            field=("lines", index),
        )
        for index, claimed in enumerate(case.claim.lines)
        if claimed.order_line_id in case.refused
    ]


def find_substitute_obstacle(case: ClaimCase, picked: Sequence[Sequence[PickedUnits]]) -> NotEligible | None:
    """The first line for which nothing else is named where it must be, or too little of it is left.

    `picked` are the units each line is about: what one of them is already is the same again.
    """
    must_differ = case.claim.type is TicketType.EXCHANGE and not REASONS[case.claim.reason].fault
    held = [{each.variant_id for each, _ in units} for units in picked]
    for index, claimed in enumerate(case.claim.lines):
        named = case.substitutes.get(claimed.order_line_id)
        if must_differ and (named is None or named.variant_id in held[index]):
            template = "Say what you want instead: the same again is for what was wrong."
            return NotEligible(TicketObstacle.SAME_AGAIN, template, field=("lines", index, "variant_id"))
    needed = Counter[int]()
    for index, claimed in enumerate(case.claim.lines):
        substitute = case.substitutes.get(claimed.order_line_id)
        if substitute is None or not substitute.can_sell_out or held[index] == {substitute.variant_id}:
            continue
        needed[substitute.variant_id] += claimed.quantity
        left = case.available.get(substitute.variant_id, 0)
        if needed[substitute.variant_id] > left:
            return NotEligible(
                TicketObstacle.SOLD_OUT,
                "Only {left} of {title} are left.",
                left=left,
                title=substitute.title or "",
                field=("lines", index, "variant_id"),
            )
    return None


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


def find_units_obstacles(case: ClaimCase) -> list[NotEligible]:
    """What of the claimed units stands in the way: other tickets, or how far they have come."""
    obstacles = [
        find_line_obstacle(case, claimed, ("lines", index, "quantity"))
        for index, claimed in enumerate(case.claim.lines)
    ]
    found = [each for each in obstacles if each is not None]
    is_withdrawal = case.claim.stage is ClaimStage.WAITING
    if not found and is_withdrawal and leaves_nothing_to_send(case.claim.lines, case.units):
        template = "Nothing has been packed yet: you can cancel the order."
        found.append(NotEligible(TicketObstacle.CANCEL_INSTEAD, template))
    return found


def find_line_obstacle(case: ClaimCase, claimed: ClaimedUnits, path: Path) -> NotEligible | None:
    """What of the claimed units of one line stands in the way."""
    stage = case.claim.stage
    units = case.units[claimed.order_line_id]
    title = label_of_line(case.lines[claimed.order_line_id])
    if claimed.quantity <= case.paid_of(claimed):
        return None
    if claimed.quantity <= case.left_of(claimed):
        return NotEligible(TicketObstacle.NOT_PAID, "{title} has not been paid yet.", title=title, field=path)
    if claimed.shipment_id is not None and claimed.quantity <= units.left(stage):
        template = "Only {left} of {title} in this parcel can still be asked for."
        left = case.left_of(claimed)
        return NotEligible(TicketObstacle.ALREADY_ASKED, template, left=left, title=title, field=path)
    if claimed.quantity > units.unclaimed:
        template = "Only {left} of {title} can still be asked for."
        left = units.unclaimed
        return NotEligible(TicketObstacle.ALREADY_ASKED, template, left=left, title=title, field=path)
    came_back = any(each.came_back for each in units.sent)
    arrived = claimed.quantity <= units.left(ClaimStage.ARRIVED)
    return refuse_stage(stage, title, arrived=arrived, came_back=came_back, field=path)


def leaves_nothing_to_send(lines: Sequence[ClaimedUnits], units: Mapping[int, LineUnits]) -> bool:
    """Whether an order of which nothing was packed yet would have nothing left to send."""
    left = sum(claimed.quantity for claimed in lines)
    for each in units.values():
        left -= each.waiting - each.withdrawing
        if each.packed or left < 0:
            return False
    return True
