"""The time at which a delivery is wished is changed as long as nothing of it is packed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Delivery, Role
from resolvers.ids import global_id
from tests.clients import Clients
from tests.factories.shipment import confirmed_order, pack
from tests.given import codes, id_of
from tests.observe import run_until_idle

CHANGE = """mutation ($input: OrderWindowChangeInput!) { orderWindowChange(input: $input) {
  delivery { window { begins ends } } userErrors { code message field } } }"""
TIMELINE = "query ($id: ID!) { order(id: $id) { timeline { name message } } }"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def window_at(begins: datetime, length: timedelta = 2 * HOUR) -> dict[str, str]:
    return {"begins": begins.isoformat(), "ends": (begins + length).isoformat()}


async def delivery_of(session: AsyncSession, order: Any) -> str:
    found = await session.scalar(select(Delivery.id).where(Delivery.order_id == order.id))
    await session.commit()
    return global_id("Delivery", found or 0)


async def test_a_customer_wishes_another_time_and_then_none(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    order = await confirmed_order(session, account=customer.account, now=shop.clock())
    delivery = await delivery_of(session, order)
    wished = window_at(shop.clock() + DAY)

    changed = await customer.do(CHANGE, id=delivery, window=wished)
    again = await customer.do(CHANGE, id=delivery, window=wished)
    freed = await customer.do(CHANGE, id=delivery)

    assert changed["delivery"]["window"] == again["delivery"]["window"] == wished
    assert freed == {"delivery": {"window": None}, "userErrors": []}
    await run_until_idle(shop)
    shown = (await customer.get(TIMELINE, id=id_of(order)))["order"]["timeline"]
    changes = {"name": "order.window_changed", "message": "Time of delivery changed"}
    assert [each for each in shown if each["name"] == changes["name"]] == [changes, changes]


@pytest.mark.parametrize(
    ("starts", "length", "code"),
    [
        (DAY, -HOUR, "WINDOW_REVERSED"),
        (-DAY, HOUR, "WINDOW_PAST"),
        (DAY, timedelta(minutes=20), "WINDOW_TOO_SHORT"),
        (31 * DAY, 2 * HOUR, "WINDOW_TOO_FAR"),
    ],
)
async def test_a_time_at_which_nothing_can_come_is_refused_by_name(
    clients: Clients, shop: Shop, session: AsyncSession, starts: timedelta, length: timedelta, code: str
) -> None:
    customer = await clients.customer()
    order = await confirmed_order(session, account=customer.account, now=shop.clock())
    delivery = await delivery_of(session, order)

    refused = await customer.do(CHANGE, id=delivery, window=window_at(shop.clock() + starts, length))

    assert codes(refused) == [code]
    assert (await session.scalars(select(Delivery.window_from))).all() == [None]


async def test_what_is_packed_keeps_its_time_and_a_strangers_delivery_is_not_there(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, stranger = await clients.customer(), await clients.customer()
    support = await clients.staff(Role.SUPPORT)
    order = await confirmed_order(session, account=customer.account, now=shop.clock())
    delivery = await delivery_of(session, order)
    wished = window_at(shop.clock() + DAY)

    assert codes(await stranger.do(CHANGE, id=delivery, window=wished)) == ["NOT_FOUND"]
    assert (await support.do(CHANGE, id=delivery, window=wished))["userErrors"] == []
    await pack(session, order, now=shop.clock())
    await session.commit()
    refused = await customer.do(CHANGE, id=delivery)

    assert codes(refused) == ["WRONG_STATE"]
    assert (await session.scalars(select(Delivery.window_from))).one() == shop.clock() + DAY
