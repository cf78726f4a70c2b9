"""What may become of an order."""

from domain.state import table
from models import FulfilmentStatus, OrderStatus

TRANSITIONS = table(
    OrderStatus.PENDING,
    {
        OrderStatus.PENDING: {OrderStatus.CONFIRMED, OrderStatus.CANCELLED},
        OrderStatus.CONFIRMED: {OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.CLOSED},
        OrderStatus.COMPLETED: {OrderStatus.CLOSED},
        OrderStatus.CANCELLED: set(),
        OrderStatus.CLOSED: set(),
    },
)

IN_HOUSE = frozenset({FulfilmentStatus.UNFULFILLED, FulfilmentStatus.PACKING})
"""Nothing has left yet."""

GONE = frozenset({FulfilmentStatus.SHIPPED, FulfilmentStatus.DELIVERED, FulfilmentStatus.RETURNED})
"""Everything has left."""

OVER = frozenset({OrderStatus.CANCELLED, OrderStatus.CLOSED})
"""No money is expected any more."""
