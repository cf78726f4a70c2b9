"""Changes of orders for which payments that are being made are stopped."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from events.payment import change_stopping_payments
from resolvers.context import Info

T = TypeVar("T")


async def stopping_payments(info: Info, order_id: int, change: Callable[[], Awaitable[T]]) -> T:
    """Change an order; a payment of it that is being made is closed at its provider first."""
    context = info.context
    return await change_stopping_payments(context.shop, order_id, change, by=context.viewer.id)
