"""Orders that are collected at a shop."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import RequestedDelivery
from domain.pickup import make_pickup_ready
from domain.pickup.states import lock_pickup
from models import Delivery, Order, PaymentMethod, Pickup, ShippingMethod, Variant, Warehouse
from tests.factories.order import COLLECT_WITHIN, NOW, RECEIPT_AFTER, SANDBOX, create_order, pack, pay
from tests.factories.stock import create_warehouse


async def create_pickup_place(session: AsyncSession, code: str = "SHOP") -> Warehouse:
    place = await create_warehouse(session, code=code, name="Shop at West Lake")
    place.allows_pickup = True
    place.pickup_hours = [{"weekday": "MONDAY", "opens": "09:00", "closes": "18:00"}]
    await session.flush()
    return place


def collect_at(place: Warehouse) -> RequestedDelivery:
    return RequestedDelivery(ShippingMethod.PICKUP, pickup_warehouse_id=place.id)


async def create_collected_order(
    session: AsyncSession,
    variant: Variant,
    place: Warehouse,
    *,
    quantity: int = 1,
    payments: Mapping[PaymentMethod, int | None] | None = None,
) -> tuple[Order, Delivery]:
    """A packed order of a variant that is collected at a place, and its delivery."""
    order = await create_order(
        session,
        lines=[(variant, quantity)],
        deliveries=[collect_at(place)],
        payments=payments or {SANDBOX: None},
    )
    await pay(session, order)
    await pack(session, order)
    delivery = (await session.scalars(select(Delivery).where(Delivery.order_id == order.id))).one()
    return order, delivery


async def make_ready(session: AsyncSession, delivery: Delivery, *, nonce: str = "nonce") -> Pickup:
    return await make_pickup_ready(
        session,
        delivery.id,
        nonce=nonce,
        collect_within=COLLECT_WITHIN,
        receipt_after=RECEIPT_AFTER,
        cause=Cause(NOW),
    )


async def pickup_of(session: AsyncSession, delivery: Delivery) -> Pickup:
    _, _, pickup = await lock_pickup(session, delivery.id)
    return pickup
