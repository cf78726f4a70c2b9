import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from loaders.base import ByKey, ManyByKey, loader
from loaders.page import Key, Sort
from models import (
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
)

NEWEST = Sort("newest", (Key(Order.id, descending=True),))
OLDEST = Sort("oldest", (Key(Order.id),))
DEAREST = Sort("dearest", (Key(Order.total_amount, descending=True), Key(Order.id, descending=True)))


def orders_wanted(
    *,
    account_id: int | None = None,
    status: Collection[OrderStatus] | None = None,
    payment_status: Collection[OrderPaymentStatus] | None = None,
    fulfilment_status: Collection[FulfilmentStatus] | None = None,
    number: str | None = None,
    placed_from: datetime | None = None,
    placed_before: datetime | None = None,
) -> Select[Any]:
    """Orders, of one account or of all; `number` is how theirs begins."""
    wanted = select(Order)
    if account_id is not None:
        wanted = wanted.where(Order.account_id == account_id)
    if status is not None:
        wanted = wanted.where(Order.status.in_(status))
    if payment_status is not None:
        wanted = wanted.where(Order.payment_status.in_(payment_status))
    if fulfilment_status is not None:
        wanted = wanted.where(Order.fulfilment_status.in_(fulfilment_status))
    if number is not None:
        wanted = wanted.where(Order.number.startswith(number.strip().upper(), autoescape=True))
    if placed_from is not None:
        wanted = wanted.where(Order.placed_at >= placed_from)
    if placed_before is not None:
        wanted = wanted.where(Order.placed_at < placed_before)
    return wanted


class OrderById(ByKey[int, Order]):
    key = Order.id


class OrderByNumber(ByKey[str, Order]):
    key = Order.number


class LinesByOrder(ManyByKey[int, OrderLine]):
    key = OrderLine.order_id
    order_by = OrderLine.position
    primes = "order_line"


class LineById(ByKey[int, OrderLine]):
    """Asked by parcels and deliveries, mostly for lines that the order itself is just being asked for."""

    key = OrderLine.id

    async def answer(self, keys: list[int]) -> list[OrderLine | None]:
        coming = self.loaders.__dict__.get("order_lines")
        orders = await asyncio.gather(*coming._cache.values()) if coming else []
        known: dict[int, OrderLine | None] = {line.id: line for lines in orders for line in lines}
        missing = [key for key in keys if key not in known]
        known |= zip(missing, await super().answer(missing), strict=True) if missing else ()
        return [known[key] for key in keys]


class DeliveriesByOrder(ManyByKey[int, Delivery]):
    key = Delivery.order_id
    order_by = (Delivery.position, DeliveryLine.id)
    primes = "delivery"
    brings = {"delivery_lines": (Delivery.id, DeliveryLine.delivery_id)}


class DeliveryById(ByKey[int, Delivery]):
    key = Delivery.id


class LinesByDelivery(ManyByKey[int, DeliveryLine]):
    key = DeliveryLine.delivery_id
    order_by = DeliveryLine.id


class DeliveryLineById(ByKey[int, DeliveryLine]):
    key = DeliveryLine.id


class OrderLoaders:
    order = loader(OrderById)
    order_by_number = loader(OrderByNumber)
    order_lines = loader(LinesByOrder)
    order_line = loader(LineById)
    order_deliveries = loader(DeliveriesByOrder)
    delivery = loader(DeliveryById)
    delivery_lines = loader(LinesByDelivery)
    delivery_line = loader(DeliveryLineById)
