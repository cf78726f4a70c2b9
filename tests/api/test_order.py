"""Orders as customers and staff see them, through the front door."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from events.shop import Shop
from models import Account, Event, Order, OrderStatus, Payment, Role, StockLevel, Variant
from resolvers.ids import global_id
from tests.factories.account import create_address
from tests.factories.aftersales import create_ticket, lines_of
from tests.factories.cart import create_cart, create_coupon
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    SANDBOX,
    create_order,
    deliver,
    deliver_to,
)
from tests.front import Client, Front
from tests.observe import settle, statements

Tick = Callable[[timedelta], None]

QUOTE = """
query ($input: CheckoutQuoteInput!) {
  checkoutQuote(input: $input) {
    lines { quantity unitPrice { amount } discount { amount } total { amount } variant { id } }
    deliveries { method fee { amount } }
    subtotal { amount } discount { amount } shipping { amount } total { amount currencyCode }
    problems { code message field }
  }
}
"""
PLACE = """
mutation ($input: OrderPlaceInput!) {
  orderPlace(input: $input) {
    order {
      id number status paymentStatus fulfilmentStatus headline version note
      total { amount currencyCode }
      lines { title quantity total { amount } }
      deliveries { address { recipient city } method fee { amount } lines { quantity orderLine { title } } }
      payments { method status total { amount } }
    }
    userErrors { code message field }
  }
}
"""
CANCEL = """
mutation ($input: OrderCancelInput!) {
  orderCancel(input: $input) { order { status cancelReason headline } userErrors { code message field } }
}
"""
CONFIRM = """
mutation ($input: OrderReceiptConfirmInput!) {
  orderReceiptConfirm(input: $input) { order { status headline completedAt } userErrors { code field } }
}
"""
LOOK = "query ($id: ID, $number: String) { order(id: $id, number: $number) { id number status } }"
LIST = """
query (
  $filter: OrderFilter, $sort: OrderSort! = NEWEST, $search: String, $first: Int! = 20, $after: String
) {
  orders(filter: $filter, sort: $sort, search: $search, first: $first, after: $after) {
    totalCount nodes { number } pageInfo { hasNextPage endCursor }
  }
}
"""
EVERYTHING = """
query ($id: ID!) {
  order(id: $id) {
    number headline total { amount } customer { name }
    lines { title quantity options { name value } }
    deliveries { address { city } lines { quantity orderLine { title } } }
    payments { method refunds { status total { amount } } }
    shipments { number lines { quantity orderLine { title } } events { description } }
    tickets { number lines { quantity orderLine { title } } }
    timeline { version name words occurredAt actor { name } }
  }
}
"""
WATCH = """
subscription ($id: ID!, $after: Int) {
  orderUpdates(id: $id, after: $after) {
    version name status paymentStatus fulfilmentStatus occurredAt order { version }
  }
}
"""
ADDRESS = {
    "recipient": "林梅",
    "phone": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "line1": "文三路 100 号",
}


def id_of(row: Any) -> str:
    return global_id(type(row).__name__, row.id)


def cny(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "CNY"}


async def stocked(shop: Shop, **given: Any) -> Variant:
    async with shop.database.writes.begin() as session:
        return await variant_of(session, await create_product(session, now=shop.clock(), **given))


async def ordered(shop: Shop, account: Account | None = None, **given: Any) -> Order:
    async with shop.database.writes.begin() as session:
        return await create_order(session, account=account, now=shop.clock(), **given)


async def version_of(shop: Shop, order: Order) -> int:
    async with shop.database.reads() as session:
        return (await session.get_one(Order, order.id)).version


async def test_an_order_goes_to_two_addresses_and_is_paid_in_two_ways(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    tea, cup = await stocked(shop, title="Tea"), await stocked(shop, title="Cup")
    async with shop.database.writes.begin() as session:
        assert customer.account
        book = await create_address(session, customer.account, city="宁波市")
        coupon = await create_coupon(session, amount=1_000)
        await create_cart(session, customer.account, lines={tea: 3, cup: 1})
    wish = {
        "deliveries": [
            {"address": {"id": id_of(book)}, "lines": [{"variantId": id_of(tea), "quantity": 2}]},
            {
                "address": {"postal": ADDRESS},
                "method": "EXPRESS",
                "lines": [
                    {"variantId": id_of(tea), "quantity": 1},
                    {"variantId": id_of(cup), "quantity": 1},
                ],
            },
        ],
        "couponCodes": [coupon.code],
    }
    quote = (await customer.get(QUOTE, input=wish))["checkoutQuote"]
    assert quote == {
        "lines": [
            {
                "quantity": 3,
                "unitPrice": {"amount": "99.00"},
                "discount": {"amount": "7.50"},
                "total": {"amount": "289.50"},
                "variant": {"id": id_of(tea)},
            },
            {
                "quantity": 1,
                "unitPrice": {"amount": "99.00"},
                "discount": {"amount": "2.50"},
                "total": {"amount": "96.50"},
                "variant": {"id": id_of(cup)},
            },
        ],
        "deliveries": [
            {"method": "STANDARD", "fee": {"amount": "0.00"}},
            {"method": "EXPRESS", "fee": {"amount": "12.00"}},
        ],
        "subtotal": {"amount": "396.00"},
        "discount": {"amount": "10.00"},
        "shipping": {"amount": "12.00"},
        "total": {"amount": "398.00", "currencyCode": "CNY"},
        "problems": [],
    }

    payments = [
        {"method": "SANDBOX", "amount": cny("300.00")},
        {"method": "CASH_ON_DELIVERY", "amount": cny("98.00")},
    ]
    placed = await customer.do(PLACE, **wish, payments=payments, idempotencyKey="k1", note="Ring twice.")

    assert placed["userErrors"] == []
    order = placed["order"]
    assert (order["status"], order["paymentStatus"], order["headline"]) == (
        "PENDING",
        "UNPAID",
        "AWAITING_PAYMENT",
    )
    assert (order["total"], order["version"], order["note"]) == (cny("398.00"), 1, "Ring twice.")
    assert [(each["address"]["city"], each["fee"]["amount"]) for each in order["deliveries"]] == [
        ("宁波市", "0.00"),
        ("杭州市", "12.00"),
    ]
    assert [[line["quantity"] for line in each["lines"]] for each in order["deliveries"]] == [[2], [1, 1]]
    assert [(each["method"], each["status"]) for each in order["payments"]] == [
        ("SANDBOX", "PENDING"),
        ("CASH_ON_DELIVERY", "PENDING"),
    ]
    again = await customer.do(PLACE, **wish, payments=payments, idempotencyKey="k1", note="Ring twice.")
    assert again == placed


async def test_a_refusal_names_the_argument_and_leaves_nothing_behind(front: Front, shop: Shop) -> None:
    customer, tea = await front.customer(), await stocked(shop, stock={"MAIN": 1})
    wish = {
        "lines": [{"variantId": id_of(tea), "quantity": 1}],
        "deliveries": [{"address": {"postal": ADDRESS}}],
    }

    short = await customer.do(
        PLACE, **wish, payments=[{"method": "SANDBOX", "amount": cny("98.00")}], idempotencyKey="k"
    )
    fine = [{"method": "SANDBOX", "amount": cny("99.00")}]
    closed = await customer.do(
        PLACE, **wish, payments=[{"method": "ALIPAY", "amount": cny("99.00")}], idempotencyKey="k"
    )
    odd = await customer.do(
        PLACE, **wish, payments=[{"method": "SANDBOX", "amount": cny("99.001")}], idempotencyKey="k"
    )
    bare = {**ADDRESS, "city": " "}
    nowhere = await customer.do(
        PLACE,
        **(wish | {"deliveries": [{"address": {"postal": bare}}]}),
        payments=fine,
        idempotencyKey="k",
    )

    assert short["userErrors"] == [
        {
            "code": "AMOUNT_MISMATCH",
            "message": "99.00 CNY is due, not 98.00 CNY: 1.00 CNY is missing.",
            "field": ["payments"],
        }
    ]
    assert closed["userErrors"][0]["field"] == ["payments", "0", "method"]
    assert odd["userErrors"][0]["field"] == ["payments", "0", "amount"]
    assert nowhere["userErrors"][0]["field"] == ["deliveries", "0", "address", "postal", "city"]
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Order)) == 0
        assert await session.scalar(select(func.count()).select_from(Event)) == 0
    placed = await customer.do(PLACE, **wish, payments=fine, idempotencyKey="k")
    assert placed["userErrors"] == []


async def test_two_who_reach_for_the_same_shelf_at_once_both_get_what_two_warehouses_have(
    front: Front, shop: Shop
) -> None:
    tea = await stocked(shop, stock={"MAIN": 1, "WEST": 1})
    wish = {
        "lines": [{"variantId": id_of(tea), "quantity": 1}],
        "deliveries": [{"address": {"postal": ADDRESS}}],
        "payments": [{"method": "SANDBOX", "amount": cny("99.00")}],
        "idempotencyKey": "k",
    }
    buyers = [await front.customer() for _ in range(4)]

    done = await asyncio.gather(*(buyer.do(PLACE, **wish) for buyer in buyers))

    refused = [error["code"] for each in done for error in each["userErrors"]]
    assert refused == ["OUT_OF_STOCK", "OUT_OF_STOCK"]
    async with shop.database.reads() as session:
        assert (await session.scalars(select(StockLevel.reserved))).all() == [1, 1]


async def test_a_guest_may_ask_for_a_quote_and_must_sign_in_to_order(front: Front, shop: Shop) -> None:
    tea = await stocked(shop, stock={"MAIN": 1})
    lines = [{"variantId": id_of(tea), "quantity": 2}]

    quote = (await front.guest().get(QUOTE, input={"lines": lines}))["checkoutQuote"]
    placed = await front.guest().do(PLACE, lines=lines, deliveries=[], payments=[], idempotencyKey="k")

    assert (quote["total"], quote["deliveries"]) == (cny("198.00"), [])
    assert quote["problems"] == [
        {
            "code": "OUT_OF_STOCK",
            "message": "Only 1 of Oolong tea left.",
            "field": ["lines", "0", "quantity"],
        }
    ]
    assert [error["code"] for error in placed["userErrors"]] == ["UNAUTHENTICATED"]


async def test_an_empty_cart_is_quoted_as_nothing_to_order(front: Front) -> None:
    quote = (await front.guest().get(QUOTE, input={}))["checkoutQuote"]

    assert (quote["lines"], quote["total"]["amount"]) == ([], "0.00")
    assert [problem["code"] for problem in quote["problems"]] == ["EMPTY"]


async def test_everyone_sees_only_their_own_orders(front: Front, shop: Shop) -> None:
    owner, other = await front.customer(), await front.customer()
    clerk = await front.staff(Role.SUPPORT)
    order = await ordered(shop, owner.account)
    missing = global_id("Order", 999_999)

    for by in ({"id": id_of(order)}, {"number": order.number.lower()}):
        assert (await owner.get(LOOK, **by))["order"]["number"] == order.number
        assert (await clerk.get(LOOK, **by))["order"]["number"] == order.number
        assert (await other.get(LOOK, **by))["order"] is None
    assert (await other.get(LOOK, id=missing))["order"] is None
    foreign = await other.do(CANCEL, id=id_of(order), reason="mine")
    nothing = await other.do(CANCEL, id=missing, reason="mine")
    assert foreign == nothing
    assert foreign["userErrors"] == [
        {"code": "NOT_FOUND", "message": "There is no such order.", "field": ["id"]}
    ]
    assert (await other.get(LIST))["orders"]["totalCount"] == 0
    assert await version_of(shop, order) == 1


async def test_an_order_is_looked_up_by_one_thing_at_a_time(front: Front) -> None:
    customer = await front.customer()

    reply = await customer.ask(LOOK)

    assert reply["errors"][0]["extensions"]["code"] == "INVALID"


async def test_orders_are_found_by_state_number_and_time_and_paged(
    front: Front, shop: Shop, tick: Tick
) -> None:
    first = await ordered(shop)
    tick(timedelta(days=1))
    clerk = await front.staff(Role.MANAGER)
    second = await ordered(shop, status=OrderStatus.CANCELLED)
    third = await ordered(shop, payments={CASH: None})
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


async def test_a_customer_cancels_and_what_was_paid_comes_back(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account)

    done = await customer.do(CANCEL, id=id_of(order), reason="Changed my mind.")

    assert done == {
        "order": {"status": "CANCELLED", "cancelReason": "Changed my mind.", "headline": "CANCELLED"},
        "userErrors": [],
    }


async def test_a_customer_confirms_the_receipt_of_what_has_arrived(front: Front, shop: Shop) -> None:
    customer = await front.customer()
    order = await ordered(shop, customer.account, status=OrderStatus.CONFIRMED)
    early = await customer.do(CONFIRM, id=id_of(order))
    async with shop.database.writes.begin() as session:
        await deliver(session, order, now=shop.clock())

    done = await customer.do(CONFIRM, id=id_of(order))

    assert early == {"order": None, "userErrors": [{"code": "WRONG_STATE", "field": ["id"]}]}
    assert done["order"] == {
        "status": "COMPLETED",
        "headline": "COMPLETED",
        "completedAt": shop.clock().isoformat(),
    }


async def test_time_closes_unpaid_orders_and_confirms_receipts(front: Front, shop: Shop, tick: Tick) -> None:
    unpaid = await ordered(shop)
    async with shop.database.writes.begin() as session:
        arrived = await create_order(session, status=OrderStatus.CONFIRMED, now=shop.clock())
        await deliver(session, arrived, now=shop.clock())
    tick(shop.settings.unpaid_order_closes_after)
    await settle(shop)
    async with shop.database.reads() as session:
        assert (await session.get_one(Order, unpaid.id)).status is OrderStatus.CANCELLED
        assert (await session.get_one(Order, arrived.id)).status is OrderStatus.CONFIRMED
        [payment] = (await session.scalars(select(Payment).where(Payment.order_id == unpaid.id))).all()
        assert payment.status.value == "CLOSED"
    tick(shop.settings.receipt_confirmed_after)
    await settle(shop)
    async with shop.database.reads() as session:
        assert (await session.get_one(Order, arrived.id)).status is OrderStatus.COMPLETED


async def a_rich_order(shop: Shop, client: Client, lines: int) -> Order:
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
        for line in await lines_of(session, order):
            await create_ticket(session, order=order, lines=[(line, 1)], now=shop.clock())
    return order


@pytest.mark.parametrize("lines", [1, 8])
async def test_an_order_with_everything_on_it_costs_nine_statements(
    front: Front, shop: Shop, lines: int
) -> None:
    customer = await front.customer()
    order = await a_rich_order(shop, customer, lines)

    with statements(shop) as counted:
        shown = (await customer.get(EVERYTHING, id=id_of(order)))["order"]

    assert counted.total <= 9, counted.texts
    assert (len(shown["lines"]), len(shown["deliveries"]), len(shown["shipments"])) == (lines, 2, 2)
    assert [len(ticket["lines"]) for ticket in shown["tickets"]] == [1] * lines
    assert [event["words"] for event in shown["timeline"]] == [
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
