"""The servers of the payment providers in a chaos run: what customers do there, faults, and their books."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx

from bench.chaos_books import ProviderBook, read_alipay_book, read_card_book, read_wechat_book
from bench.chaos_processes import ProviderProcess
from bench.provider_servers.alipay.server import APP_ID, SELLER_ID
from tests.servers.server_folder import find_free_port

CONTROL_SECONDS = 10.0
PATIENCE_TRIES = 20
PAUSE_SECONDS = 0.5

Order = Mapping[str, object]
Fault = tuple[str, Order]
"""Name of the control and what it is asked."""

ALIPAY_FAULTS: Sequence[Fault] = [
    ("fault", {"fault": fault, "times": times})
    for fault, times in (
        ("SERVER_ERROR", 3), ("ACT_THEN_HANG", 1), ("NONSENSE", 2), ("WRONG_SIGNATURE", 2),
        ("NO_SIGNATURE", 1), ("SYSTEM_ERROR", 2), ("SLOW", 5),
    )
]  # fmt: skip
WECHAT_FAULTS: Sequence[Fault] = [
    ("faults", {"fault": fault, "times": times, "seconds": 2})
    for fault, times in (
        ("server_error", 3), ("frequency", 3), ("forged_refusal", 1), ("hang", 1), ("drop", 2),
        ("error_after", 2), ("nonsense", 2), ("wrong_signature", 2), ("unsigned", 1), ("probe", 1),
        ("slow_after", 3),
    )
] + [
    ("notice_faults", {"fault": fault, "times": 3})
    for fault in ("lost", "doubled", "held", "probe", "wrong_signature")
] + [("refunds", {"status": "PROCESSING"})]  # fmt: skip
CARD_FAULTS: Sequence[Fault] = [
    ("fault", {"call": call, "kind": kind, "times": times, "seconds": 4})
    for call in ("POST /v1/(payment_intents|refunds)", ".*")
    for kind, times in (
        ("fail", 1), ("unavailable", 3), ("limit", 3), ("hang", 1), ("act_then_hang", 2),
        ("act_then_fail", 1), ("nonsense", 2), ("slow", 3),
    )
] + [("notices", {"mode": mode}) for mode in ("send", "double", "reverse")] + [
    ("set", {"refunds_pend": True})
]  # fmt: skip


@dataclass(slots=True)
class ChaosProvider:
    """One provider's server and how it is asked."""

    method: str
    process: ProviderProcess
    client: httpx.AsyncClient
    channels: Sequence[str]
    faults: Sequence[Fault]
    read_book: Callable[[Any], ProviderBook]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.process.port}"

    async def control(self, name: str, order: Order) -> Any:
        """The answer; tried again while the server is away."""
        for _ in range(PATIENCE_TRIES):
            with suppress(httpx.TransportError):
                answer = await self.client.post(
                    f"{self.address}/control/{name}", json=order, timeout=CONTROL_SECONDS
                )
                return answer.json()
            await asyncio.sleep(PAUSE_SECONDS)
        raise TimeoutError(f"{self.method} does not come back")

    async def plan_fault(self, random: Random) -> str:
        name, order = random.choice(self.faults)
        await self.control(name, order)
        return f"{name} {order}"

    async def book(self) -> ProviderBook:
        if self.method == "ALIPAY":
            return self.read_book((await self.client.get(f"{self.address}/book", timeout=30)).json())
        return self.read_book(await self.control("book", {}))

    async def end_refunds(self) -> None:
        """Have the money of all refunds arrive that are on their way."""
        if self.method in ("WECHAT_PAY", "CARD"):
            status = "SUCCESS" if self.method == "WECHAT_PAY" else "succeeded"
            for reference in (await self.book()).pending:
                await self.control("refund", {"reference": reference, "status": status})

    async def calm(self) -> None:
        """Forget faults, and send what was held."""
        if self.method == "WECHAT_PAY":
            await self.control("release", {})
            await self.control("reset", {})
            await self.control("refunds", {"status": "SUCCESS"})
        if self.method == "CARD":
            await self.control("faults_clear", {})
            await self.control("notices", {"mode": "send"})
            await self.control("set", {"refunds_pend": False})

    async def pay(self, reference: str, action: Mapping[str, str], *, notices: int) -> bool:
        """The customer pays; whether the provider says so."""
        match self.method:
            case "ALIPAY":
                answer = await self.control(
                    "pay", {"action": next(iter(action.values())), "notices": notices}
                )
                return bool(answer["paid"])
            case "WECHAT_PAY":
                answer = await self.control("pay", {"reference": reference, "notify": notices > 0})
                return bool(answer["paid"])
        answer = await self.control("confirm", {"reference": reference, "card": "pm_card_visa"})
        return "error" not in answer

    async def decline(self, reference: str) -> None:
        """A card is declined; the other providers tell nobody that a customer has left."""
        if self.method == "CARD":
            await self.control("confirm", {"reference": reference, "card": "pm_card_chargeDeclined"})


