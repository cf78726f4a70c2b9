"""The transitions of an order's status, and groups of states that rules refer to."""

from domain.state import transition_table
from models import FulfilmentStatus, OrderStatus, RefundStatus, ShipmentStatus, TicketReason, TicketStatus

TRANSITIONS = transition_table(
    OrderStatus.PENDING,
    {
        OrderStatus.PENDING: {OrderStatus.CONFIRMED, OrderStatus.CANCELLED},
        OrderStatus.CONFIRMED: {OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED},
        OrderStatus.COMPLETED: {OrderStatus.CONFIRMED},
        OrderStatus.CANCELLED: set(),
        OrderStatus.CLOSED: set(),
    },
)

NOT_DISPATCHED = frozenset({FulfilmentStatus.UNFULFILLED, FulfilmentStatus.PACKING})
"""No parcel has left the warehouse."""

WHOLLY_SHIPPED = frozenset({FulfilmentStatus.SHIPPED, FulfilmentStatus.DELIVERED, FulfilmentStatus.RETURNED})

FINAL = frozenset({OrderStatus.CANCELLED, OrderStatus.CLOSED})
"""Nothing happens any more: no money is expected, and nothing is sent or claimed."""

OPEN_TICKETS = frozenset(TicketStatus) - {
    TicketStatus.COMPLETED,
    TicketStatus.CANCELLED,
    TicketStatus.REJECTED,
    TicketStatus.REFUSED,
    TicketStatus.RETURN_REFUSED,
}
"""A ticket in one of these keeps its order from ending. After a refusal only the customer can go on, which
opens the order again."""

WITHDRAWAL_REASONS = frozenset({TicketReason.NO_REASON})
"""With one of these a refund without a return takes units off the order that are not packed yet."""

CANCELLABLE_TICKETS = frozenset(
    {TicketStatus.APPLIED, TicketStatus.AWAITING_RETURN, TicketStatus.RETURN_SHIPPED}
)
"""A ticket in one of these is cancelled with its order."""

TICKETS_BEFORE_CANCELLING = (
    OPEN_TICKETS - CANCELLABLE_TICKETS - {TicketStatus.REFUNDING, TicketStatus.REFUND_FAILED}
)
"""While a ticket is in one of these something is still owed, and its order is not cancelled."""

OPEN_REFUNDS = frozenset(RefundStatus) - {RefundStatus.SUCCEEDED, RefundStatus.DECLINED}

UNDER_WAY = frozenset(ShipmentStatus) - {ShipmentStatus.DELIVERED}
"""A parcel in one of these is still to arrive, or to be dealt with by the warehouse, unless it has ended."""
