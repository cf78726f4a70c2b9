"""One order from the search to the refund, through the API of running processes."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from demo.load import PASSWORD
from tests.given import cny
from tests.journey.device import Device, Watcher, wait_until
from tests.notices import CODE
from tests.observe import TIMEOUT_SECONDS
from tests.process import Process, call_cartwheel, process_environment, serve_shop

SHORT_INTERVALS = {
    "SIMULATED_CARRIER_STEP": "0.3",
    "CARRIER_POLL_EVERY": "0.2",
    "TIMER_PAUSE": "0.2",
    "RELAY_PAUSE": "0.1",
}
HANGZHOU = {
    "recipient": "林梅", "phone": "+8613800138000", "countryCode": "CN", "province": "浙江省",
    "city": "杭州市", "district": "西湖区", "line1": "文三路 100 号", "postalCode": "310012",
}  # fmt: skip
CHENGDU = HANGZHOU | {
    "province": "四川省", "city": "成都市", "district": "锦江区",
    "line1": "红星路 8 号", "postalCode": "610021",
}  # fmt: skip


@dataclass
class RunningShop:
    """A running shop: `here` serves the customer, `there` the staff and the subscription."""

    here: Process
    there: Process
    env: dict[str, str]
    devices: list[Device] = field(default_factory=list)

    def open_device(self, process: Process) -> Device:
        self.devices.append(Device(httpx.AsyncClient(base_url=process.url, timeout=TIMEOUT_SECONDS)))
        return self.devices[-1]

    async def close_devices(self) -> None:
        for device in self.devices:
            await device.http.aclose()

    def codes_sent(self, email: str) -> list[str]:
        """The one-time codes sent to an address: without a mail server notices stand in the log."""
        lines = self.here.log.read_text("utf-8").splitlines()
        notices = [json.loads(line) for line in lines if '"notice.logged"' in line]
        return [CODE.findall(each["body"])[0] for each in notices if each["recipient"] == email]

    async def has_sent_code(self, email: str) -> bool:
        return bool(self.codes_sent(email))

    async def staff(self, role: str) -> Device:
        device = self.open_device(self.there)
        await device.sign_in(f"{role}@example.com", PASSWORD)
        return device


@pytest.fixture(params=["sqlite", "postgresql+redis"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "sqlite":
        url = request.getfixturevalue("demo_sqlite_url")
        return process_environment(url, tmp_path, **SHORT_INTERVALS)
    url, redis = map(request.getfixturevalue, ("demo_postgres_url", "redis_server"))
    return process_environment(url, tmp_path, REDIS_URL=redis.url, **SHORT_INTERVALS)


@pytest.fixture
async def running_shop(env: dict[str, str], tmp_path: Path) -> AsyncIterator[RunningShop]:
    """The demo shop: one process on SQLite, or two on PostgreSQL and Redis."""
    log = tmp_path / "serve.log"
    async with AsyncExitStack() as stack:
        here = there = await stack.enter_async_context(serve_shop(env, log))
        if "REDIS_URL" in env:
            there = await stack.enter_async_context(serve_shop(env, log))
        running = RunningShop(here, there, env)
        stack.push_async_callback(running.close_devices)
        yield running


def picture() -> bytes:
    """Return a PNG."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "firebrick").save(file, "PNG")
    return file.getvalue()


async def test_an_order_goes_from_the_search_to_the_refund(running_shop: RunningShop) -> None:
    customer = running_shop.open_device(running_shop.here)
    variants = await find_variants(customer)
    await fill_cart(customer, variants)
    await register(running_shop, customer)
    order = await place_order(customer, variants)

    watcher = Watcher(running_shop.there.url, customer.headers, order["id"])
    async with watcher.connected():
        await pay_order(customer, order)
        await wait_until("confirmed", lambda: has_state(customer, order, status="CONFIRMED"))
        await dispatch_parcels(running_shop, order)
        await wait_until("on the way", lambda: has_received(watcher, "order.shipped"))
    lost_at = watcher.versions[-1]

    await deliver_parcels(running_shop, customer, order)  # without a subscription: the phone is offline

    async with watcher.connected():
        await customer.do("Confirm", id=order["id"])
        await return_line(running_shop, customer, order)
        await wait_until("all versions are received", lambda: is_up_to_date(watcher, customer, order))

    final = await customer.ask("Order", id=order["id"])
    assert lost_at < final["version"]
    assert watcher.versions == list(range(1, final["version"] + 1))
    assert [update["name"] for update in watcher.updates] == [event["name"] for event in final["timeline"]]
    assert (final["status"], final["paymentStatus"], final["fulfilmentStatus"]) == (
        "COMPLETED",
        "PARTIALLY_REFUNDED",
        "DELIVERED",
    )
    audit = await call_cartwheel("audit", env=running_shop.env)
    assert audit.returncode == 0, audit.stdout + audit.stderr


