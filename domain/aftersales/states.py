"""The transitions of a ticket, and what a status means for the units and the money it is about."""

from collections.abc import Mapping
from datetime import datetime

from domain.aftersales.deadlines import Deadlines
from domain.aftersales.priority import rank_ticket
from domain.state import move, transition_table
from models import Ticket, TicketStatus, TicketType

TRANSITIONS = transition_table(
    TicketStatus.APPLIED,
    {
        TicketStatus.APPLIED: {
            TicketStatus.REFUNDING,
            TicketStatus.AWAITING_RETURN,
            TicketStatus.RESHIPPING,
            TicketStatus.AWAITING_CHOICE,
            TicketStatus.REFUSED,
            TicketStatus.CANCELLED,
            TicketStatus.ANSWERED,
            TicketStatus.COMPLETED,  # of a question, by the staff
        },
        TicketStatus.ANSWERED: {TicketStatus.APPLIED, TicketStatus.COMPLETED, TicketStatus.CANCELLED},
        TicketStatus.AWAITING_RETURN: {
            TicketStatus.RETURN_SHIPPED,
            TicketStatus.CANCELLED,
            TicketStatus.ARBITRATION,  # of what has not reached its customer
        },
        TicketStatus.RETURN_SHIPPED: {
            TicketStatus.REFUNDING,
            TicketStatus.RESHIPPING,
            TicketStatus.AWAITING_CHOICE,
            TicketStatus.AWAITING_PAYMENT,
            TicketStatus.REPAIRING,
            TicketStatus.RETURN_REFUSED,
            TicketStatus.CANCELLED,
        },
        TicketStatus.RETURN_REFUSED: {TicketStatus.ARBITRATION},
        TicketStatus.REPAIRING: {TicketStatus.RESHIPPING, TicketStatus.AWAITING_CHOICE},
        TicketStatus.RESHIPPING: {TicketStatus.COMPLETED, TicketStatus.AWAITING_CHOICE},
        TicketStatus.AWAITING_CHOICE: {
            TicketStatus.AWAITING_STOCK,
            TicketStatus.AWAITING_PAYMENT,
            TicketStatus.RESHIPPING,
            TicketStatus.REFUNDING,
        },
        TicketStatus.AWAITING_STOCK: {
            TicketStatus.RESHIPPING,
            TicketStatus.AWAITING_PAYMENT,
            TicketStatus.REFUNDING,
        },
        TicketStatus.AWAITING_PAYMENT: {TicketStatus.RESHIPPING, TicketStatus.AWAITING_CHOICE},
        TicketStatus.REFUNDING: {TicketStatus.COMPLETED, TicketStatus.REFUND_FAILED},
        TicketStatus.REFUND_FAILED: {TicketStatus.REFUNDING},
        TicketStatus.REFUSED: {TicketStatus.APPLIED, TicketStatus.ARBITRATION},
        TicketStatus.ARBITRATION: {
            TicketStatus.REFUNDING,
            TicketStatus.AWAITING_RETURN,
            TicketStatus.RESHIPPING,
            TicketStatus.AWAITING_CHOICE,
            TicketStatus.AWAITING_PAYMENT,
            TicketStatus.REPAIRING,
            TicketStatus.REJECTED,
        },
        TicketStatus.REJECTED: set(),
        TicketStatus.COMPLETED: set(),
        TicketStatus.CANCELLED: set(),
    },
)

STATUS_WHEN_AGREED: Mapping[TicketType, TicketStatus] = {
    TicketType.REFUND_ONLY: TicketStatus.REFUNDING,
    TicketType.RETURN_REFUND: TicketStatus.AWAITING_RETURN,
    TicketType.EXCHANGE: TicketStatus.AWAITING_RETURN,
    TicketType.RESHIP: TicketStatus.RESHIPPING,
    TicketType.REPAIR: TicketStatus.AWAITING_RETURN,
}
"""The status a ticket reaches when the shop agrees."""

STATUS_WHEN_ACCEPTED: Mapping[TicketType, TicketStatus] = {
    TicketType.RETURN_REFUND: TicketStatus.REFUNDING,
    TicketType.EXCHANGE: TicketStatus.RESHIPPING,
    TicketType.REPAIR: TicketStatus.REPAIRING,
}
"""The status a ticket reaches when the shop accepts what came back."""

REFUND_TYPES = frozenset({TicketType.REFUND_ONLY, TicketType.RETURN_REFUND})
"""The types that end with a refund."""

FINAL = frozenset(status for status, to in TRANSITIONS.items() if not to)

DECLINED = frozenset(
    {TicketStatus.REFUSED, TicketStatus.RETURN_REFUSED, TicketStatus.REJECTED, TicketStatus.CANCELLED}
)
"""A ticket in one of these leaves its units free for another."""

SETTLED = frozenset({TicketStatus.REFUNDING, TicketStatus.REFUND_FAILED, TicketStatus.COMPLETED})
"""What the ticket asks for is granted and under way, or done."""

UNSETTLED = frozenset(TicketStatus) - DECLINED - SETTLED
"""What the ticket asks for is not granted yet, or not done."""

CHOOSABLE = frozenset(
    {TicketStatus.AWAITING_CHOICE, TicketStatus.AWAITING_STOCK, TicketStatus.AWAITING_PAYMENT}
)
"""The customer may choose what to get in place of the replacement."""

UNPROMISED = CHOOSABLE | {TicketStatus.RESHIPPING}
"""The ticket's refund, if it has one, has been requested: it is not promised besides."""

AGREED = CHOOSABLE | SETTLED | {TicketStatus.RESHIPPING, TicketStatus.REPAIRING}
"""What the ticket asks for is granted."""


def enter_status(ticket: Ticket, to: TicketStatus, deadlines: Deadlines, *, now: datetime) -> None:
    """Move a ticket to a status and set when it is due there, and how urgent it is.

    Whoever has written waits on for an answer, except where it ends: what the shop does by itself is none.
    """
    move(ticket, to, TRANSITIONS)
    ticket.due_at = deadlines.due_at(to, now)
    ticket.closed_at = now if to in FINAL else None
    ticket.overdue_since = ticket.overdue_obstacle = None
    if to in FINAL:
        ticket.end_waiting()
    rank_ticket(ticket, deadlines, now=now)


def answer_customer(ticket: Ticket, deadlines: Deadlines, *, now: datetime) -> None:
    """Note that people have answered what the customer has written: by a message, or by what they decide."""
    ticket.unanswered_since = None
    rank_ticket(ticket, deadlines, now=now)
