"""The mobile app."""

from datetime import timedelta

from tests.client_apps.client_app import ClientApp, relay_events
from tests.client_apps.conftest import OpenApp, SignIn
from tests.clients import Clients


async def test_a_guest_finds_tea_and_keeps_the_cart_at_sign_in(open_app: OpenApp) -> None:
    mobile = open_app("mobile")
    home = await mobile.read("MobileHome", first=4)
    listed = (
        await mobile.read("MobileProducts", query="", filter={"category": "tea"}, sort="PRICE_ASC", first=6)
    )["products"]
    product = (await mobile.read("MobileProduct", id=listed["nodes"][0]["id"]))["product"]
    variant = next(each for each in product["variants"] if each["availability"]["level"] == "PLENTY")

    added = await mobile.do("MobileCartLinesAdd", lines=[{"variantId": variant["id"], "quantity": 2}])
    mobile.client.headers["X-Cart-Token"] = added["cart"]["token"]
    (line,) = added["cart"]["lines"]
    fewer = (await mobile.do("MobileCartLineUpdate", id=line["id"], quantity=1))["cart"]
    await mobile.sign_in("MobileSessionCreate", "emma")

    assert (len(home["products"]["nodes"]), home["cart"]) == (4, None)
    assert [each["quantity"] for each in fewer["lines"]] == [1]
    kept = (await mobile.read("MobileCart"))["cart"]
    assert [each["variant"]["id"] for each in kept["lines"]] == [variant["id"]]


async def test_a_customer_checks_out_the_cart(sign_in: SignIn) -> None:
    mobile = await sign_in("mobile", "emma")
    tea = (await mobile.read("MobileProducts", query="", sort="BEST_SELLING", first=1))["products"]["nodes"][
        0
    ]
    variant = (await mobile.read("MobileProduct", id=tea["id"]))["product"]["variants"][0]
    account = (await mobile.read("MobileAccount"))["viewer"]["account"]
    await mobile.do("MobileCartLinesAdd", lines=[{"variantId": variant["id"], "quantity": 1}])
    terms = {"deliveries": [{"address": {"id": account["addresses"][0]["id"]}, "method": "STANDARD"}]}

    quote = (await mobile.read("MobileCheckout", input=terms))["checkoutQuote"]
    placed = await mobile.do(
        "MobileOrderPlace",
        **terms,
        payments=[{"method": "SANDBOX", "amount": quote["total"]}],
        idempotencyKey="tapped twice",
    )
    started = await mobile.do("MobilePaymentStart", id=placed["order"]["payments"][0]["id"])

    assert (quote["problems"], placed["order"]["total"]) == ([], quote["total"])
    assert placed["secret"] is None, "a customer signs in"
    assert [(line["exclusion"], line["backordered"]) for line in quote["lines"]] == [(None, 0)]
    assert (started["payment"]["status"], started["nextAction"]["kind"]) == ("STARTED", "REDIRECT")


async def test_a_customer_scrolls_down_and_up_again(sign_in: SignIn) -> None:
    mobile = await sign_in("mobile", "xiaoyu")
    top = (await mobile.read("MobileOrders", first=2))["orders"]
    below = (await mobile.read("MobileOrders", first=2, after=top["pageInfo"]["endCursor"]))["orders"]

    again = (await mobile.read("MobileOrdersAbove", last=2, before=below["pageInfo"]["startCursor"]))[
        "orders"
    ]

    assert (len(below["nodes"]), again["nodes"]) == (2, top["nodes"])
    assert again["pageInfo"] == {"hasPreviousPage": False, "startCursor": top["pageInfo"]["startCursor"]}


async def test_a_phone_goes_on_from_the_version_it_has(sign_in: SignIn) -> None:
    mobile = await sign_in("mobile", "xiaoyu")
    delivered = (await mobile.read("MobileOrders", displayStatus=["DELIVERED"], first=5))["orders"]["nodes"]
    order = (await mobile.read("MobileOrder", id=delivered[0]["id"]))["order"]
    last = order["timeline"][-1]

    update = await mobile.first_update("MobileOrderUpdates", id=order["id"], after=order["version"] - 1)

    assert (update["version"], update["order"]["displayStatus"]) == (last["version"], "DELIVERED")


