"""Events of after-sales tickets."""

from collections.abc import Sequence

from domain.events.types import EventLine, TicketEvent
from models import (
    CurrencyCode,
    RefundTarget,
    RepairOutcome,
    ReplacementChoice,
    ReturnTask,
    RuleObstacle,
    ShipmentStatus,
    TicketReason,
    TicketType,
)


class TicketClaimEvent(TicketEvent, abstract=True):
    """A customer asks for something: what, why, and how much money it comes to, in minor units."""

    number: str
    type: TicketType
    reason: TicketReason
    currency: CurrencyCode
    refund_amount: int
    lines: Sequence[EventLine]


class TicketOpened(TicketClaimEvent, name="ticket.opened"):
    pass


class TicketReapplied(TicketClaimEvent, name="ticket.reapplied"):
    pass


class TicketAgreed(TicketEvent, name="ticket.agreed"):
    answers = True
    unanswered: bool = False
    """Nobody answered in time."""
    rule_id: int | None = None
    """The version of the rule that has agreed; None where somebody has."""


class TicketRefused(TicketEvent, name="ticket.refused"):
    answers = True
    reason: str


class TicketPostponed(TicketEvent, name="ticket.postponed"):
    """Recorded up to release 0.2.0, for replacements that were sold out."""

    reason: str


class TicketOverdue(TicketEvent, name="ticket.overdue"):
    """Nobody has answered in time, and only people can decide."""

    obstacle: RuleObstacle | None = None
    """Why no rule has agreed."""


class TicketReplacementUnavailable(TicketEvent, name="ticket.replacement_unavailable"):
    """The replacement is sold out or came back: the customer chooses what to get instead."""


class TicketDifferenceDue(TicketEvent, name="ticket.difference_due"):
    """The replacement costs more: it is kept until the customer has paid that, in minor units."""

    amount: int


class TicketDifferencePaid(TicketEvent, name="ticket.difference_paid"):
    """The customer has paid what the replacement costs more, and it is sent."""


class TicketDifferenceUnpaid(TicketEvent, name="ticket.difference_unpaid"):
    """What the replacement costs more was not paid in time: the customer chooses what to get instead."""


class TicketReplacementChosen(TicketEvent, name="ticket.replacement_chosen"):
    choice: ReplacementChoice
    variant_id: int | None = None


class TicketRefundTargetChosen(TicketEvent, name="ticket.refund_target_chosen"):
    target: RefundTarget


class TicketReplacementFilled(TicketEvent, name="ticket.replacement_filled"):
    """There is stock of what the customer waited for."""


class TicketCancelled(TicketEvent, name="ticket.cancelled"):
    unsent: bool = False
    """Nothing was sent back in time."""
    order_over: bool = False
    """The order was cancelled, or refunded in full."""


class TicketMerged(TicketEvent, name="ticket.merged"):
    """A duplicate has ended: it goes on as another ticket."""

    into_id: int
    into_number: str
    messages: int
    """How many messages went on with it."""


class TicketDuplicateJoined(TicketEvent, name="ticket.duplicate_joined"):
    """A duplicate goes on as this ticket."""

    duplicate_id: int
    number: str


class TicketSplit(TicketEvent, name="ticket.split"):
    """Some of its units are a ticket of their own."""

    into_id: int
    into_number: str


class TicketSplitOff(TicketClaimEvent, name="ticket.split_off"):
    """It has some of the units of another ticket."""


class TicketReturnShipped(TicketEvent, name="ticket.return_shipped"):
    pass


class TicketCollectionBooked(TicketEvent, name="ticket.collection_booked"):
    """A carrier comes and collects what its customer sends back."""


class TicketCollectionCancelled(TicketEvent, name="ticket.collection_cancelled"):
    """The carrier need not come."""


class TicketReturnTaken(TicketEvent, name="ticket.return_taken"):
    """A carrier has what its customer sends back."""


class TicketReturnTracked(TicketEvent, name="ticket.return_tracked"):
    """Something was reported of the parcel that comes back."""

    return_status: ShipmentStatus


class TicketReturnDelivered(TicketEvent, name="ticket.return_delivered"):
    """The warehouse has what its customer has sent back."""


class TicketReturnOverdue(TicketEvent, name="ticket.return_overdue"):
    """Somebody of the staff should look after what comes back."""

    task: ReturnTask


class TicketReturnAccepted(TicketEvent, name="ticket.return_accepted"):
    answers = True
    damaged: bool | None = None
    """Recorded up to release 0.2.0, as is its note: units have conditions of their own now."""
    note: str | None = None
    refused_ticket_id: int | None = None
    """The ticket of the units that were refused; None where all were accepted."""
    unseen: bool = False
    """Nobody inspected the return in time."""
    rule_id: int | None = None
    """The version of the rule that has accepted it; None where somebody has."""


class TicketRepairFinished(TicketEvent, name="ticket.repair_finished"):
    """What was sent in was repaired and goes back, or cannot be and its customer chooses."""

    answers = True
    outcome: RepairOutcome
    note: str


class TicketReturnRefused(TicketEvent, name="ticket.return_refused"):
    answers = True
    reason: str


class TicketReturnShort(TicketEvent, name="ticket.return_short"):
    """What was granted before anybody had looked at it turned out not to be there."""

    quantity: int


class TicketEscalated(TicketEvent, name="ticket.escalated"):
    lost: bool = False
    """By itself, since refused goods got lost on their way back to the customer."""


class TicketDecided(TicketEvent, name="ticket.decided"):
    answers = True
    agreed: bool
    reason: str


class TicketAssigned(TicketEvent, name="ticket.assigned"):
    assignee_id: int | None


class TicketMessageAdded(TicketEvent, name="ticket.message"):
    answers = True
    message_id: int


class TicketClosed(TicketEvent, name="ticket.closed"):
    """A question has been answered."""

    unasked: bool = False
    """The customer has not written again in time."""


class TicketRated(TicketEvent, name="ticket.rated"):
    rating: int
    """From 1 to 5."""


class TicketRefundFailed(TicketEvent, name="ticket.refund_failed"):
    pass


class TicketRefundRetried(TicketEvent, name="ticket.refund_retried"):
    pass


class TicketCompleted(TicketEvent, name="ticket.completed"):
    pass
