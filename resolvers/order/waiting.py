"""Units of orders that wait for stock to come."""

from collections.abc import Sequence

from models import DeliveryLine, OrderLine
from resolvers.context import Info


async def backordered_units(lines: Sequence[OrderLine], info: Info) -> Sequence[int]:
    """How many of its units still wait for stock to come, replacements included."""
    return await info.context.load.order_line_waiting.load_many([line.id for line in lines])


async def waiting_units(lines: Sequence[DeliveryLine], info: Info) -> Sequence[int]:
    """How many of them still wait for stock to come."""
    return await info.context.load.delivery_line_waiting.load_many([line.id for line in lines])
