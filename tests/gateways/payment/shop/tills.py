"""What payers and providers do at the three servers, in the same words for each."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import httpx

from bench.provider_servers.alipay.server import APP_ID, SELLER_ID, SLOW_SECONDS
from gateways.payment.alipay.signing import AlipayKeys, read_private_key
from gateways.payment.card.notices import SIGNATURE_HEADER, sign_notice
from models import PaymentChannel
from tests.gateways.payment.alipay import desk as alipay
from tests.gateways.payment.wechat_pay import server as wechat_pay
from tests.process import ROOT

Action = Mapping[str, str]
"""The member of the union that `paymentStart` answers."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice as it is posted."""

    headers: dict[str, str]
    body: bytes


class Till(Protocol):
    """A provider's server, and the settings of a shop that uses it."""

    @property
    def method(self) -> str: ...

    @property
    def settings(self) -> dict[str, str]: ...

    @property
    def actions(self) -> Mapping[PaymentChannel, str]:
        """What paymentStart answers for each channel."""

    @property
    def calling(self) -> PaymentChannel:
        """A channel whose start is a call to the provider."""

    @property
    def taken(self) -> tuple[int, bytes]:
        """The answer that makes the provider stop."""

    @property
    def refused(self) -> tuple[int, bytes]: ...

    @property
    def later(self) -> tuple[int, bytes]: ...

    async def open(self, shop_url: str) -> None:
        """Forget faults; notices go to this shop, but only those of `pay` with `notify`."""

    async def pay(self, reference: str, action: Action | None, *, notify: bool) -> bool: ...

    async def notice(self, reference: str) -> Sent:
        """The notice that it was paid, newly signed; it is the same one each time."""

    async def other_notice(self, reference: str, *, amount: str = "", unknown: bool = False) -> Sent:
        """A genuine notice about another amount, or about an attempt that is not there."""

    async def earlier_notice(self, reference: str) -> Sent | None:
        """A genuine notice of what was before it was paid; None where this provider sends none."""

    def forge(self, notice: Sent) -> Sent:
        """The notice, signed by somebody else."""

    async def slow_start(self) -> None:
        """The next start acts, and answers some time later."""

    async def captured(self, reference: str) -> int: ...

    async def refunded(self, reference: str) -> int: ...


async def post(url: str, order: object) -> Any:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, json=order)
        return answer.json()


@dataclass(slots=True)
class AlipayTill:
    server: alipay.AlipayServer
    method: str = "ALIPAY"
    calling: PaymentChannel = PaymentChannel.SCAN
    taken: tuple[int, bytes] = (200, b"success")
    refused: tuple[int, bytes] = (200, b"fail")
    later: tuple[int, bytes] = (200, b"fail")
    actions: Mapping[PaymentChannel, str] = field(
        default_factory=lambda: {
            PaymentChannel.PAGE: "Redirect",
            PaymentChannel.MOBILE_PAGE: "Redirect",
            PaymentChannel.APP: "AppParameters",
            PaymentChannel.SCAN: "ScanCode",
        }
    )

    @property
    def settings(self) -> dict[str, str]:
        folder = self.server.folder
        return {
            "alipay_gateway": f"{self.server.address}/gateway.do",
            "alipay_app_id": APP_ID,
            "alipay_seller_id": SELLER_ID,
            "alipay_private_key_file": str(folder / "app_private.pem"),
            "alipay_public_key_files": str(folder / "alipay_public.pem"),
        }

    async def control(self, what: str, **order: object) -> Any:
        return await post(f"{self.server.address}/control/{what}", order)

    async def open(self, shop_url: str) -> None:
        pass

    async def pay(self, reference: str, action: Action | None, *, notify: bool) -> bool:
        opened = next(iter((action or {"code": f"https://qr.alipay.com/{reference}"}).values()))
        done = await self.control("pay", action=opened, notices=int(notify))
        return bool(done["paid"])

    async def notice(self, reference: str) -> Sent:
        return await self.write_notice(reference)

    async def other_notice(self, reference: str, *, amount: str = "", unknown: bool = False) -> Sent:
        changes = {"total_amount": amount} if amount else {}
        return await self.write_notice(
            reference, changes=changes | ({"out_trade_no": "T_unknown"} if unknown else {})
        )

    async def earlier_notice(self, reference: str) -> Sent | None:
        changes = {"trade_status": "WAIT_BUYER_PAY", "gmt_payment": "", "notify_id": "waiting"}
        return await self.write_notice(reference, changes=changes)

    async def write_notice(self, reference: str, **order: object) -> Sent:
        made = await self.control("notice", reference=reference, **order)
        return Sent(dict(alipay.NOTICE_HEADERS), made["body"].encode())

    def forge(self, notice: Sent) -> Sent:
        stranger = read_private_key((self.server.folder / "other_private.pem").read_bytes())
        return replace(notice, body=alipay.sign_again(notice.body, AlipayKeys(stranger, [])))

    async def slow_start(self) -> None:
        await self.control("fault", fault="SLOW", method="alipay.trade.precreate")

    async def captured(self, reference: str) -> int:
        return await self.booked(reference, "captured")

    async def refunded(self, reference: str) -> int:
        return await self.booked(reference, "refunded")

    async def booked(self, reference: str, what: str) -> int:
        async with httpx.AsyncClient(trust_env=False) as client:
            book = (await client.get(f"{self.server.address}/book")).json()
        payment = book["payments"].get(reference)
        return int(Decimal(payment[what]) * 100) if payment else 0