async def open_alipay(
    folder: Path, client: httpx.AsyncClient, shop: str
) -> tuple[ChaosProvider, dict[str, str]]:
    keys = folder / "alipay"
    process = ProviderProcess("alipay", find_free_port(), [str(keys)], folder / "alipay.log")
    await process.start()
    provider = ChaosProvider(
        "ALIPAY", process, client, ("SCAN", "PAGE", "APP"), ALIPAY_FAULTS, read_alipay_book
    )
    return provider, {
        "ALIPAY_GATEWAY": f"{provider.address}/gateway.do",
        "ALIPAY_APP_ID": APP_ID,
        "ALIPAY_SELLER_ID": SELLER_ID,
        "ALIPAY_PRIVATE_KEY_FILE": str(keys / "app_private.pem"),
        "ALIPAY_PUBLIC_KEY_FILES": str(keys / "alipay_public.pem"),
    }


async def open_wechat_pay(
    folder: Path, client: httpx.AsyncClient, shop: str
) -> tuple[ChaosProvider, dict[str, str]]:
    keys = folder / "wechat_pay"
    keys.mkdir()
    process = ProviderProcess("wechat_pay", find_free_port(), [str(keys)], folder / "wechat_pay.log")
    await process.start()
    provider = ChaosProvider(
        "WECHAT_PAY", process, client, ("SCAN", "MOBILE_PAGE"), WECHAT_FAULTS, read_wechat_book
    )
    await provider.control("refunds", {"status": "SUCCESS"})
    return provider, {**(await read_printed(process))["environment"], "WECHAT_PAY_TIMEOUT": "5"}


async def open_card(
    folder: Path, client: httpx.AsyncClient, shop: str
) -> tuple[ChaosProvider, dict[str, str]]:
    notices, keys = f"{shop}/webhooks/payments/card", str(folder / "stripe")
    process = ProviderProcess("stripe", find_free_port(), [notices, keys], folder / "stripe.log")
    await process.start()
    printed = await read_printed(process)
    provider = ChaosProvider("CARD", process, client, ("PAGE", "APP"), CARD_FAULTS, read_card_book)
    return provider, {
        "STRIPE_ADDRESS": provider.address,
        "STRIPE_SECRET_KEY": printed["secret_key"],
        "STRIPE_PUBLISHABLE_KEY": printed["publishable_key"],
        "STRIPE_WEBHOOK_SECRET": printed["webhook_secret"],
    }


OPENINGS: Sequence[
    Callable[[Path, httpx.AsyncClient, str], Awaitable[tuple[ChaosProvider, dict[str, str]]]]
] = (open_alipay, open_wechat_pay, open_card)


async def read_printed(process: ProviderProcess) -> Any:
    """What the server has printed when it was ready."""
    while True:
        with suppress(ValueError, IndexError):
            return json.loads(process.log.read_text().splitlines()[0])
        await asyncio.sleep(PAUSE_SECONDS / 10)
