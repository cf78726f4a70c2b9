"""The transitions of a shipment, and how one is locked for a change."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound
from domain.order import lock_order
from domain.state import transition_table
from models import Order, Shipment, ShipmentStatus

FINAL = frozenset({ShipmentStatus.DELIVERED, ShipmentStatus.RETURNED})

NOT_KEPT = frozenset({ShipmentStatus.RETURNED, ShipmentStatus.EXPIRED})
"""The parcel is back or lost: it waits to be inspected, and its part of the order to be ended."""

TRANSITIONS = transition_table(
    ShipmentStatus.PENDING,
    {
        status: set() if status in FINAL else set(ShipmentStatus) - {ShipmentStatus.PENDING, status}
        for status in ShipmentStatus
    },
)
"""Carriers skip and repeat steps: anything may follow but PENDING, and nothing follows a final status."""


def status_after(statuses: Iterable[ShipmentStatus]) -> ShipmentStatus:
    """The status that reported statuses, in order of time, lead to; impossible steps are skipped."""
    status = ShipmentStatus.PENDING
    for reported in statuses:
        if reported in TRANSITIONS[status]:
            status = reported
    return status


async def lock_shipment(session: AsyncSession, shipment_id: int) -> tuple[Order, Shipment]:
    """A parcel and its order, locked until the transaction ends: the order first, which avoids deadlocks."""
    order_id = await session.scalar(select(Shipment.order_id).where(Shipment.id == shipment_id))
    if order_id is None:
        raise NotFound("shipment", field=("id",))
    order = await lock_order(session, order_id)
    shipment = await session.get(Shipment, shipment_id, with_for_update=True, populate_existing=True)
    if shipment is None:
        raise NotFound("shipment", field=("id",))
    return order, shipment
