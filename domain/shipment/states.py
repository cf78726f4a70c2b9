"""What may become of a parcel, and how one is held while it changes."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound
from domain.order import lock_order
from domain.state import table
from models import Order, Shipment, ShipmentStatus

FINAL = frozenset({ShipmentStatus.DELIVERED, ShipmentStatus.RETURNED})

TRANSITIONS = table(
    ShipmentStatus.PENDING,
    {
        status: set() if status in FINAL else set(ShipmentStatus) - {ShipmentStatus.PENDING, status}
        for status in ShipmentStatus
    },
)
"""Carriers skip and repeat steps as they like; only the two ends are sure, and nothing begins again."""


def status_after(said: Iterable[ShipmentStatus]) -> ShipmentStatus:
    """Where everything a carrier said, in order of time, leaves a parcel."""
    status = ShipmentStatus.PENDING
    for following in said:
        if following in TRANSITIONS[status]:
            status = following
    return status


async def lock_shipment(session: AsyncSession, shipment_id: int) -> tuple[Order, Shipment]:
    """A parcel and its order, held until the transaction ends: the order first, so nobody waits in a ring."""
    order_id = await session.scalar(select(Shipment.order_id).where(Shipment.id == shipment_id))
    if order_id is None:
        raise NotFound("shipment", field=("id",))
    order = await lock_order(session, order_id)
    shipment = await session.get(Shipment, shipment_id, with_for_update=True, populate_existing=True)
    if shipment is None:
        raise NotFound("shipment", field=("id",))
    return order, shipment
