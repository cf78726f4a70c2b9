"""The web shop of somebody without an account, and of a customer who changes an order or collects it."""

from typing import Any

from tests.client_apps.client_app import ClientApp, relay_events
from tests.client_apps.conftest import OpenApp, SignIn
from tests.clients import Clients
from tests.notices import secret_sent

TEA = "xihu-longjing-green-tea"
MASKS = "green-tea-sheet-masks"
XIAMEN = {
    "recipient": "许安", "phone": "+8613800138021", "province": "福建省", "city": "厦门市",
    "district": "思明区", "line1": "环岛南路 88 号",
}  # fmt: skip


async def fill_cart(web: ClientApp, slug: str, quantity: int = 1) -> str:
    """Put a product into a guest's cart, whose token is sent from then on; return the variant's id."""
    product = (await web.read("WebProduct", slug=slug))["product"]
    variant_id: str = product["variants"][0]["id"]
    payload = await web.do("WebCartLineAdd", variantId=variant_id, quantity=quantity)
    web.client.headers["X-Cart-Token"] = payload["cart"]["token"]
    return variant_id


async def place_as_guest(web: ClientApp) -> dict[str, Any]:
    """Order what is in the guest's cart; the secret of the order is sent from then on."""
    terms = {"deliveries": [{"address": {"postal": XIAMEN}, "method": "STANDARD"}]}
    quote = (await web.read("WebCheckoutQuote", input=terms))["checkoutQuote"]
    placed = await web.do(
        "WebOrderPlace",
        **terms,
        contact={"email": "xu.an@example.com"},
        payments=[{"method": "SANDBOX", "amount": quote["total"]}],
        idempotencyKey="a guest's order",
        confirmedExclusions=[
            {"variantId": line["variant"]["id"], "exclusion": line["exclusion"]}
            for line in quote["lines"]
            if line["exclusion"]
        ],
    )
    web.client.headers = {"Authorization": f"Bearer {placed['secret']}"}
    order: dict[str, Any] = placed["order"]
    return order


async def test_a_guest_orders_pays_and_follows_the_order_by_its_secret(
    open_app: OpenApp, clients: Clients
) -> None:
    web = open_app("web")
    await fill_cart(web, TEA)
    order = await place_as_guest(web)

    async with web.watch("WebOrderUpdates", id=order["id"], after=0) as watch:
        started = await web.do("WebPaymentStart", id=order["payments"][0]["id"])
        await relay_events(clients.shop)
        names = [(await watch.next())["data"]["orderUpdates"]["name"] for _ in range(2)]
    shown = (await web.read("WebOrder", number=order["number"]))["order"]

    assert (started["nextAction"]["kind"], names) == ("REDIRECT", ["order.placed", "payment.started"])
    assert shown["deliveries"][0]["address"]["city"] == "厦门市"
    assert (await web.read("WebOrder", number="DEMO0010"))["order"] is None


async def test_a_guest_who_lost_the_secret_gets_it_again(open_app: OpenApp, clients: Clients) -> None:
    web = open_app("web")
    await fill_cart(web, TEA)
    order = await place_as_guest(web)
    web.client.headers = {}

    await web.do("WebOrderSecretRequest", number=order["number"], contact="xu.an@example.com")
    secret = await secret_sent(clients.shop, "xu.an@example.com")
    web.client.headers = {"Authorization": f"Bearer {secret}"}

    assert (await web.read("WebOrder", number=order["number"]))["order"]["id"] == order["id"]


async def test_what_cannot_be_returned_is_confirmed_by_the_buyer(open_app: OpenApp) -> None:
    web = open_app("web")
    variant_id = await fill_cart(web, MASKS)
    terms = {"deliveries": [{"address": {"postal": XIAMEN}, "method": "STANDARD"}]}
    quote = (await web.read("WebCheckoutQuote", input=terms))["checkoutQuote"]

    unconfirmed = await web.refused(
        "WebOrderPlace",
        **terms,
        contact={"email": "xu.an@example.com"},
        payments=[{"method": "SANDBOX", "amount": quote["total"]}],
        idempotencyKey="not confirmed",
    )
    placed = await place_as_guest(web)

    assert [(line["variant"]["id"], line["exclusion"]) for line in quote["lines"]] == [
        (variant_id, "OPENED_HYGIENE")
    ]
    assert unconfirmed == ["CONFIRMATION_REQUIRED"]
    assert [line["quantity"] for line in placed["lines"]] == [1]


async def place_tea(web: ClientApp, delivery: dict[str, Any], *, quantity: int) -> dict[str, Any]:
    product = (await web.read("WebProduct", slug=TEA))["product"]
    terms = {
        "lines": [{"variantId": product["variants"][0]["id"], "quantity": quantity}],
        "deliveries": [delivery],
    }
    quote = (await web.read("WebCheckoutQuote", input=terms))["checkoutQuote"]
    assert quote["problems"] == []
    placed = await web.do(
        "WebOrderPlace",
        **terms,
        payments=[{"method": "CASH_ON_DELIVERY", "amount": quote["total"]}],
        idempotencyKey=f"tea {quantity}",
    )
    order: dict[str, Any] = placed["order"]
    return order


async def test_an_order_is_edited_at_the_quoted_total(web: ClientApp) -> None:
    address = {"address": {"postal": XIAMEN}, "method": "STANDARD"}
    order = await place_tea(web, address, quantity=2)
    changes = {"lines": [{"orderLineId": order["lines"][0]["id"], "quantity": 1}]}

    quote = (await web.read("WebOrderEditQuote", id=order["id"], changes=changes))["orderEditQuote"]
    edited = await web.do(
        "WebOrderEdit",
        id=order["id"],
        changes=changes,
        expectedTotal=quote["total"],
        idempotencyKey="one less",
    )

    assert (quote["problems"], quote["totalBefore"], quote["paymentNeeded"]) == ([], order["total"], False)
    assert [(line["quantityBefore"], line["quantity"]) for line in quote["lines"]] == [(2, 1)]
    assert [payment["total"] for payment in edited["order"]["payments"]] == [quote["total"]]
    shown = (await web.read("WebOrder", number=order["number"]))["order"]
    assert shown["timeline"][-1]["name"] == "order.edited"


