"""The language somebody reads: the argument's, else the header's, else the account's, else the shop's."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.reasons import REASON_TEXTS
from domain.cause import Cause
from domain.delivery_run.driving import WITH_OUR_COURIER
from domain.order import cancel_overdue_orders, lock_order
from domain.payment import request_refund
from domain.pickup.collecting import AT_THE_COUNTER, READY
from domain.shipment import TrackingFact, add_tracking_events
from events.shop import Shop
from models import Account, Order, OrderLine, OrderStatus, Product, Role, ShipmentStatus, TicketReason
from resolvers.ids import global_id
from resolvers.shipment import TRACKING_MESSAGES
from tests.api.order.documents import create_order_now
from tests.clients import Client, Clients
from tests.factories.account import PASSWORD, create_account
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import dispatch
from tests.given import id_of

ORDER = """
query ($id: ID!) {
  order(id: $id) { lines { title } timeline { message } deliveries { lines { orderLine { title } } } }
}
"""
CANCEL = "mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { userErrors { code message } } }"
CANCEL_LINES = """mutation ($input: OrderLinesCancelInput!) { orderLinesCancel(input: $input) {
  userErrors { message } } }"""
WRONG_PRODUCT = "query ($language: String) { product(language: $language) { id } }"
WRONG_SLUG = "{ product { id } }"
UPDATE = "mutation ($input: AccountUpdateInput!) { accountUpdate(input: $input) { userErrors { message } } }"
ADD = "mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { userErrors { message } } }"
WATCH = "subscription ($id: ID!) { orderUpdates(id: $id) { name } }"

REFUNDS = "query ($id: ID!) { order(id: $id) { payments { refunds { reason } } } }"
TRACKING = "query ($id: ID!) { order(id: $id) { shipments { events { description } } } }"

TITLES = {"zh": {"title": "乌龙茶", "description": ""}}
CHINESE = {"Accept-Language": "zh-CN"}


def reading(client: Client, language: str) -> Client:
    """The same client with a language in its header."""
    return Client(client.clients, client.headers | {"Accept-Language": language}, client.account)


async def message_of(client: Client, document: str = WRONG_SLUG, **variables: Any) -> str:
    response = await client.ask(document, **variables)
    message: str = response["errors"][0]["message"]
    return message


async def order_of_tea(shop: Shop, account: Account | None, **options: Any) -> tuple[Order, int]:
    """An order of oolong tea, and the id of the product."""
    async with shop.database.writes.begin() as session:
        product = await create_product(session, translations=TITLES, now=shop.clock())
        variant = await variant_of(session, product)
    return await create_order_now(shop, account, lines=[(variant, 1)], **options), product.id


async def test_an_order_is_read_in_ones_own_language_whole(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order, _ = await order_of_tea(shop, customer.account)

    english = (await customer.get(ORDER, id=id_of(order)))["order"]
    chinese = (await reading(customer, "zh-CN").get(ORDER, id=id_of(order)))["order"]

    assert english["lines"] == [{"title": "Oolong tea"}]
    assert english["deliveries"][0]["lines"] == [{"orderLine": {"title": "Oolong tea"}}]
    assert english["timeline"] == [{"message": "Order placed"}]
    assert chinese["lines"] == [{"title": "乌龙茶"}]
    assert chinese["deliveries"][0]["lines"] == [{"orderLine": {"title": "乌龙茶"}}]
    assert chinese["timeline"] == [{"message": "订单已提交"}]


async def test_an_order_line_keeps_the_titles_of_its_day(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer = await clients.customer()
    order, product_id = await order_of_tea(shop, customer.account)
    renamed = {"zh": {"title": "红茶"}}
    await session.execute(
        update(Product).where(Product.id == product_id).values(title="Black tea", translations=renamed)
    )
    await session.commit()

    for language, title in (("en", "Oolong tea"), ("zh", "乌龙茶")):
        data = await reading(customer, language).get(ORDER, id=id_of(order))
        assert data["order"]["lines"] == [{"title": title}]


@pytest.mark.parametrize(("title", "shown"), [("Oolong tea", "乌龙茶"), ("Black tea", "Oolong tea")])
async def test_a_line_from_before_translations_were_kept_has_those_of_a_product_that_is_still_called_so(
    clients: Clients, shop: Shop, session: AsyncSession, title: str, shown: str
) -> None:
    customer = await clients.customer()
    order, product_id = await order_of_tea(shop, customer.account)
    await session.execute(update(OrderLine).values(translations=None))
    await session.execute(update(Product).where(Product.id == product_id).values(title=title))
    await session.commit()

    data = await reading(customer, "zh").get(ORDER, id=id_of(order))

    assert data["order"]["lines"] == [{"title": shown}]


async def test_a_refusal_of_a_command_is_in_the_readers_language(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order, _ = await order_of_tea(shop, customer.account, status=OrderStatus.COMPLETED)
    terms = {"id": id_of(order), "reason": "Too late."}

    english = await customer.do(CANCEL, **terms)
    chinese = await reading(customer, "zh").do(CANCEL, **terms)
    missing = await reading(customer, "zh").do(CANCEL, id=global_id("Order", 999_999), reason="x")

    assert [each["code"] for each in (english["userErrors"] + chinese["userErrors"])] == ["WRONG_STATE"] * 2
    assert english["userErrors"][0]["message"] != chinese["userErrors"][0]["message"]
    assert "已完成" in chinese["userErrors"][0]["message"] or "售后" in chinese["userErrors"][0]["message"]
    assert missing["userErrors"] == [{"code": "NOT_FOUND", "message": "没有这个订单。"}]


async def test_a_refusal_names_what_was_ordered_in_the_readers_language(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    order, _ = await order_of_tea(shop, customer.account, status=OrderStatus.CONFIRMED)
    async with shop.database.reads() as session:
        line = global_id("OrderLine", await session.scalar(select(OrderLine.id)) or 0)
    units = {"id": id_of(order), "lines": [{"orderLineId": line, "quantity": 9}], "reason": "Too many."}

    english = await customer.do(CANCEL_LINES, **units)
    chinese = await reading(customer, "zh").do(CANCEL_LINES, **units)

    assert english["userErrors"][0]["message"] == "Only 1 of Oolong tea can still be asked for."
    assert "乌龙茶" in chinese["userErrors"][0]["message"]


async def test_the_argument_is_read_before_the_header(clients: Clients) -> None:
    guest = clients.guest(**{"Accept-Language": "en"})

    assert await message_of(guest) == "Name a product by its id or by its slug."
    assert await message_of(guest, WRONG_PRODUCT, language="zh") == "请用 id 或网址名指定商品。"


async def test_the_header_is_read_before_the_account_and_the_account_before_the_shop(
    clients: Clients, shop: Shop
) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session, language="zh-CN")
    customer = await clients.customer(account)

    assert await message_of(customer) == "请用 id 或网址名指定商品。"
    assert await message_of(reading(customer, "en-GB")) == "Name a product by its id or by its slug."
    assert await message_of(reading(customer, "fr")) == "请用 id 或网址名指定商品。"
    assert await message_of(clients.guest()) == "Name a product by its id or by its slug."


@pytest.mark.settings(default_language="zh-CN")
async def test_a_guest_who_names_no_language_reads_that_of_the_shop(clients: Clients) -> None:
    assert await message_of(clients.guest()) == "请用 id 或网址名指定商品。"


async def test_a_change_of_the_accounts_language_holds_from_the_next_request(
    clients: Clients, shop: Shop
) -> None:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
    customer = await clients.customer(account)
    assert await message_of(customer) == "Name a product by its id or by its slug."

    assert (await customer.do(UPDATE, password=PASSWORD, language="zh"))["userErrors"] == []

    assert await message_of(customer) == "请用 id 或网址名指定商品。"


async def test_a_subscription_is_refused_in_the_language_of_the_connection(clients: Clients) -> None:
    customer = reading(await clients.customer(), "zh")

    async with customer.watch(WATCH, id=global_id("Order", 999_999)) as watch:
        assert (await watch.answer())["errors"][0]["message"] == "没有这个订单。"


async def test_limits_and_other_refusals_at_the_door_are_in_the_readers_language(clients: Clients) -> None:
    deep = '{ category(id: "x") ' + "{ parent " * 30 + "{ id }" + " }" * 30 + " }"
    nothing = await clients.http.post(
        "/graphql", content=b"[]", headers={"Content-Type": "application/json"} | CHINESE
    )
    picture = await clients.http.post("/media", content=b"x", headers=CHINESE)
    missing = await clients.http.get("/media/nothing.png", headers=CHINESE)
    forged = await clients.http.post(
        "/graphql", json={"query": WRONG_SLUG}, headers=CHINESE | {"Authorization": "Bearer forged"}
    )

    assert "此操作超出上限" in await message_of(clients.guest(**CHINESE), deep)
    assert [each.json()["errors"][0]["message"] for each in (nothing, picture, missing, forged)] == [
        "请求须为一个 JSON 对象：每个操作请单独发送。",
        "请先登录。",
        "没有这个图片。",
        "访问令牌已失效，请刷新或重新登录。",
    ]


async def test_the_problems_of_a_product_file_are_in_the_readers_language(clients: Clients) -> None:
    clerk = reading(await clients.staff(Role.CATALOGUE), "zh")
    file = b"Handle,Title,Variant Price\ntea,Tea,much\n"

    sent = await clients.http.post("/products.csv", content=file, headers=clerk.headers)

    assert sent.status_code == 422
    assert [each["reason"] for each in sent.json()["problems"]] == ['"much" 不是形如 12.50 的金额']


async def test_the_shops_own_reasons_are_translated_and_peoples_words_are_not(
    clients: Clients, shop: Shop
) -> None:
    customer = await clients.customer()
    unpaid, _ = await order_of_tea(shop, customer.account)
    cancelled, _ = await order_of_tea(shop, customer.account)
    await customer.do(CANCEL, id=id_of(cancelled), reason="Not paid, changed my mind.")
    async with shop.database.writes.begin() as session:
        await cancel_overdue_orders(session, [unpaid.id], cause=Cause(shop.clock() + timedelta(days=30)))

    reader = reading(customer, "zh")
    reasons = [
        (await reader.get("query ($id: ID!) { order(id: $id) { cancelReason } }", id=id_of(order)))["order"]
        for order in (unpaid, cancelled)
    ]

    assert reasons == [
        {"cancelReason": "未在规定时间内付款。"},
        {"cancelReason": "Not paid, changed my mind."},
    ]


@pytest.mark.parametrize(
    ("stored", "in_english", "in_chinese"),
    [
        ("The order was changed.", "The order was changed.", "订单已修改。"),
        ("NO_REASON", "Given back without a reason.", "无理由退回。"),
        ("NOT_RECEIVED", "It did not arrive.", "没有收到货。"),
        ("More was paid than was due.", "More was paid than was due.", "付款超过了应付金额。"),
        ("Sorry for the wait.", "Sorry for the wait.", "Sorry for the wait."),
    ],
)
async def test_why_money_goes_back_is_read_in_ones_own_language(
    clients: Clients, shop: Shop, stored: str, in_english: str, in_chinese: str
) -> None:
    """Reasons of tickets, and the shop's own; people's words stay as they are."""
    customer = await clients.customer()
    order, _ = await order_of_tea(shop, customer.account, status=OrderStatus.CONFIRMED)
    async with shop.database.writes.begin() as session:
        order = await lock_order(session, order.id)
        await request_refund(session, order, order.money(100), reason=stored, cause=Cause(shop.clock()))

    found = [
        (await reading(customer, language).get(REFUNDS, id=id_of(order)))["order"]["payments"][0]["refunds"]
        for language in ("en", "zh")
    ]

    assert found == [[{"reason": in_english}], [{"reason": in_chinese}]]


def test_every_reason_of_a_ticket_is_worded() -> None:
    assert set(REASON_TEXTS) == set(TicketReason)


async def test_what_the_shop_itself_does_with_a_parcel_is_read_in_ones_own_language(
    clients: Clients, shop: Shop
) -> None:
    customer = await clients.customer()
    order, _ = await order_of_tea(shop, customer.account, status=OrderStatus.CONFIRMED)
    async with shop.database.writes.begin() as session:
        order = await lock_order(session, order.id)
        [parcel] = await dispatch(session, order, now=shop.clock())
        texts = [str(WITH_OUR_COURIER), str(READY), str(AT_THE_COUNTER), "By drone."]
        facts = [
            TrackingFact(ShipmentStatus.IN_TRANSIT, f"T{index}", text, shop.clock())
            for index, text in enumerate(texts)
        ]
        await add_tracking_events(
            session, parcel, facts, cause=Cause(shop.clock()), receipt_after=timedelta(days=7)
        )

    found = (await reading(customer, "zh").get(TRACKING, id=id_of(order)))["order"]["shipments"]

    read = {event["description"] for event in found[0]["events"]}
    assert {"我们的配送员正在派送。", "可以取货了。", "已在柜台交付。", "By drone."} <= read


def test_every_status_that_a_carrier_reports_is_worded_for_customers() -> None:
    assert set(TRACKING_MESSAGES) == set(ShipmentStatus)


async def test_a_refusal_names_things_in_the_readers_language(clients: Clients, shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        product = await create_product(
            session, translations=TITLES, options={"Size": "M"}, stock={"MAIN": 2}, now=shop.clock()
        )
        variant = await variant_of(session, product)
    customer = await clients.customer()
    terms = {"variantId": global_id("Variant", variant.id), "quantity": 3}

    english = await customer.do(ADD, **terms)
    chinese = await reading(customer, "zh").do(ADD, **terms)

    assert english["userErrors"] == [{"message": "Only 2 of Oolong tea (M) left."}]
    assert chinese["userErrors"] == [{"message": "乌龙茶 (M)仅剩 2 件。"}]
