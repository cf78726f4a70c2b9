"""Finding orders and their parts, as far as the viewer may see them."""

import strawberry

from domain.errors import NotFound
from models import Delivery, DeliveryLine, Order, OrderLine
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id


async def find_order(info: Info, order_id: int) -> Order | None:
    """The order, if the viewer may see it."""
    return visible_order(info, await info.context.load.order.load(order_id))


def visible_order(info: Info, order: Order | None) -> Order | None:
    """The order where the viewer is its customer or may see all orders, else None."""
    viewer = info.context.viewer
    if order is None or not (viewer.may(Permission.ORDER_VIEW_ALL) or viewer.owns(order.account_id)):
        return None
    return order


async def own_order_id(info: Info, id: strawberry.ID) -> int:
    """The row id of an order that the viewer may change; NotFound for any other."""
    order = await find_order(info, row_id(id, "Order"))
    if order is None:
        raise NotFound("order", field=("id",))
    return order.id


async def find_order_line(info: Info, line_id: int) -> OrderLine | None:
    line = await info.context.load.order_line.load(line_id)
    return line if line and await find_order(info, line.order_id) else None


async def find_delivery(info: Info, delivery_id: int) -> Delivery | None:
    delivery = await info.context.load.delivery.load(delivery_id)
    return delivery if delivery and await find_order(info, delivery.order_id) else None


async def find_delivery_line(info: Info, line_id: int) -> DeliveryLine | None:
    line = await info.context.load.delivery_line.load(line_id)
    return line if line and await find_delivery(info, line.delivery_id) else None