async def find_variants(guest: Device) -> list[dict[str, Any]]:
    """Search in two languages, filter, open two products; return three variants in stock."""
    teas = await guest.ask("Search", text="茶")
    assert teas["totalCount"] >= 8
    guest.headers["Accept-Language"] = "en"
    jackets = await guest.ask("Search", text="jacket")
    assert jackets["totalCount"] >= 3
    assert any("jacket" in product["title"].lower() for product in jackets["nodes"])
    del guest.headers["Accept-Language"]

    everything = await guest.ask("Filtered", category="tea", attributes=[])
    origin = next(f for f in everything["facets"]["attributes"] if f["attribute"]["code"] == "origin")
    value, count = origin["values"][0]["value"], origin["values"][0]["count"]
    filters = [{"code": "origin", "values": [value]}]
    filtered = await guest.ask("Filtered", category="tea", attributes=filters)
    assert filtered["totalCount"] == len(filtered["nodes"]) == count > 0
    for product in filtered["nodes"]:
        origins = [each["value"] for each in product["attributes"] if each["attribute"]["code"] == "origin"]
        assert [each["code"] for each in origins] == [value]

    tea = await guest.ask("Product", slug=filtered["nodes"][0]["slug"])
    jacket = await guest.ask("Product", slug=jackets["nodes"][0]["slug"])
    shown = await guest.http.get(tea["media"][0]["url"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/svg+xml")
    in_stock = [
        variant
        for product in (tea, jacket)
        for variant in product["variants"]
        if variant["availability"]["inStock"] and variant["price"]
    ]
    assert len(in_stock) >= 3
    return in_stock[:3]


async def fill_cart(guest: Device, variants: list[dict[str, Any]]) -> None:
    for variant in variants:
        cart = await guest.do("Add", variantId=variant["id"], quantity=2)
        guest.headers.setdefault("X-Cart-Token", cart["token"])
    assert [line["quantity"] for line in (await guest.ask("Cart"))["lines"]] == [2, 2, 2]


async def register(running_shop: RunningShop, guest: Device) -> None:
    """Register with the code that comes by mail; the new customer keeps the guest's cart."""
    before, email = await guest.ask("Cart"), f"{uuid4().hex}@example.com"
    verification = await guest.do("Register", name="林梅", email=email, password="open sesame 7")
    await wait_until("the code has come", lambda: running_shop.has_sent_code(email))
    [code] = running_shop.codes_sent(email)
    session = await guest.do("ConfirmRegistration", token=verification["token"], code=code)
    guest.headers = {"Authorization": f"Bearer {session['accessToken']}"}
    assert await guest.ask("Cart") == before


async def place_order(customer: Device, variants: list[dict[str, Any]]) -> dict[str, Any]:
    """Place one order to two addresses, paid partly on delivery; sent twice, it is placed once."""
    first, second, third = (variant["id"] for variant in variants)
    deliveries = [
        {
            "address": {"postal": HANGZHOU},
            "method": "EXPRESS",
            "lines": [{"variantId": first, "quantity": 2}, {"variantId": second, "quantity": 1}],
        },
        {
            "address": {"postal": CHENGDU},
            "method": "STANDARD",
            "lines": [{"variantId": second, "quantity": 1}, {"variantId": third, "quantity": 2}],
        },
    ]
    quote = await customer.ask("Quote", input={"deliveries": deliveries})
    assert quote["problems"] == []
    total = Decimal(quote["total"]["amount"])
    cash = Decimal("100.00")
    terms = {
        "deliveries": deliveries,
        "payments": [
            {"method": "SANDBOX", "amount": cny(total - cash)},
            {"method": "CASH_ON_DELIVERY", "amount": cny(cash)},
        ],
        "idempotencyKey": "the-one-order",
    }
    order = await customer.do("Place", **terms)
    again = await customer.do("Place", **terms)

    assert again == order
    assert (order["status"], order["paymentStatus"]) == ("PENDING", "UNPAID")
    assert Decimal(order["total"]["amount"]) == total
    assert (
        sum(Decimal(line["total"]["amount"]) for line in order["lines"])
        + Decimal(quote["shipping"]["amount"])
        == total
    )
    assert [delivery["address"]["city"] for delivery in order["deliveries"]] == ["杭州市", "成都市"]
    assert (await customer.ask("Cart") or {"lines": []})["lines"] == []
    return dict(order)


async def pay_order(customer: Device, order: dict[str, Any]) -> None:
    """Pay on the page of the sandbox, whose signed notification captures the payment."""
    sandbox = next(payment for payment in order["payments"] if payment["method"] == "SANDBOX")
    payload = await customer.ask("StartPayment", input={"id": sandbox["id"]})
    assert payload["nextAction"]["kind"] == "REDIRECT"
    address = payload["nextAction"]["value"]
    page = await customer.http.get(address)
    assert page.status_code == 200
    assert sandbox["total"]["amount"] in page.text
    assert order["number"] in page.text
    paid = await customer.http.post(address, data={"choice": "pay"}, follow_redirects=True)
    assert paid.status_code == 200, paid.text


async def dispatch_parcels(running_shop: RunningShop, order: dict[str, Any]) -> None:
    """Pack a parcel for each address and dispatch both with the simulated carrier."""
    clerk = await running_shop.staff("warehouse")
    for delivery in order["deliveries"]:
        lines = [{"deliveryLineId": line["id"], "quantity": line["quantity"]} for line in delivery["lines"]]
        shipments = await clerk.do("Pack", deliveryId=delivery["id"], parcels=[{"lines": lines}])
        for shipment in shipments:
            sent = await clerk.do("Dispatch", id=shipment["id"], carrier="SIMULATED")
            assert sent["trackingNumber"].startswith("SIM")


async def deliver_parcels(running_shop: RunningShop, customer: Device, order: dict[str, Any]) -> None:
    """Wait until the carrier has delivered everything, and collect the cash."""
    await wait_until("delivered", lambda: has_state(customer, order, fulfilmentStatus="DELIVERED"))
    delivered = await customer.ask("Order", id=order["id"])
    assert [shipment["status"] for shipment in delivered["shipments"]] == ["DELIVERED", "DELIVERED"]
    assert all(len(shipment["events"]) >= 4 for shipment in delivered["shipments"])
    assert delivered["paymentStatus"] == "PARTIALLY_PAID"
    clerk = await running_shop.staff("warehouse")
    cash = next(payment for payment in order["payments"] if payment["method"] == "CASH_ON_DELIVERY")
    collected = await clerk.do("Collect", id=cash["id"], amount=cny(Decimal(cash["total"]["amount"])))
    assert collected["status"] == "CAPTURED"


async def return_line(running_shop: RunningShop, customer: Device, order: dict[str, Any]) -> None:
    """Return one damaged line: quote, ticket with a picture, agreement, return, refund of both payments."""
    line = order["lines"][0]
    claim = {
        "orderId": order["id"],
        "type": "RETURN_REFUND",
        "reason": "DAMAGED",
        "lines": [{"orderLineId": line["id"], "quantity": line["quantity"]}],
    }
    quote = await customer.ask("TicketQuote", input=claim)
    assert (quote["eligible"], quote["refund"]["amount"]) == (True, line["total"]["amount"])
    uploaded = await customer.http.post(
        "/media", files={"file": ("cup.png", picture(), "image/png")}, headers=customer.headers
    )
    assert uploaded.status_code in (200, 201), uploaded.text
    evidence = [uploaded.json()["id"]]
    description = "到手就碎了，见照片。"
    ticket = await customer.do(
        "OpenTicket", **claim, description=description, mediaIds=evidence, idempotencyKey="broken"
    )
    assert (ticket["status"], len(ticket["media"])) == ("APPLIED", 1)
    assert (await customer.http.get(ticket["media"][0]["url"])).status_code == 200

    agent, clerk = await running_shop.staff("support"), await running_shop.staff("warehouse")
    await agent.do("Agree", id=ticket["id"])
    await customer.do("ShipReturn", id=ticket["id"], carrier="SIMULATED", trackingNumber="SF1234567890")
    broken = {
        "orderLineId": line["id"],
        "condition": "DAMAGED",
        "quantity": line["quantity"],
        "accepted": True,
    }
    await clerk.do("ReceiveReturn", id=ticket["id"], units=[broken])

    async def is_refunded_by_provider() -> bool:
        refunds = (await agent.ask("Ticket", id=ticket["id"]))["refunds"]
        return {"SUCCEEDED"} == {r["status"] for r in refunds if r["payment"]["method"] == "SANDBOX"}

    await wait_until("the provider has refunded its part", is_refunded_by_provider)
    for refund in (await agent.ask("Ticket", id=ticket["id"]))["refunds"]:
        if refund["status"] == "PENDING":
            assert refund["payment"]["method"] == "CASH_ON_DELIVERY"
            await agent.do("ConfirmRefund", id=refund["id"], reference="BANK-0001")

    async def is_completed() -> bool:
        return bool((await customer.ask("Ticket", id=ticket["id"]))["status"] == "COMPLETED")

    await wait_until("the ticket is completed", is_completed)
    payments = (await customer.ask("Order", id=order["id"]))["payments"]
    legs = {leg["payment"]["method"]: leg["refund"]["amount"] for leg in quote["legs"]}
    assert {payment["method"]: payment["refunded"]["amount"] for payment in payments} == legs
    assert sum(map(Decimal, legs.values())) == Decimal(line["total"]["amount"])


async def has_state(customer: Device, order: dict[str, Any], **expected: str) -> bool:
    current = await customer.ask("Order", id=order["id"])
    return all(current[name] == value for name, value in expected.items())


async def has_received(watcher: Watcher, name: str) -> bool:
    return any(update["name"] == name for update in watcher.updates)


async def is_up_to_date(watcher: Watcher, customer: Device, order: dict[str, Any]) -> bool:
    return bool(watcher.versions[-1] == (await customer.ask("Order", id=order["id"]))["version"])
