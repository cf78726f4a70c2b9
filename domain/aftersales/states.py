"""What may become of a ticket, who is waited for, and how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.state import move, table
from models import Ticket, TicketStatus, TicketType

TRANSITIONS = table(
    TicketStatus.APPLIED,
    {
        TicketStatus.APPLIED: {
            TicketStatus.REFUNDING,
            TicketStatus.AWAITING_RETURN,
            TicketStatus.RESHIPPING,
            TicketStatus.REFUSED,
            TicketStatus.CANCELLED,
        },
        TicketStatus.AWAITING_RETURN: {TicketStatus.RETURN_SHIPPED, TicketStatus.CANCELLED},
        TicketStatus.RETURN_SHIPPED: {
            TicketStatus.REFUNDING,
            TicketStatus.RESHIPPING,
            TicketStatus.RETURN_REFUSED,
            TicketStatus.CANCELLED,
        },
        TicketStatus.RETURN_REFUSED: {TicketStatus.ARBITRATION},
        TicketStatus.RESHIPPING: {TicketStatus.COMPLETED},
        TicketStatus.REFUNDING: {TicketStatus.COMPLETED, TicketStatus.REFUND_FAILED},
        TicketStatus.REFUND_FAILED: {TicketStatus.REFUNDING},
        TicketStatus.REFUSED: {TicketStatus.APPLIED, TicketStatus.ARBITRATION},
        TicketStatus.ARBITRATION: {
            TicketStatus.REFUNDING,
            TicketStatus.AWAITING_RETURN,
            TicketStatus.RESHIPPING,
            TicketStatus.REJECTED,
        },
        TicketStatus.REJECTED: set(),
        TicketStatus.COMPLETED: set(),
        TicketStatus.CANCELLED: set(),
    },
)

AGREED: Mapping[TicketType, TicketStatus] = {
    TicketType.REFUND_ONLY: TicketStatus.REFUNDING,
    TicketType.RETURN_REFUND: TicketStatus.AWAITING_RETURN,
    TicketType.EXCHANGE: TicketStatus.AWAITING_RETURN,
    TicketType.RESHIP: TicketStatus.RESHIPPING,
}
"""What follows when the shop agrees."""

ACCEPTED: Mapping[TicketType, TicketStatus] = {
    TicketType.RETURN_REFUND: TicketStatus.REFUNDING,
    TicketType.EXCHANGE: TicketStatus.RESHIPPING,
}
"""What follows when the shop accepts what came back."""

REFUNDS = frozenset({TicketType.REFUND_ONLY, TicketType.RETURN_REFUND})
"""The types that end with money."""

FINAL = frozenset(status for status, to in TRANSITIONS.items() if not to)

TURNED_DOWN = frozenset(
    {TicketStatus.REFUSED, TicketStatus.RETURN_REFUSED, TicketStatus.REJECTED, TicketStatus.CANCELLED}
)
"""A ticket in one of these leaves its units free for another."""

SETTLED = frozenset({TicketStatus.REFUNDING, TicketStatus.REFUND_FAILED, TicketStatus.COMPLETED})
"""What the ticket is about will be granted, or has been."""

UNSETTLED = frozenset(TicketStatus) - TURNED_DOWN - SETTLED
"""The ticket may still come to nothing."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long everybody has."""

    return_window: timedelta
    """To send something back without a reason, after receipt."""
    quality_window: timedelta
    """To complain, after receipt."""
    answer: timedelta
    """For the shop to answer a customer."""
    send_back: timedelta
    """For the customer to send goods back."""
    inspect: timedelta
    """For the shop to look at what was sent back."""

    def due_at(self, status: TicketStatus, now: datetime) -> datetime | None:
        """When a ticket that reaches `status` now falls due; None where nobody is hurried."""
        match status:
            case TicketStatus.APPLIED:
                return now + self.answer
            case TicketStatus.AWAITING_RETURN:
                return now + self.send_back
            case TicketStatus.RETURN_SHIPPED:
                return now + self.inspect
        return None


def enter(ticket: Ticket, to: TicketStatus, deadlines: Deadlines, *, now: datetime) -> None:
    """Move a ticket on and start the clock of its new status."""
    move(ticket, to, TRANSITIONS)
    ticket.due_at = deadlines.due_at(to, now)
    ticket.closed_at = now if to in FINAL else None
