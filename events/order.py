"""What happens to an order when nobody acts in time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from domain.order import assume_receipt, close_unpaid, unpaid_at
from events.shop import Shop
from events.timers import Timer
from models import Order, OrderStatus


def unpaid(now: datetime) -> Select[Any]:
    return select(Order.id).where(unpaid_at(now)).order_by(Order.payment_due_at)


async def close(shop: Shop, order_id: int) -> None:
    await close_together(shop, [order_id])


async def close_together(shop: Shop, order_ids: Sequence[int]) -> int:
    async with shop.database.writes.begin() as session:
        closed = await close_unpaid(session, order_ids, now=shop.clock())
    shop.committed(session)
    return closed


def received(now: datetime) -> Select[Any]:
    return (
        select(Order.id)
        .where(Order.status == OrderStatus.CONFIRMED, Order.receipt_due_at <= now, Order.held_at.is_(None))
        .order_by(Order.receipt_due_at)
    )


async def complete(shop: Shop, order_id: int) -> None:
    async with shop.database.writes.begin() as session:
        await assume_receipt(session, order_id, now=shop.clock())


UNPAID_ORDERS = Timer("order.unpaid", due=unpaid, act=close, together=close_together)
SILENT_RECEIPTS = Timer("order.received", due=received, act=complete)
