"""What customers do with their payments in a chaos run, at the shop's front door and at the providers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx

from bench.chaos_providers import ChaosProvider

PATIENCE_SECONDS = 40.0
"""How long somebody goes on trying the same step; what came of it, only the books tell then."""
CALL_SECONDS = 30.0
PAUSE_SECONDS = 0.5
LATER = {"BUSY", "PROVIDER_UNAVAILABLE", "PROVIDER_REFUSED", "CONFLICT", "RATE_LIMITED"}
"""Refusals after which customers try again."""
WITHOUT_NOTICE = 0.2
"""The part of payments of which the provider tells nothing: the shop finds out by asking."""

PLACE = """mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) {
  order { id number payments { id } } userErrors { code message retryAfterSeconds } } }"""
START = """mutation ($input: PaymentStartInput!) { paymentStart(input: $input) {
  attempt { number } action { __typename ... on ScanCode { code } ... on Redirect { url }
    ... on AppParameters { text } ... on ClientSecret { secret } }
  userErrors { code message } } }"""
CANCEL = """mutation ($input: OrderCancelInput!) { orderCancel(input: $input) {
  order { status } userErrors { code message } } }"""
REFUND = """mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) {
  order { id } userErrors { code message } } }"""
STATUS = """query ($id: ID!) { node(id: $id) { ... on Order { status } } }"""
UNTIL_CLOSED = 8.0
"""Seconds after which a cancelled payment has been closed at its provider, if that is there."""

SANDBOX_CHANNELS = ("PAGE", "MOBILE_PAGE")
NOTICES = ("NONE", "TWICE", "LATE", "OUT_OF_ORDER", "WRONG_AMOUNT")


class GivenUp(Exception):
    """Nobody answered for too long, or said no for good."""


@dataclass(frozen=True, slots=True)
class BoughtVariant:
    variant: str
    price: str
    """In all, with shipping."""
    minor: int


@dataclass(slots=True)
class ChaosWorld:
    """The shop's front door, and whom stories meet."""

    client: httpx.AsyncClient
    url: str
    tokens: Sequence[str]
    manager: str
    variants: Sequence[str]
    goods: Sequence[BoughtVariant]
    address: Mapping[str, object]
    providers: Mapping[str, ChaosProvider]
    """By method; the sandbox has its page at the shop."""
    pause_seconds: float = PAUSE_SECONDS
    """After which somebody tries again."""

    async def ask(self, token: str, document: str, **variables: Any) -> Any:
        """The only field of the answer; tried again until there is one. GivenUp when it takes too long."""
        began = monotonic()
        body = {"query": document, "variables": variables}
        headers = {"Authorization": f"Bearer {token}"}
        last = ""
        while monotonic() - began < PATIENCE_SECONDS:
            try:
                answer = await self.client.post(
                    f"{self.url}/graphql", json=body, headers=headers, timeout=CALL_SECONDS
                )
                content = answer.json()
                if "errors" not in content:
                    [payload] = content["data"].values()
                    codes = [each["code"] for each in (payload or {}).get("userErrors", ())]
                    if not set(codes) & LATER:
                        return payload
                    content = payload
                last = str(content)
            except (httpx.TransportError, ValueError) as error:
                last = type(error).__name__
            await asyncio.sleep(self.pause_seconds)
        raise GivenUp(last[:300])