async def test_an_order_is_collected_by_its_code(web: ClientApp, sign_in: SignIn) -> None:
    desk = await sign_in("staff", "warehouse")
    quote = await web.read(
        "WebCheckoutQuote",
        input={
            "lines": [{"variantId": (await tea_id(web)), "quantity": 1}],
            "deliveries": [{"address": {"postal": XIAMEN}, "method": "STANDARD"}],
        },
    )
    (place,) = quote["checkoutQuote"]["pickupPlaces"]
    order = await place_tea(web, {"pickupPlaceId": place["warehouse"]["id"], "method": "PICKUP"}, quantity=1)
    shown = (await web.read("WebOrder", number=order["number"]))["order"]
    (delivery,) = shown["deliveries"]
    lines = [{"deliveryLineId": line["id"], "quantity": line["quantity"]} for line in delivery["lines"]]
    await desk.do("StaffShipmentPack", deliveryId=delivery["id"], parcels=[{"lines": lines}])

    ready = (await desk.do("StaffPickupReady", deliveryId=delivery["id"]))["delivery"]
    renewed = (await web.do("WebPickupCodeRenew", deliveryId=delivery["id"]))["delivery"]
    collected = await desk.do(
        "StaffPickupHandOver",
        deliveryId=delivery["id"],
        placeId=place["warehouse"]["id"],
        code=renewed["pickup"]["code"],
        cash=order["total"],
    )

    assert (place["ready"], place["warehouse"]["name"]) == (True, "上海青浦仓")
    assert [hours["weekday"] for hours in place["warehouse"]["pickupHours"]][:2] == ["MONDAY", "TUESDAY"]
    assert (ready["pickup"]["status"], renewed["pickup"]["status"]) == ("READY", "READY")
    assert collected["delivery"]["pickup"]["status"] == "COLLECTED"


async def tea_id(web: ClientApp) -> str:
    product = (await web.read("WebProduct", slug=TEA))["product"]
    variant_id: str = product["variants"][0]["id"]
    return variant_id


async def test_a_delivery_that_nobody_collects_is_cancelled(web: ClientApp, sign_in: SignIn) -> None:
    desk = await sign_in("staff", "support")
    warehouses = (await desk.read("StaffWarehouses"))["warehouses"]
    order = await place_tea(web, {"pickupPlaceId": warehouses[0]["id"], "method": "PICKUP"}, quantity=1)
    shown = (await web.read("WebOrder", number=order["number"]))["order"]

    ended = await desk.do("StaffPickupCancel", deliveryId=shown["deliveries"][0]["id"], reason="客户不来取")

    assert ended["delivery"]["pickup"]["status"] == "ENDED"


async def test_a_customer_chooses_money_where_the_replacement_is_sold_out(
    web: ClientApp, sign_in: SignIn
) -> None:
    desk = await sign_in("staff", "manager")
    tickets = (await web.read("WebTickets", first=20))["tickets"]["nodes"]
    ticket = next(
        each for each in tickets if (each["type"], each["status"]) == ("EXCHANGE", "RETURN_SHIPPED")
    )
    listed = await desk.read("StaffProducts", query="ELE-ANC-BLK", first=1)
    product = (await desk.read("StaffStock", productId=listed["products"]["nodes"][0]["id"]))["product"]
    for variant in (each for each in product["variants"] if each["sku"] == "ELE-ANC-BLK"):
        for level in variant["stock"]:
            await desk.do(
                "StaffStockAdjust",
                variantId=variant["id"],
                warehouseId=level["warehouse"]["id"],
                kind="CORRECTED",
                quantity=-level["available"],
                reason="盘点",
            )

    shown = (await desk.read("StaffTicket", number=ticket["number"]))["ticket"]
    units = [
        {
            "orderLineId": line["orderLine"]["id"],
            "condition": "DAMAGED",
            "quantity": line["quantity"],
            "accepted": True,
        }
        for line in shown["lines"]
    ]
    received = await desk.do("StaffTicketReturnReceive", id=ticket["id"], units=units)
    found = await desk.read("StaffProducts", query="CLO-SHELL-NVY-M", first=1)
    dearer = (await desk.read("StaffStock", productId=found["products"]["nodes"][0]["id"]))["product"]
    kept = await web.do(
        "WebTicketReplacementChoose",
        id=ticket["id"],
        choice="VARIANT",
        variantId=dearer["variants"][0]["id"],
    )
    paying = await web.do("WebTicketDifferencePay", id=ticket["id"], method="SANDBOX")
    chosen = await web.do("WebTicketReplacementChoose", id=ticket["id"], choice="MONEY")

    assert received["ticket"]["status"] == "AWAITING_CHOICE"
    assert kept["ticket"]["status"] == "AWAITING_PAYMENT"
    assert kept["ticket"]["difference"]["payment"] is None
    assert paying["ticket"]["difference"]["payment"]["status"] == "PENDING"
    assert (paying["ticket"]["lines"][0]["substitute"]["id"], chosen["ticket"]["difference"]) == (
        dearer["variants"][0]["id"],
        None,
    )
    assert chosen["ticket"]["status"] == "REFUNDING"
    assert chosen["ticket"]["refund"]["amount"] != "0.00"
