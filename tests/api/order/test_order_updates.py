"""The updates of an order are complete, and only of that order."""

import pytest

from events.shop import Shop
from models import OrderStatus
from resolvers.ids import global_id
from tests.api.order.documents import CANCEL, create_order_now
from tests.clients import Clients
from tests.factories.order import CASH
from tests.given import id_of
from tests.observe import run_until_idle

WATCH = """
subscription ($id: ID!, $after: Int) {
  orderUpdates(id: $id, after: $after) {
    version name status paymentStatus fulfilmentStatus occurredAt order { version }
  }
}
"""


async def test_every_version_is_sent_once_and_in_order(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, customer.account, payments={CASH: None})

    async with customer.watch(WATCH, id=id_of(order), after=0) as watch:
        updates = [(await watch.next())["data"]["orderUpdates"] for _ in range(2)]
        await customer.do(CANCEL, id=id_of(order), reason="Changed my mind.")
        await run_until_idle(shop)
        updates += [(await watch.next())["data"]["orderUpdates"] for _ in range(2)]
        assert await watch.is_quiet()

    assert [(update["version"], update["name"], update["status"]) for update in updates] == [
        (1, "order.placed", "PENDING"),
        (2, "order.confirmed", "CONFIRMED"),
        (3, "order.cancelled", "CANCELLED"),
        (4, "payment.closed", "CANCELLED"),
    ]
    assert {update["paymentStatus"] for update in updates} == {"UNPAID"}
    assert {update["fulfilmentStatus"] for update in updates} == {"UNFULFILLED"}


async def test_updates_resume_from_the_last_version_seen(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, customer.account, status=OrderStatus.CONFIRMED)

    async with customer.watch(WATCH, id=id_of(order), after=2) as watch:
        updates = [(await watch.next())["data"]["orderUpdates"]["version"] for _ in range(2)]
        assert await watch.is_quiet()

    assert updates == [3, 4]


@pytest.mark.parametrize("after", [-1, 2])
async def test_an_unknown_version_is_refused(clients: Clients, shop: Shop, after: int) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, customer.account)

    async with customer.watch(WATCH, id=id_of(order), after=after) as watch:
        [error] = (await watch.answer())["errors"]

    assert error["extensions"]["code"] == "INVALID"
    assert error["message"] == "This order is at version 1."


async def test_updates_of_an_order_of_somebody_else_do_not_exist(clients: Clients, shop: Shop) -> None:
    order, other = await create_order_now(shop), await clients.customer()
    messages = []
    for each in (id_of(order), global_id("Order", 999_999)):
        async with other.watch(WATCH, id=each) as watch:
            messages.append((await watch.answer())["errors"][0]["message"])

    assert messages == ["There is no such order."] * 2
