"""The web shop of a customer: checkout, payment, orders, tickets and the account."""

import re
from typing import Any

from demo.load import PASSWORD
from tests.client_apps.client_app import ClientApp, relay_events
from tests.client_apps.conftest import OpenApp, SignIn
from tests.clients import Clients
from tests.notices import code_sent

TEA = "xihu-longjing-green-tea"
SUZHOU = {
    "recipient": "林晓雨", "phone": "+8613800138001", "province": "江苏省", "city": "苏州市",
    "district": "姑苏区", "line1": "平江路 1 号",
}  # fmt: skip


async def order_terms(web: ClientApp, *, quantity: int = 1) -> dict[str, Any]:
    """Return lines and one delivery of tea to the customer's first address."""
    product = (await web.read("WebProduct", slug=TEA))["product"]
    choices = await web.read("WebCheckoutChoices")
    address = choices["viewer"]["account"]["addresses"][0]["id"]
    assert "SANDBOX" in [each["method"] for each in choices["paymentMethods"]]
    return {
        "lines": [{"variantId": product["variants"][0]["id"], "quantity": quantity}],
        "deliveries": [{"address": {"id": address}, "method": "STANDARD"}],
    }


async def place_order(web: ClientApp, *, quantity: int = 1) -> dict[str, Any]:
    """Quote and place an order; return it."""
    terms = await order_terms(web, quantity=quantity)
    quote = (await web.read("WebCheckoutQuote", input=terms))["checkoutQuote"]
    assert quote["problems"] == []
    placed = await web.do(
        "WebOrderPlace",
        **terms,
        payments=[{"method": "SANDBOX", "amount": quote["total"]}],
        idempotencyKey=f"one order of {quantity}",
    )
    assert placed["order"]["total"] == quote["total"]
    order: dict[str, Any] = placed["order"]
    return order


async def test_a_customer_orders_pays_and_follows_the_order(web: ClientApp, clients: Clients) -> None:
    order = await place_order(web)
    (payment,) = order["payments"]

    async with web.watch("WebOrderUpdates", id=order["id"], after=0) as watch:
        started = await web.do("WebPaymentStart", id=payment["id"])
        page = re.sub(r"^https?://[^/]+", "", started["nextAction"]["value"])
        assert (await clients.http.post(page, data={"choice": "pay"})).status_code == 303
        await relay_events(clients.shop)
        names = [(await watch.next())["data"]["orderUpdates"]["name"] for _ in range(4)]

    paid = (await web.read("WebPayment", id=payment["id"]))["node"]
    shown = (await web.read("WebOrder", number=order["number"]))["order"]
    assert names == ["order.placed", "payment.started", "payment.captured", "order.confirmed"]
    assert (paid["status"], paid["order"]["paymentStatus"]) == ("CAPTURED", "PAID")
    assert [each["name"] for each in shown["timeline"]] == names
    assert (shown["displayStatus"], shown["lines"][0]["sku"]) == ("PREPARING", "TEA-LJ-050T")


async def test_an_order_is_changed_and_cancelled_before_it_ships(web: ClientApp) -> None:
    order = await place_order(web, quantity=3)
    shown = (await web.read("WebOrder", number=order["number"]))["order"]

    moved = await web.do("WebOrderAddressChange", id=shown["deliveries"][0]["id"], address={"postal": SUZHOU})
    fewer = await web.do(
        "WebOrderLinesCancel",
        id=order["id"],
        lines=[{"orderLineId": shown["lines"][0]["id"], "quantity": 1}],
        reason="太多了",
    )
    cancelled = await web.do("WebOrderCancel", id=order["id"], reason="不要了")

    assert moved["delivery"]["address"]["city"] == "苏州市"
    assert [each["cancelled"] for each in fewer["order"]["lines"]] == [1]
    assert cancelled["order"]["displayStatus"] == "CANCELLED"
    newest = (await web.read("WebOrders", first=1))["orders"]["nodes"]
    assert [(each["number"], each["displayStatus"]) for each in newest] == [(order["number"], "CANCELLED")]


async def test_a_delivered_order_is_confirmed_and_bought_again(web: ClientApp) -> None:
    order = (await web.read("WebOrder", number="DEMO0010"))["order"]
    assert order["displayStatus"] == "DELIVERED"

    confirmed = await web.do("WebOrderReceiptConfirm", id=order["id"])
    again = await web.do("WebOrderBuyAgain", id=order["id"])

    assert confirmed["order"]["displayStatus"] == "COMPLETED"
    assert (again["leftOut"], [each["quantity"] for each in again["cart"]["lines"]]) == ([], [2])


