"""One order from the shelf to the refund, through the front door of running processes."""

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from demo.load import PASSWORD
from tests.journey.shop import Device, Watcher, until
from tests.observe import PATIENCE_SECONDS
from tests.process import Process, cartwheel, environment, serving

if TYPE_CHECKING:
    from tests.servers import PostgresServer, RedisServer

QUICK = {
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
class Running:
    """A shop on the air: `here` answers the customer, `there` the staff and the watcher."""

    here: Process
    there: Process
    env: dict[str, str]
    devices: list[Device] = field(default_factory=list)

    def device(self, process: Process) -> Device:
        self.devices.append(Device(httpx.AsyncClient(base_url=process.url, timeout=PATIENCE_SECONDS)))
        return self.devices[-1]

    async def switch_off(self) -> None:
        for device in self.devices:
            await device.http.aclose()

    async def staff(self, role: str) -> Device:
        device = self.device(self.there)
        await device.sign_in(f"{role}@example.com", PASSWORD)
        return device


@pytest.fixture(params=["sqlite", "postgresql+redis"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    """The demo shop: one process on SQLite, or two on PostgreSQL and Redis."""
    log = tmp_path / "serve.log"
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            env = environment(f"sqlite:///{tmp_path}/shop.db", tmp_path, **QUICK)
            process = await stack.enter_async_context(serving(env, log, "--demo"))
            alone = Running(process, process, env)
            stack.push_async_callback(alone.switch_off)
            yield alone
            return
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        redis: RedisServer = request.getfixturevalue("redis_server")
        name = f"journey_{uuid4().hex}"
        url = await postgres.new_database(name)
        stack.push_async_callback(postgres.drop_database, name)
        env = environment(url, tmp_path, REDIS_URL=redis.url, **QUICK)
        migrated = cartwheel("migrate", env=env)
        assert migrated.returncode == 0, migrated.stderr
        here = await stack.enter_async_context(serving(env, log, "--demo"))
        there = await stack.enter_async_context(serving(env, log))
        both = Running(here, there, env)
        stack.push_async_callback(both.switch_off)
        yield both


def money(amount: Decimal) -> dict[str, str]:
    return {"amount": str(amount), "currencyCode": "CNY"}


def picture() -> bytes:
    """A photo of a broken cup, as far as bytes go."""
    held = io.BytesIO()
    Image.new("RGB", (64, 48), "firebrick").save(held, "PNG")
    return held.getvalue()


async def test_one_order_goes_from_the_shelf_to_the_refund(running: Running) -> None:
    customer = running.device(running.here)
    variants = await browse(customer)
    await fill_cart(customer, variants)
    await register(customer)
    order = await place(customer, variants)

    watcher = Watcher(running.there.url, customer.headers, order["id"])
    async with watcher.connected():
        await pay(customer, order)
        await until("confirmed", lambda: state(customer, order, status="CONFIRMED"))
        await send_off(running, order)
        await until("on the way", lambda: seen(watcher, "order.shipped"))
    lost_at = watcher.versions[-1]

    await arrive(running, customer, order)  # nobody watches: the phone is in a tunnel

    async with watcher.connected():
        await customer.do("Confirm", id=order["id"])
        await take_back(running, customer, order)
        await until("all versions are seen", lambda: up_to_date(watcher, customer, order))

    final = await customer.ask("Order", id=order["id"])
    assert lost_at < final["version"]
    assert watcher.versions == list(range(1, final["version"] + 1))
    assert [update["name"] for update in watcher.seen] == [event["name"] for event in final["timeline"]]
    assert (final["status"], final["paymentStatus"], final["fulfilmentStatus"]) == (
        "COMPLETED",
        "PARTIALLY_REFUNDED",
        "DELIVERED",
    )
    audit = cartwheel("audit", env=running.env)
    assert audit.returncode == 0, audit.stdout + audit.stderr


async def browse(guest: Device) -> list[dict[str, Any]]:
    """Search in two languages, filter, open two products; the variants to buy."""
    teas = await guest.ask("Search", text="茶")
    assert teas["totalCount"] >= 8
    guest.headers["Accept-Language"] = "en"
    jackets = await guest.ask("Search", text="jacket")
    assert jackets["totalCount"] >= 3
    assert any("jacket" in found["title"].lower() for found in jackets["nodes"])
    del guest.headers["Accept-Language"]

    everything = await guest.ask("Filtered", category="tea", attributes=[])
    origin = next(f for f in everything["facets"]["attributes"] if f["attribute"]["code"] == "origin")
    value, count = origin["values"][0]["value"], origin["values"][0]["count"]
    wanted = [{"code": "origin", "values": [value]}]
    filtered = await guest.ask("Filtered", category="tea", attributes=wanted)
    assert filtered["totalCount"] == len(filtered["nodes"]) == count > 0
    for product in filtered["nodes"]:
        said = [each["value"] for each in product["attributes"] if each["attribute"]["code"] == "origin"]
        assert [each["code"] for each in said] == [value]

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


async def register(guest: Device) -> None:
    """From now on a customer, with the same cart."""
    before = await guest.ask("Cart")
    session = await guest.do(
        "Register", name="林梅", email=f"{uuid4().hex}@example.com", password="open sesame 7"
    )
    guest.headers = {"Authorization": f"Bearer {session['accessToken']}"}
    assert await guest.ask("Cart") == before


async def place(customer: Device, variants: list[dict[str, Any]]) -> dict[str, Any]:
    """One order to two addresses, paid half in advance and half at the door; sent twice, placed once."""
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
    at_the_door = Decimal("100.00")
    wanted = {
        "deliveries": deliveries,
        "payments": [
            {"method": "SANDBOX", "amount": money(total - at_the_door)},
            {"method": "CASH_ON_DELIVERY", "amount": money(at_the_door)},
        ],
        "idempotencyKey": "the-one-order",
    }
    order = await customer.do("Place", **wanted)
    again = await customer.do("Place", **wanted)

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


async def pay(customer: Device, order: dict[str, Any]) -> None:
    """On the sandbox's own page; its signed notification settles the payment."""
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


async def send_off(running: Running, order: dict[str, Any]) -> None:
    """A clerk packs a parcel for each address and hands both to the simulated carrier."""
    clerk = await running.staff("warehouse")
    for delivery in order["deliveries"]:
        lines = [{"deliveryLineId": line["id"], "quantity": line["quantity"]} for line in delivery["lines"]]
        shipments = await clerk.do("Pack", deliveryId=delivery["id"], parcels=[{"lines": lines}])
        for shipment in shipments:
            sent = await clerk.do("Dispatch", id=shipment["id"], carrier="SIMULATED")
            assert sent["trackingNumber"].startswith("SIM")


async def arrive(running: Running, customer: Device, order: dict[str, Any]) -> None:
    """The carrier brings everything, the courier takes the cash."""
    await until("delivered", lambda: state(customer, order, fulfilmentStatus="DELIVERED"))
    arrived = await customer.ask("Order", id=order["id"])
    assert [shipment["status"] for shipment in arrived["shipments"]] == ["DELIVERED", "DELIVERED"]
    assert all(len(shipment["events"]) >= 4 for shipment in arrived["shipments"])
    assert arrived["paymentStatus"] == "PARTIALLY_PAID"
    courier = await running.staff("courier")
    cash = next(payment for payment in order["payments"] if payment["method"] == "CASH_ON_DELIVERY")
    collected = await courier.do(
        "Collect", paymentId=cash["id"], amount=money(Decimal(cash["total"]["amount"]))
    )
    assert collected["status"] == "CAPTURED"


async def take_back(running: Running, customer: Device, order: dict[str, Any]) -> None:
    """One line is broken: quoted, claimed with a picture, agreed, sent back, refunded over both roads."""
    line = order["lines"][0]
    claim = {
        "orderId": order["id"],
        "type": "RETURN_REFUND",
        "reason": "DAMAGED",
        "lines": [{"lineId": line["id"], "quantity": line["quantity"]}],
    }
    quote = await customer.ask("TicketQuote", input=claim)
    assert (quote["eligible"], quote["refund"]["amount"]) == (True, line["total"]["amount"])
    uploaded = await customer.http.post(
        "/media", files={"file": ("cup.png", picture(), "image/png")}, headers=customer.headers
    )
    assert uploaded.status_code in (200, 201), uploaded.text
    evidence = [uploaded.json()["id"]]
    words = "到手就碎了，见照片。"
    ticket = await customer.do(
        "OpenTicket", **claim, description=words, mediaIds=evidence, idempotencyKey="broken"
    )
    assert (ticket["status"], len(ticket["media"])) == ("APPLIED", 1)
    assert (await customer.http.get(ticket["media"][0]["url"])).status_code == 200

    agent, clerk = await running.staff("support"), await running.staff("warehouse")
    await agent.do("Agree", id=ticket["id"])
    await customer.do("SendBack", id=ticket["id"], carrier="SF Express", trackingNumber="SF1234567890")
    await clerk.do("TakeBack", id=ticket["id"], accepted=True, damaged=True)

    async def provider_is_done() -> bool:
        refunds = (await agent.ask("Ticket", id=ticket["id"]))["refunds"]
        return {"SUCCEEDED"} == {r["status"] for r in refunds if r["payment"]["method"] == "SANDBOX"}

    await until("the provider has refunded its part", provider_is_done)
    for refund in (await agent.ask("Ticket", id=ticket["id"]))["refunds"]:
        if refund["status"] == "PENDING":
            assert refund["payment"]["method"] == "CASH_ON_DELIVERY"
            await agent.do("ConfirmRefund", id=refund["id"], reference="BANK-0001")

    async def settled() -> bool:
        return bool((await customer.ask("Ticket", id=ticket["id"]))["status"] == "COMPLETED")

    await until("the ticket is completed", settled)
    payments = (await customer.ask("Order", id=order["id"]))["payments"]
    legs = {leg["payment"]["method"]: leg["refund"]["amount"] for leg in quote["legs"]}
    assert {payment["method"]: payment["refunded"]["amount"] for payment in payments} == legs
    assert sum(map(Decimal, legs.values())) == Decimal(line["total"]["amount"])


async def state(customer: Device, order: dict[str, Any], **wanted: str) -> bool:
    found = await customer.ask("Order", id=order["id"])
    return all(found[name] == value for name, value in wanted.items())


async def seen(watcher: Watcher, name: str) -> bool:
    return any(update["name"] == name for update in watcher.seen)


async def up_to_date(watcher: Watcher, customer: Device, order: dict[str, Any]) -> bool:
    return bool(watcher.versions[-1] == (await customer.ask("Order", id=order["id"]))["version"])