@dataclass(slots=True)
class WeChatTill:
    url: str
    environment: Mapping[str, str]
    method: str = "WECHAT_PAY"
    calling: PaymentChannel = PaymentChannel.SCAN
    taken: tuple[int, bytes] = (204, b"")
    refused: tuple[int, bytes] = (400, b'{"code":"FAIL","message":"refused"}')
    later: tuple[int, bytes] = (503, b'{"code":"FAIL","message":"later"}')
    actions: Mapping[PaymentChannel, str] = field(
        default_factory=lambda: {
            PaymentChannel.SCAN: "ScanCode",
            PaymentChannel.MOBILE_PAGE: "Redirect",
            PaymentChannel.IN_PROVIDER_APP: "AppParameters",
            PaymentChannel.APP: "AppParameters",
        }
    )

    @property
    def settings(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.environment.items()}

    async def control(self, what: str, **order: object) -> Any:
        return await post(f"{self.url}/control/{what}", order)

    async def open(self, shop_url: str) -> None:
        await self.control("reset")
        await self.control("refunds", status="SUCCESS")

    async def pay(self, reference: str, action: Action | None, *, notify: bool) -> bool:
        return bool((await self.control("pay", reference=reference, notify=notify))["paid"])

    async def notice(self, reference: str) -> Sent:
        return await self.make_notice(reference, envelope={"id": f"paid-{reference}"})

    async def other_notice(self, reference: str, *, amount: str = "", unknown: bool = False) -> Sent:
        content: dict[str, object] = {"out_trade_no": "T_unknown"} if unknown else {}
        if amount:
            fen = int(Decimal(amount) * 100)
            content["amount"] = {"total": fen, "payer_total": fen, "currency": "CNY", "payer_currency": "CNY"}
        return await self.make_notice(reference, content=content)

    async def earlier_notice(self, reference: str) -> Sent | None:
        return None

    async def make_notice(self, reference: str, **order: object) -> Sent:
        made = await self.control("notice", reference=reference, **order)
        return Sent(made["headers"], made["body"].encode())

    def forge(self, notice: Sent) -> Sent:
        name = "Wechatpay-Signature"
        signature = notice.headers[name]
        spoilt = ("A" if signature[0] != "A" else "B") + signature[1:]
        return replace(notice, headers=notice.headers | {name: spoilt})

    async def slow_start(self) -> None:
        await self.control("faults", fault="slow_after", path="native", seconds=SLOW_SECONDS)

    async def captured(self, reference: str) -> int:
        book = await self.control("book")
        paid = [each for each in book["payments"] if each["reference"] == reference and each["paid_at"]]
        return sum(each["total"] for each in paid)

    async def refunded(self, reference: str) -> int:
        refunds = (await self.control("book"))["refunds"]
        return sum(each["amount"] for each in refunds if each["order"] == reference)