async def test_a_return_is_quoted_asked_for_and_taken_back(web: ClientApp, clients: Clients) -> None:
    order = (await web.read("WebOrder", number="DEMO0010"))["order"]
    claim = {
        "orderId": order["id"],
        "type": "RETURN_REFUND",
        "reason": "NO_REASON",
        "lines": [{"orderLineId": order["lines"][0]["id"], "quantity": 1}],
    }

    quotes = (await web.read("WebTicketQuotes", orderId=claim["orderId"]))["ticketQuotes"]
    assert any(each["eligible"] for each in quotes)
    quote = (await web.read("WebTicketQuote", input=claim))["ticketQuote"]
    asked = await web.do("WebTicketOpen", **claim, description="不想要了", idempotencyKey="return")
    ticket = asked["ticket"]
    async with web.watch("WebTicketUpdates", id=ticket["id"], after=ticket["version"]) as watch:
        written = await web.do("WebTicketMessageAdd", id=ticket["id"], body="请尽快处理")
        await relay_events(clients.shop)
        update = (await watch.next())["data"]["ticketUpdates"]
    cancelled = await web.do("WebTicketCancel", id=ticket["id"])

    assert (quote["eligible"], ticket["refund"]) == (True, quote["refund"])
    assert [each["body"] for each in written["ticket"]["messages"]] == ["请尽快处理"]
    assert update["name"] == "ticket.message"
    assert cancelled["ticket"]["status"] == "CANCELLED"


async def test_answered_tickets_are_followed_up(sign_in: SignIn) -> None:
    person = {"AWAITING_RETURN": "", "REFUSED": ""}
    apps = [await sign_in("web", name) for name in ("xiaoyu", "zhiming", "emma", "xiulan")]
    for app in apps:
        for ticket in (await app.read("WebTickets", first=20))["tickets"]["nodes"]:
            if ticket["status"] in person and not person[ticket["status"]]:
                person[ticket["status"]] = ticket["number"]
                shown = (await app.read("WebTicket", number=ticket["number"]))["ticket"]
                assert shown["order"] == ticket["order"]
                await follow_up(app, shown)
    assert all(person.values())


async def follow_up(app: ClientApp, ticket: dict[str, Any]) -> None:
    """Send back what was agreed on; try again, and then escalate, what was refused."""
    if ticket["status"] == "AWAITING_RETURN":
        code = (await app.read("WebReturnCarriers"))["returnCarriers"][0]["code"]
        sent = await app.do("WebTicketReturnShip", id=ticket["id"], carrier=code, trackingNumber="sf 1001")
        shown = sent["ticket"]
        assert (shown["status"], shown["returnTrackingNumber"]) == ("RETURN_SHIPPED", "SF1001")
        return
    assert ticket["refusal"]
    escalated = await app.do("WebTicketEscalate", id=ticket["id"])
    assert escalated["ticket"]["status"] == "ARBITRATION"


async def test_a_refused_ticket_is_asked_for_again(sign_in: SignIn) -> None:
    for name in ("xiaoyu", "zhiming", "emma", "xiulan"):
        app = await sign_in("web", name)
        tickets = (await app.read("WebTickets", first=20))["tickets"]["nodes"]
        for ticket in (each for each in tickets if each["status"] == "REFUSED"):
            again = await app.do("WebTicketReapply", id=ticket["id"], description="补充了清晰的照片")
            assert again["ticket"]["status"] == "APPLIED"
            return
    raise AssertionError("the demo shop has no refused ticket")


async def test_a_person_registers_edits_addresses_and_signs_out(open_app: OpenApp) -> None:
    web = open_app("web")
    started = await web.do(
        "WebAccountRegister", name="周舟", email="zhou@example.com", password="open sesame 7"
    )
    code = await code_sent(web.client.clients.shop, "zhou@example.com")
    registered = await web.do("WebRegistrationConfirm", token=started["verification"]["token"], code=code)
    web.client.headers = {"Authorization": f"Bearer {registered['session']['accessToken']}"}
    refreshed = (await web.do("WebSessionRefresh", refreshToken=registered["session"]["refreshToken"]))[
        "session"
    ]
    web.client.headers = {"Authorization": f"Bearer {refreshed['accessToken']}"}

    saved = (await web.do("WebAddressSave", address=SUZHOU, isDefault=True))["address"]
    account = (await web.read("WebAccount"))["viewer"]["account"]
    removed = (await web.do("WebAddressRemove", id=saved["id"]))["account"]
    revoked = await web.do("WebSessionRevoke", refreshToken=refreshed["refreshToken"])
    web.client.headers = {}

    assert (account["name"], account["email"], account["addresses"]) == ("周舟", "zhou@example.com", [saved])
    assert (removed["addresses"], revoked["revoked"]) == ([], True)
    assert await web.refused("WebSessionCreate", login="zhou@example.com", password=PASSWORD) == [
        "CREDENTIALS_REFUSED"
    ]


async def test_a_customer_is_told_of_everything_of_their_own(web: ClientApp, clients: Clients) -> None:
    order = (await web.read("WebOrder", number="DEMO0010"))["order"]
    await relay_events(clients.shop)

    async with web.watch("WebViewerUpdates") as watch:
        await web.do("WebOrderReceiptConfirm", id=order["id"])
        await relay_events(clients.shop)
        update = (await watch.next())["data"]["viewerUpdates"]

    assert update["subject"] == {"id": order["id"], "number": "DEMO0010", "displayStatus": "COMPLETED"}