@dataclass(slots=True)
class ChaosLife:
    """One payment, and what its customer knows of it."""

    world: ChaosWorld
    index: int
    kind: str
    method: str
    random: Random
    without_notice: float = WITHOUT_NOTICE
    number: str = ""
    order: str = ""
    payment: str = ""
    goods: BoughtVariant | None = None
    parts: set[int] = field(default_factory=lambda: {0})
    """What of the price may have been refunded without cancelling."""
    acted_at: datetime | None = None
    """When the customer or the staff has last done something about it."""
    given_up: str = ""

    @property
    def token(self) -> str:
        return self.world.tokens[self.index % len(self.world.tokens)]

    @property
    def channels(self) -> Sequence[str]:
        provider = self.world.providers.get(self.method)
        return provider.channels if provider else SANDBOX_CHANNELS

    def act(self) -> None:
        self.acted_at = datetime.now(UTC)

    async def place(self) -> None:
        self.goods = goods = self.random.choice(self.world.goods)
        payload = await self.world.ask(
            self.token,
            PLACE,
            input={
                "lines": [{"variantId": goods.variant, "quantity": 1}],
                "deliveries": [{"address": {"postal": self.world.address}, "method": "STANDARD"}],
                "payments": [
                    {"method": self.method, "amount": {"amount": goods.price, "currencyCode": "CNY"}}
                ],
                "currency": "CNY",
                "idempotencyKey": f"chaos-{self.index}",
            },
        )
        if payload["userErrors"]:
            raise GivenUp(f"orderPlace: {payload['userErrors']}")
        order = payload["order"]
        self.number, self.order, self.payment = order["number"], order["id"], order["payments"][0]["id"]
        self.act()

    async def start(self, channel: str = "") -> tuple[str, Mapping[str, str]]:
        """The reference of the attempt and how it is paid."""
        given = {"id": self.payment, "channel": channel or self.channels[0]}
        payload = await self.world.ask(self.token, START, input=given)
        if payload["userErrors"]:
            raise GivenUp(f"paymentStart: {payload['userErrors']}")
        reference = f"{self.number}-1_{payload['attempt']['number']}".replace("-", "_")
        action = {name: value for name, value in payload["action"].items() if name != "__typename"}
        return reference, action

    async def pay(self, started: tuple[str, Mapping[str, str]], choice: str = "pay") -> None:
        reference, action = started
        if not action:
            return
        if self.method == "SANDBOX":
            await self.visit_sandbox(action["url"], choice)
        elif choice == "decline":
            await self.world.providers[self.method].decline(reference)
        else:
            notices = 0 if self.random.random() < self.without_notice else self.random.choice((1, 1, 2))
            await self.world.providers[self.method].pay(reference, action, notices=notices)
        self.act()

    async def visit_sandbox(self, url: str, choice: str) -> None:
        """Press a button of the pay page, with whatever goes wrong afterwards."""
        parts = urlsplit(url)
        form = {"choice": choice, "seconds": "2", "notices": self.random.choice(NOTICES)}
        if choice == "pay" and self.random.random() < WITHOUT_NOTICE:
            form["choice"] = "later"
        began = monotonic()
        while monotonic() - began < PATIENCE_SECONDS:
            try:
                answer = await self.world.client.post(
                    f"{self.world.url}{parts.path}?{parts.query}", data=form, timeout=CALL_SECONDS
                )
                if answer.status_code < 500:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(PAUSE_SECONDS)
        raise GivenUp("the pay page")

    async def cancel(self) -> None:
        payload = await self.world.ask(
            self.token, CANCEL, input={"id": self.order, "reason": "changed my mind"}
        )
        self.act()
        if payload["userErrors"] and payload["userErrors"][0]["code"] != "WRONG_STATE":
            raise GivenUp(f"orderCancel: {payload['userErrors']}")

    async def wait_for_confirmation(self) -> bool:
        """Whether the order was confirmed before it ended otherwise."""
        began = monotonic()
        while monotonic() - began < PATIENCE_SECONDS:
            order = await self.world.ask(self.token, STATUS, id=self.order)
            if order["status"] != "PENDING":
                return bool(order["status"] == "CONFIRMED")
            await asyncio.sleep(2 * PAUSE_SECONDS)
        return False

    async def refund_part(self, name: str) -> None:
        """Staff give back a part of the price; a repetition under the same key gives back no more."""
        assert self.goods
        part = self.goods.minor // 4
        before = set(self.parts)
        self.parts |= {each + part for each in before}
        payload = await self.world.ask(
            self.world.manager,
            REFUND,
            input={
                "orderId": self.order,
                "amount": {"amount": f"{part / 100:.2f}", "currencyCode": "CNY"},
                "reason": "Damaged.",
                "idempotencyKey": f"chaos-{self.index}-{name}",
            },
        )
        self.act()
        self.parts = before if payload["userErrors"] else {each + part for each in before}


async def pays(life: ChaosLife) -> None:
    await life.place()
    await life.pay(await life.start())


async def is_declined_first(life: ChaosLife) -> None:
    await life.place()
    await life.pay(await life.start(), "decline")
    await asyncio.sleep(life.random.random())
    await life.pay(await life.start())


async def pays_twice(life: ChaosLife) -> None:
    """Both attempts are paid where the provider lets a customer do so."""
    await life.place()
    first = await life.start(life.channels[0])
    second = await life.start(life.channels[1])
    await asyncio.gather(life.pay(first), life.pay(second))


async def pays_while_starting_again(life: ChaosLife) -> None:
    await life.place()
    first = await life.start(life.channels[0])
    _, second = await asyncio.gather(life.pay(first), life.start(life.channels[1]), return_exceptions=True)
    if isinstance(second, tuple):
        await life.pay(second)


async def pays_after_cancelling(life: ChaosLife, pause: float = 0.0) -> None:
    await life.place()
    started = await life.start()
    await life.cancel()
    await asyncio.sleep(pause + life.random.random() * 2)
    await life.pay(started)


async def pays_without_notice_after_cancelling(life: ChaosLife) -> None:
    """Only who still asks after what was closed finds out."""
    life.without_notice = 1.0
    await pays_after_cancelling(life, UNTIL_CLOSED)


async def pays_and_cancels(life: ChaosLife) -> None:
    """Both at the same moment."""
    await life.place()
    started = await life.start()
    await asyncio.gather(life.pay(started), life.cancel())


async def never_pays(life: ChaosLife) -> None:
    await life.place()
    if life.random.random() < 0.7:
        await life.start()


async def is_refunded_in_part(life: ChaosLife) -> None:
    await pays(life)
    if await life.wait_for_confirmation():
        await life.refund_part("one")
        if life.random.random() < 0.5:
            await life.refund_part("two")


async def cancels_after_paying(life: ChaosLife) -> None:
    await pays(life)
    if await life.wait_for_confirmation():
        await life.cancel()


Story = Callable[[ChaosLife], Awaitable[None]]
KINDS: Mapping[Story, int] = {
    pays: 30,
    is_declined_first: 10,
    pays_twice: 12,
    pays_while_starting_again: 8,
    pays_after_cancelling: 6,
    pays_without_notice_after_cancelling: 8,
    pays_and_cancels: 10,
    never_pays: 5,
    is_refunded_in_part: 10,
    cancels_after_paying: 5,
}
METHODS = ("SANDBOX", "ALIPAY", "WECHAT_PAY", "CARD")


async def live(life: ChaosLife, story: Story) -> None:
    """Tell a story to its end, or until somebody gives up."""
    try:
        await story(life)
    except (GivenUp, TimeoutError) as reason:
        life.given_up = str(reason) or type(reason).__name__
        life.act()