async def test_a_phone_asks_what_is_about_no_order(sign_in: SignIn) -> None:
    mobile = await sign_in("mobile", "xiaoyu")

    asked = await mobile.do("MobileQuestionAsk", description="拉萨可以送货吗？", idempotencyKey="lhasa")

    shown = (await mobile.read("MobileTicket", id=asked["ticket"]["id"]))["ticket"]
    assert (shown["number"], shown["type"]) == (asked["ticket"]["number"], "QUESTION")


async def test_a_phone_is_told_of_an_answer_to_a_ticket(sign_in: SignIn, clients: Clients) -> None:
    mobile = await sign_in("mobile", "xiaoyu")
    orders = (await mobile.read("MobileOrders", first=20))["orders"]["nodes"]
    tickets = [
        ticket
        for order in orders
        for ticket in (await mobile.read("MobileOrder", id=order["id"]))["order"]["tickets"]
    ]
    ticket = next(each for each in tickets if each["status"] == "APPLIED")
    await relay_events(clients.shop)

    async with mobile.watch("MobileViewerUpdates") as watch:
        written = await mobile.do("MobileTicketMessageAdd", id=ticket["id"], body="有消息了吗？")
        await relay_events(clients.shop)
        update = (await watch.next())["data"]["viewerUpdates"]

    shown = (await mobile.read("MobileTicket", id=ticket["id"]))["ticket"]
    first = await mobile.first_update("MobileTicketUpdates", id=ticket["id"], after=0)
    assert (update["name"], update["subject"]) == ("ticket.message", {"id": ticket["id"]})
    assert shown["messages"] == written["ticket"]["messages"]
    assert first == {"version": 1, "name": "ticket.opened", "status": "APPLIED"}


async def test_a_phone_has_goods_collected_or_sends_them_and_follows_them(
    sign_in: SignIn, clients: Clients
) -> None:
    mobile, ticket = await find_awaited_return(sign_in)
    carrier = next(
        each for each in (await mobile.read("MobileReturnCarriers"))["returnCarriers"] if each["collects"]
    )
    begins = (clients.shop.clock() + timedelta(days=1)).replace(hour=2)
    pickup = {"beginsAt": begins.isoformat(), "endsAt": (begins + timedelta(hours=2)).isoformat()}

    booked = await mobile.do("MobileTicketCollectionBook", id=ticket, carrier=carrier["code"], pickup=pickup)
    waybill = booked["ticket"]["returnCollection"]["waybill"]
    assert (booked["ticket"]["status"], waybill["status"]) == ("AWAITING_RETURN", "BOOKED")
    assert booked["ticket"]["returnParcel"]["trackingNumber"] == waybill["number"]
    cancelled = await mobile.do("MobileTicketCollectionCancel", id=ticket)
    assert cancelled["ticket"]["returnParcel"] is None

    number = {"carrier": carrier["code"], "trackingNumber": "SIM20001"}
    await mobile.do("MobileTicketReturnShip", id=ticket, **number)
    followed = (await mobile.read("MobileTicket", id=ticket))["ticket"]
    assert (followed["status"], followed["returnParcel"]["status"]) == ("RETURN_SHIPPED", "PENDING")


async def find_awaited_return(sign_in: SignIn) -> tuple[ClientApp, str]:
    """Somebody whose goods the shop waits for, and their ticket."""
    for name in ("xiaoyu", "zhiming", "emma", "xiulan"):
        mobile = await sign_in("mobile", name)
        for order in (await mobile.read("MobileOrders", first=20))["orders"]["nodes"]:
            for ticket in (await mobile.read("MobileOrder", id=order["id"]))["order"]["tickets"]:
                if ticket["status"] == "AWAITING_RETURN":
                    return mobile, ticket["id"]
    raise AssertionError("the demo shop waits for no goods")


async def test_a_session_is_refreshed(open_app: OpenApp) -> None:
    mobile = open_app("mobile")
    session = await mobile.sign_in("MobileSessionCreate", "emma")

    refreshed = await mobile.do("MobileSessionRefresh", refreshToken=session["refreshToken"])

    assert refreshed["session"]["refreshToken"] != session["refreshToken"]
