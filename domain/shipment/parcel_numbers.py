"""The numbers that customers know their parcels by."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import Order, Shipment


class ParcelNumbers(NamedTuple):
    """A parcel of an order, as its customer knows it."""

    shipment_id: int
    account_id: int
    order_number: str
    number: str
    tracking_number: str | None


async def load_parcel_numbers(session: AsyncSession, shipment_ids: Collection[int]) -> list[ParcelNumbers]:
    if not shipment_ids:
        return []
    rows = await session.execute(
        select(Shipment.id, Order.account_id, Order.number, Shipment.number, Shipment.tracking_number)
        .join(Order, Order.id == Shipment.order_id)
        .where(Shipment.id.in_(shipment_ids))
    )
    return [ParcelNumbers(*row) for row in rows]
