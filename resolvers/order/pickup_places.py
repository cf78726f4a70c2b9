"""Where an order that is being quoted can be collected."""

from dataclasses import dataclass

from domain.order import OrderQuote
from loaders.stock import all_warehouses
from models import Warehouse
from resolvers.context import Info


@dataclass(frozen=True, slots=True)
class PickupPlace:
    """A place where an order can be collected."""

    warehouse: Warehouse
    ready: bool
    orderable: bool


async def pickup_places(root: OrderQuote, info: Info) -> list[PickupPlace]:
    """The places where it can be collected, the main one first, and what is there of it."""
    warehouses = await all_warehouses(info.context.shop.database.reads)
    places = [each for each in warehouses if each.active and each.allows_pickup]
    return [describe_place(place, root) for place in places]


def describe_place(place: Warehouse, quote: OrderQuote) -> PickupPlace:
    """Whether all that is sent or collected of an order is at a place, or can be ordered for it."""
    collected = [line for line in quote.lines if line.variant.requires_shipping]
    missing = [
        line
        for line in collected
        if line.variant.tracked and line.item.variant_stock.stock.get(place.id, 0) < line.quantity
    ]
    return PickupPlace(
        place,
        ready=bool(collected) and not missing,
        orderable=bool(collected) and not any(line.variant.can_sell_out for line in missing),
    )
