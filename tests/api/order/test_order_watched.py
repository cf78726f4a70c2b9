"""Who watches an order misses nothing, and sees no other."""

import pytest

from events.shop import Shop
from models import OrderStatus
from resolvers.ids import global_id
from tests.api.order.asking import CANCEL, id_of, ordered
from tests.factories.order import CASH
from tests.front import Front
from tests.observe import settle

WATCH = """
subscription ($id: ID!, $after: Int) {
  orderUpdates(id: $id, after: $after) {
    version name status paymentStatus fulfilmentStatus occurredAt order { version }
  }
}
"""


async def test_a_watcher_hears_every_version_once_and_in_order(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account, payments={CASH: None})

    async with customer.watch(WATCH, id=id_of(order), after=0) as watch:
        heard = [(await watch.next())["data"]["orderUpdates"] for _ in range(2)]
        await customer.do(CANCEL, id=id_of(order), reason="Changed my mind.")
        await settle(shop)
        heard += [(await watch.next())["data"]["orderUpdates"] for _ in range(2)]
        assert await watch.quiet()

    assert [(update["version"], update["name"], update["status"]) for update in heard] == [
        (1, "order.placed", "PENDING"),
        (2, "order.confirmed", "CONFIRMED"),
        (3, "order.cancelled", "CANCELLED"),
        (4, "payment.closed", "CANCELLED"),
    ]
    assert {update["paymentStatus"] for update in heard} == {"UNPAID"}
    assert {update["fulfilmentStatus"] for update in heard} == {"UNFULFILLED"}


async def test_a_watcher_goes_on_from_the_last_version_seen(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account, status=OrderStatus.CONFIRMED)

    async with customer.watch(WATCH, id=id_of(order), after=2) as watch:
        heard = [(await watch.next())["data"]["orderUpdates"]["version"] for _ in range(2)]
        assert await watch.quiet()

    assert heard == [3, 4]


@pytest.mark.parametrize("after", [-1, 2])
async def test_a_version_that_never_was_is_refused(front: Front, shop: Shop, after: int) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account)

    async with customer.watch(WATCH, id=id_of(order), after=after) as watch:
        [error] = (await watch.next())["errors"]

    assert error["extensions"]["code"] == "INVALID"
    assert error["message"] == "This order is at version 1."


async def test_a_foreign_order_is_not_there_to_be_watched(front: Front, shop: Shop) -> None:
    order, other = await ordered(shop), await front.customer()
    told = []
    for each in (id_of(order), global_id("Order", 999_999)):
        async with other.watch(WATCH, id=each) as watch:
            told.append((await watch.next())["errors"][0]["message"])

    assert told == ["There is no such order."] * 2