@dataclass(slots=True)
class CardTill:
    keys: Mapping[str, str]
    method: str = "CARD"
    calling: PaymentChannel = PaymentChannel.PAGE
    taken: tuple[int, bytes] = (200, b"")
    refused: tuple[int, bytes] = (400, b"")
    later: tuple[int, bytes] = (503, b"")
    held: list[dict[str, Any]] = field(default_factory=list)
    actions: Mapping[PaymentChannel, str] = field(
        default_factory=lambda: dict.fromkeys(
            (PaymentChannel.PAGE, PaymentChannel.MOBILE_PAGE, PaymentChannel.APP), "ClientSecret"
        )
    )

    @property
    def settings(self) -> dict[str, str]:
        return {
            "stripe_address": self.keys["address"],
            "stripe_secret_key": self.keys["secret_key"],
            "stripe_publishable_key": self.keys["publishable_key"],
            "stripe_webhook_secret": self.keys["webhook_secret"],
        }

    async def control(self, what: str, **order: object) -> Any:
        return await post(f"{self.keys['address']}/control/{what}", order)

    async def open(self, shop_url: str) -> None:
        await self.control("faults_clear")
        await self.control("set", ahead=0, refunds_pend=False, search_delay=60)
        await self.control("notices", mode="hold", url=f"{shop_url}/webhooks/payments/card")
        await self.control("held")

    async def pay(self, reference: str, action: Action | None, *, notify: bool) -> bool:
        if notify:
            await self.control("notices", mode="send")
        answer = await self.control("confirm", reference=reference, card="pm_card_visa")
        return "error" not in answer

    async def notice(self, reference: str) -> Sent:
        return await self.notice_of("payment_intent.succeeded", reference)

    async def other_notice(self, reference: str, *, amount: str = "", unknown: bool = False) -> Sent:
        """Another intent, made with the shop's key, that bears the reference or one of no attempt."""
        fen, name = int(Decimal(amount or "99.00") * 100), "T_unknown" if unknown else reference
        async with httpx.AsyncClient(
            base_url=self.keys["address"],
            headers={
                "authorization": f"Bearer {self.keys['secret_key']}",
                "stripe-version": "2026-10-28.endive",
                "idempotency-key": f"other-{time.monotonic_ns()}",
            },
            trust_env=False,
        ) as client:
            form = {"amount": str(fen), "currency": "cny", "payment_method_types[]": "card"}
            form |= {"description": "another", f"metadata[{'reference'}]": name, "metadata[order]": "T1"}
            made = (await client.post("/v1/payment_intents", data=form)).json()
        assert "id" in made, made
        return await self.notice_of("payment_intent.created", made["id"], "payment_intent.processing")

    async def earlier_notice(self, reference: str) -> Sent | None:
        return await self.notice_of("payment_intent.payment_failed", reference)

    async def decline(self, reference: str) -> None:
        await self.control("confirm", reference=reference, card="pm_card_chargeDeclined")

    async def notice_of(self, kind: str, about: str, change: str = "") -> Sent:
        self.held += (await self.control("held"))["notices"]
        found = [each for each in self.held if each["type"] == kind and f'"{about}"' in each["body"]]
        body = found[-1]["body"].replace(kind, change) if change else found[-1]["body"]
        return self.sign(body.encode(), self.keys["webhook_secret"])

    def sign(self, body: bytes, secret: str) -> Sent:
        moment = str(int(time.time()))
        return Sent({SIGNATURE_HEADER: f"t={moment},v1={sign_notice(secret, moment, body)}"}, body)

    def forge(self, notice: Sent) -> Sent:
        return self.sign(notice.body, "whsec_of_a_stranger")

    async def slow_start(self) -> None:
        await self.control(
            "fault", call="POST /v1/payment_intents", kind="act_then_hang", seconds=SLOW_SECONDS
        )

    async def captured(self, reference: str) -> int:
        return await self.booked(reference, "captured")

    async def refunded(self, reference: str) -> int:
        return await self.booked(reference, "refunded")

    async def booked(self, reference: str, what: str) -> int:
        payments = (await self.control("book"))["payments"]
        return sum(each[what] for each in payments if each["reference"] == reference)


@contextmanager
def run_alipay(folder: Path) -> Iterator[Till]:
    with alipay.run_server(folder) as server:
        yield AlipayTill(server)


@contextmanager
def run_wechat_pay(folder: Path) -> Iterator[Till]:
    with wechat_pay.run_server(folder) as printed:
        yield WeChatTill(printed["url"], printed["environment"])


@contextmanager
def run_card(folder: Path) -> Iterator[Till]:
    command = [sys.executable, "-m", "bench.provider_servers.stripe", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield CardTill(json.loads(process.stdout.readline()))
        finally:
            process.kill()
