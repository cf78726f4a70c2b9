"""The transitions of an order's status, and groups of states that rules refer to."""

from domain.state import transition_table
from models import FulfilmentStatus, OrderStatus

TRANSITIONS = transition_table(
    OrderStatus.PENDING,
    {
        OrderStatus.PENDING: {OrderStatus.CONFIRMED, OrderStatus.CANCELLED},
        OrderStatus.CONFIRMED: {OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED},
        OrderStatus.COMPLETED: {OrderStatus.CLOSED},
        OrderStatus.CANCELLED: set(),
        OrderStatus.CLOSED: set(),
    },
)

NOT_DISPATCHED = frozenset({FulfilmentStatus.UNFULFILLED, FulfilmentStatus.PACKING})
"""No parcel has left the warehouse."""

WHOLLY_SHIPPED = frozenset({FulfilmentStatus.SHIPPED, FulfilmentStatus.DELIVERED, FulfilmentStatus.RETURNED})

FINAL = frozenset({OrderStatus.CANCELLED, OrderStatus.CLOSED})
"""No money is expected any more."""
