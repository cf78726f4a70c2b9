"""Orders that are collected at a shop."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import RequestedDelivery
from domain.pickup import hand_over_pickup, make_pickup_ready
from domain.pickup.states import lock_pickup
from models import (
    Account,
    CurrencyCode,
    Delivery,
    Money,
    Order,
    PaymentMethod,
    Pickup,
    ShippingMethod,
    Variant,
    Warehouse,
)
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
    account: Account | None = None,
    now: datetime = NOW,
) -> tuple[Order, Delivery]:
    """A packed order of a variant that is collected at a place, and its delivery."""
    order = await create_order(
        session,
        lines=[(variant, quantity)],
        deliveries=[collect_at(place)],
        payments=payments or {SANDBOX: None},
        account=account,
        now=now,
    )
    await pay(session, order, now=now)
    await pack(session, order, now=now)
    delivery = (await session.scalars(select(Delivery).where(Delivery.order_id == order.id))).one()
    return order, delivery


async def make_ready(
    session: AsyncSession, delivery: Delivery, *, nonce: str = "nonce", now: datetime = NOW
) -> Pickup:
    return await make_pickup_ready(
        session,
        delivery.id,
        nonce=nonce,
        collect_within=COLLECT_WITHIN,
        receipt_after=RECEIPT_AFTER,
        cause=Cause(now),
    )


async def pickup_of(session: AsyncSession, delivery: Delivery) -> Pickup:
    _, _, pickup = await lock_pickup(session, delivery.id)
    return pickup


async def hand_over(
    session: AsyncSession,
    delivery: Delivery,
    place_id: int,
    *,
    right: bool = True,
    cash: int = 0,
    now: datetime = NOW,
) -> Pickup | None:
    """Hand over what is ready, to who has the right code or a wrong one."""
    return await hand_over_pickup(
        session,
        delivery.id,
        place_id=place_id,
        is_right=lambda _: right,
        cash=Money(cash, CurrencyCode.CNY) if cash else None,
        receipt_after=RECEIPT_AFTER,
        cause=Cause(now),
    )
