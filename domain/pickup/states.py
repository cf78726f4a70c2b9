"""The transitions of a pickup, and how one is locked for a change."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound
from domain.order import lock_order
from domain.state import transition_table
from models import Delivery, DeliveryLine, Order, Pickup, PickupStatus, Shipment, ShippingMethod

TRANSITIONS = transition_table(
    PickupStatus.PREPARING,
    {
        PickupStatus.PREPARING: {PickupStatus.READY, PickupStatus.ENDED},
        PickupStatus.READY: {PickupStatus.COLLECTED, PickupStatus.PREPARING, PickupStatus.ENDED},
        PickupStatus.COLLECTED: {PickupStatus.READY},
        PickupStatus.ENDED: set(),
    },
)
"""What is collected becomes ready again when more of the delivery, which waited for stock, is packed. Of a
replacement that was not collected, what is not packed yet is still prepared."""


async def lock_pickup(session: AsyncSession, delivery_id: int) -> tuple[Order, Delivery, Pickup]:
    """A delivery that is collected, with its order, locked until the transaction ends, and its pickup."""
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None or delivery.method is not ShippingMethod.PICKUP:
        raise NotFound("delivery", field=("delivery_id",))
    order = await lock_order(session, delivery.order_id)
    pickup = await session.scalar(
        select(Pickup)
        .where(Pickup.delivery_id == delivery_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return order, delivery, pickup or await add_pickup(session, delivery)


async def add_pickup(session: AsyncSession, delivery: Delivery) -> Pickup:
    """The pickup of a delivery of which nothing was ready before, where its lines are."""
    warehouse_id = await session.scalar(
        select(DeliveryLine.warehouse_id)
        .where(DeliveryLine.delivery_id == delivery.id)
        .order_by(DeliveryLine.id)
        .limit(1)
    )
    if warehouse_id is None:
        raise NotFound("delivery", field=("delivery_id",))
    pickup = Pickup(
        delivery_id=delivery.id,
        warehouse_id=warehouse_id,
        status=PickupStatus.PREPARING,
        nonce="",
        failed_tries=0,
    )
    session.add(pickup)
    await session.flush()
    return pickup


async def find_packed(session: AsyncSession, delivery: Delivery) -> list[Shipment]:
    """The locked parcels of a delivery that have not been handed over."""
    rows = await session.scalars(
        select(Shipment)
        .where(Shipment.delivery_id == delivery.id, Shipment.dispatched_at.is_(None))
        .order_by(Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows)


def pickup_subject(pickup: Pickup) -> tuple[str, str, str]:
    """What the code of a pickup is derived from, together with a key of the shop."""
    return "pickup", str(pickup.id), pickup.nonce


async def find_pickup(session: AsyncSession, delivery_id: int) -> Pickup | None:
    """The pickup of a delivery, to be read; None before anything of it was ready."""
    pickup: Pickup | None = await session.scalar(select(Pickup).where(Pickup.delivery_id == delivery_id))
    return pickup
