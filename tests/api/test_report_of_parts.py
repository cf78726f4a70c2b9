"""Of an order of which a part came back, reports count the rest, and its coupon stays used."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from domain.shipment import InspectedUnits, inspect_shipment
from events.shop import Shop
from models import CurrencyCode, OrderStatus, Promotion, Role, ShipmentStatus
from tests.clients import Clients
from tests.factories.aftersales import order_lines_of
from tests.factories.cart import create_coupon
from tests.factories.order import (
    CHENGDU,
    HANGZHOU,
    NOW,
    RECEIPT_AFTER,
    a_variant,
    create_order,
    deliver_to,
    dispatch,
)
from tests.factories.shipment import track, tracking_fact
from tests.observe import assert_books_agree

REPORT = """{ productReport(from: "2026-03-01", to: "2026-03-01") {
  figures { orders units revenue { amount } } } }"""


async def test_a_delivery_that_came_back_is_not_sold(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    coupon = await create_coupon(session, code="SPRING", usage_limit=10, usage_limit_per_buyer=5)
    near, far = [await a_variant(session, prices={CurrencyCode.CNY: 20_000}) for _ in range(2)]
    order = await create_order(
        session,
        lines=[(near, 1), (far, 1)],
        deliveries=[deliver_to(HANGZHOU, [(near, 1)]), deliver_to(CHENGDU, [(far, 1)])],
        coupon_code="SPRING",
        status=OrderStatus.CONFIRMED,
    )
    _, parcel = await dispatch(session, order)
    _, second = await order_lines_of(session, order)
    await session.commit()
    manager = await clients.staff(Role.MANAGER)
    before = (await manager.get(REPORT))["productReport"]["figures"]
    assert (before["orders"], before["units"]) == (1, 2)

    await track(session, parcel, tracking_fact(ShipmentStatus.RETURNED))
    units = InspectedUnits(second.id, 1, 0, 0)
    await inspect_shipment(session, parcel.id, [units], cause=Cause(NOW))
    await end_shipment(session, parcel.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    used = await session.scalar(select(Promotion.used).where(Promotion.id == coupon.id))
    await session.commit()

    assert used == 1
    after = (await manager.get(REPORT))["productReport"]["figures"]
    assert after == {"orders": 1, "units": 1, "revenue": [{"amount": "180.00"}]}
    await assert_books_agree(shop)
