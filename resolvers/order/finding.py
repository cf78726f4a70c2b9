"""Finding orders and their parts, as far as the viewer may see them."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.errors import NotFound
from models import Delivery, DeliveryLine, DeliveryRun, Order, OrderLine
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id


async def find_order(info: Info, order_id: int) -> Order | None:
    """The order, if the viewer may see it."""
    return await visible_order(info, await info.context.load.order.load(order_id))


async def visible_order(info: Info, order: Order | None) -> Order | None:
    """The order where the viewer is its customer, may see all orders, or brings a parcel of it, else None."""
    if order is None:
        return None
    viewer = info.context.viewer
    if viewer.may(Permission.ORDER_VIEW_ALL) or viewer.owns(order.account_id):
        return order
    if viewer.may(Permission.DELIVERY_RUN_DRIVE):
        return order if is_carried(info, await info.context.load.order_runs.load(order.id)) else None
    return None


def is_carried(info: Info, runs: Sequence[DeliveryRun]) -> bool:
    """Whether one of these delivery runs is the viewer's, and has not ended long ago."""
    return any(info.context.viewer.owns(run.courier_id) and is_recent(info, run) for run in runs)


def is_recent(info: Info, run: DeliveryRun) -> bool:
    """Whether couriers still see the parcels of a delivery run."""
    return run.ended_at is None or run.ended_at > couriers_see_since(info)


def couriers_see_since(info: Info) -> datetime:
    """When a delivery run has ended at the earliest whose parcels couriers see."""
    return info.context.now - info.context.shop.settings.accounts.courier_access


async def own_order_id(info: Info, id: strawberry.ID) -> int:
    """The row id of an order that the viewer may change; NotFound for any other."""
    order = await find_order(info, row_id(id, "Order"))
    if order is None:
        raise NotFound("order", field=("id",))
    return order.id


async def find_order_line(info: Info, line_id: int) -> OrderLine | None:
    """The line, if the viewer may see it: of couriers those of which they bring something."""
    line = await info.context.load.order_line.load(line_id)
    if line is None or not await find_order(info, line.order_id):
        return None
    if info.context.viewer.may(Permission.ORDER_DETAILS):
        return line
    return line if is_carried(info, await info.context.load.order_line_runs.load(line.id)) else None


async def find_delivery(info: Info, delivery_id: int) -> Delivery | None:
    """The delivery, if the viewer may see it: of couriers those that they bring something of."""
    delivery = await info.context.load.delivery.load(delivery_id)
    if delivery is None or not await find_order(info, delivery.order_id):
        return None
    if info.context.viewer.may(Permission.ORDER_DETAILS):
        return delivery
    return (
        delivery if is_carried(info, await info.context.load.delivery_parcel_runs.load(delivery.id)) else None
    )


async def find_delivery_line(info: Info, line_id: int) -> DeliveryLine | None:
    line = await info.context.load.delivery_line.load(line_id)
    return line if line and await find_delivery(info, line.delivery_id) else None
