"""Orders as customers and staff see them, through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Order, OrderStatus, Payment, Role
from resolvers.ids import global_id
from tests.api.order.documents import CANCEL, LIST, create_order_now
from tests.clients import Client, Clients
from tests.factories.aftersales import create_ticket, order_lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import CASH, CHENGDU, HANGZHOU, SANDBOX, create_order, deliver, deliver_to
from tests.given import id_of
from tests.observe import count_statements, run_until_idle

Tick = Callable[[timedelta], None]

CONFIRM = """
mutation ($input: OrderReceiptConfirmInput!) {
  orderReceiptConfirm(input: $input) { order { status displayStatus completedAt } userErrors { code field } }
}
"""
VIEW = "query ($id: ID, $number: String) { order(id: $id, number: $number) { id number status } }"

EVERYTHING = """
query ($id: ID!) {
  order(id: $id) {
    number displayStatus total { amount } customer { name }
    lines { title quantity options { name value } }
    deliveries { address { city } lines { quantity orderLine { title } } }
    payments { method refunds { status total { amount } } }
    shipments { number lines { quantity orderLine { title } } events { description } }
    tickets { number lines { quantity orderLine { title } } }
    timeline { version name message occurredAt actor { name } }
  }
}
"""


async def version_of(shop: Shop, order: Order) -> int:
    async with shop.database.reads() as session:
        return (await session.get_one(Order, order.id)).version


async def test_everyone_sees_only_their_own_orders(clients: Clients, shop: Shop) -> None:
    owner, other = await clients.customer(), await clients.customer()
    clerk = await clients.staff(Role.SUPPORT)
    order = await create_order_now(shop, owner.account)
    missing = global_id("Order", 999_999)

    for by in ({"id": id_of(order)}, {"number": order.number.lower()}):
        assert (await owner.get(VIEW, **by))["order"]["number"] == order.number
        assert (await clerk.get(VIEW, **by))["order"]["number"] == order.number
        assert (await other.get(VIEW, **by))["order"] is None
    assert (await other.get(VIEW, id=missing))["order"] is None
    foreign = await other.do(CANCEL, id=id_of(order), reason="mine")
    nothing = await other.do(CANCEL, id=missing, reason="mine")
    assert foreign == nothing
    assert foreign["userErrors"] == [
        {"code": "NOT_FOUND", "message": "There is no such order.", "field": ["id"]}
    ]
    assert (await other.get(LIST))["orders"]["totalCount"] == 0
    assert await version_of(shop, order) == 1


async def test_an_order_is_looked_up_by_one_thing_at_a_time(clients: Clients) -> None:
    customer = await clients.customer()

    reply = await customer.ask(VIEW)

    assert reply["errors"][0]["extensions"]["code"] == "INVALID"


async def test_orders_are_found_by_state_number_and_time_and_paged(
    clients: Clients, shop: Shop, tick: Tick
) -> None:
    first = await create_order_now(shop)
    tick(timedelta(days=1))
    clerk = await clients.staff(Role.MANAGER)
    second = await create_order_now(shop, status=OrderStatus.CANCELLED)
    third = await create_order_now(shop, payments={CASH: None})
    day = shop.clock().isoformat()

    async def numbers(**asked: Any) -> list[str]:
        return [node["number"] for node in (await clerk.get(LIST, **asked))["orders"]["nodes"]]

    assert await numbers() == [third.number, second.number, first.number]
    assert await numbers(sort="OLDEST", first=2) == [first.number, second.number]
    assert await numbers(filter={"status": ["CANCELLED"]}) == [second.number]
    assert await numbers(filter={"number": third.number.lower()}) == [third.number]
    assert await numbers(filter={"number": "%"}) == []
    assert await numbers(filter={"placedBefore": day}) == [first.number]
    assert await numbers(filter={"placedFrom": day, "status": ["CONFIRMED"]}) == [third.number]
    page = (await clerk.get(LIST, first=2))["orders"]
    rest = (await clerk.get(LIST, first=2, after=page["pageInfo"]["endCursor"]))["orders"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    assert [node["number"] for node in rest["nodes"]] == [first.number]
    for wrong in ({"first": 0}, {"first": 101}, {"after": "?"}):
        assert (await clerk.ask(LIST, **wrong))["errors"][0]["extensions"]["code"] == "INVALID"


async def test_a_customer_cancels_and_what_was_paid_comes_back(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, customer.account)

    done = await customer.do(CANCEL, id=id_of(order), reason="Changed my mind.")

    assert done == {
        "order": {"status": "CANCELLED", "cancelReason": "Changed my mind.", "displayStatus": "CANCELLED"},
        "userErrors": [],
    }


async def test_a_customer_confirms_the_receipt_of_what_has_arrived(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    order = await create_order_now(shop, customer.account, status=OrderStatus.CONFIRMED)
    early = await customer.do(CONFIRM, id=id_of(order))
    await deliver(session, order, now=shop.clock())
    await session.commit()

    done = await customer.do(CONFIRM, id=id_of(order))

    assert early == {"order": None, "userErrors": [{"code": "WRONG_STATE", "field": ["id"]}]}
    assert done["order"] == {
        "status": "COMPLETED",
        "displayStatus": "COMPLETED",
        "completedAt": shop.clock().isoformat(),
    }


async def test_unpaid_orders_are_cancelled_and_receipts_confirmed_in_time(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    unpaid = await create_order_now(shop)
    arrived = await create_order(session, status=OrderStatus.CONFIRMED, now=shop.clock())
    await deliver(session, arrived, now=shop.clock())
    await session.commit()
    tick(shop.settings.deadlines.unpaid_order_cancelled_after)
    await run_until_idle(shop)
    assert (await session.get_one(Order, unpaid.id)).status is OrderStatus.CANCELLED
    assert (await session.get_one(Order, arrived.id)).status is OrderStatus.CONFIRMED
    [payment] = (await session.scalars(select(Payment).where(Payment.order_id == unpaid.id))).all()
    assert payment.status.value == "CLOSED"
    await session.commit()
    tick(shop.settings.deadlines.receipt_confirmed_after)
    await run_until_idle(shop)
    assert (await session.get_one(Order, arrived.id)).status is OrderStatus.COMPLETED
    await session.commit()


async def create_full_order(shop: Shop, client: Client, lines: int) -> Order:
    async with shop.database.writes.begin() as session:
        variants = [await variant_of(session, await create_product(session)) for _ in range(lines)]
        order = await create_order(
            session,
            account=client.account,
            status=OrderStatus.CONFIRMED,
            lines=[(variant, 2) for variant in variants],
            payments={SANDBOX: None, CASH: 1_000},
            deliveries=[
                deliver_to(HANGZHOU, [(variant, 1) for variant in variants]),
                deliver_to(CHENGDU, [(variant, 1) for variant in variants]),
            ],
            now=shop.clock(),
        )
        await deliver(session, order, now=shop.clock())
        for line in await order_lines_of(session, order):
            await create_ticket(session, order=order, lines=[(line, 1)], now=shop.clock())
    return order


@pytest.mark.parametrize("lines", [1, 8])
async def test_an_order_with_everything_on_it_costs_nine_statements(
    clients: Clients, shop: Shop, lines: int
) -> None:
    customer = await clients.customer()
    order = await create_full_order(shop, customer, lines)

    with count_statements(shop) as counted:
        shown = (await customer.get(EVERYTHING, id=id_of(order)))["order"]

    assert counted.total <= 9, counted.texts
    assert (len(shown["lines"]), len(shown["deliveries"]), len(shown["shipments"])) == (lines, 2, 2)
    assert [len(ticket["lines"]) for ticket in shown["tickets"]] == [1] * lines
    assert [event["message"] for event in shown["timeline"]] == [
        "Order placed",
        "Payment begun",
        "Payment received",
        "Order confirmed",
        "Being packed",
        "Partly on its way",
        "On its way",
        "Partly delivered",
        "Delivered",
        "Cash received",
    ]
    assert shown["timeline"][0]["actor"] == {"name": "Lin Mei"}
    assert shown["timeline"][4]["actor"] is None
