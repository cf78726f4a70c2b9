"""Alipay's provider connected to its server, and what customers do there."""

import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import httpx

from bench.provider_servers.alipay.server import APP_ID, SELLER_ID
from gateways.payment.alipay.gateway import AlipayGateway
from gateways.payment.alipay.provider import Alipay
from gateways.payment.alipay.signing import AlipayKeys, read_private_key, read_public_key, signing_input
from gateways.payment.provider import (
    AppParameters,
    Attempt,
    Closed,
    NoticeRequest,
    NotYetThere,
    Redirect,
    ScanCode,
    Start,
    Started,
)
from models import CurrencyCode, Money, PaymentChannel
from tests.gateways.payment.provider_contract import Fault

ROOT = Path(__file__).parents[4]
NOTICE_HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
START_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RememberingAlipay(Alipay):
    """Keeps what customers open, by the reference of the attempt."""

    actions: dict[str, str] = field(default_factory=dict)

    async def start(self, start: Start) -> Started:
        started = await Alipay.start(self, start)
        match started.action:
            case Redirect(url=text) | AppParameters(text=text) | ScanCode(code=text):
                self.actions[start.reference] = text
        return started


@dataclass(frozen=True, slots=True)
class AlipayServer:
    """The server's address and the folder of its keys."""

    address: str
    folder: Path

    def keys(self, *names: str) -> AlipayKeys:
        own = read_private_key((self.folder / "app_private.pem").read_bytes())
        public = [(self.folder / f"{name}_public.pem").read_bytes() for name in names or ("alipay",)]
        return AlipayKeys(own, [read_public_key(content) for content in public])


@dataclass
class AlipayDesk:
    server: AlipayServer
    client: httpx.AsyncClient
    provider: RememberingAlipay
    amount: Money = field(default_factory=lambda: Money(128_05, CurrencyCode.CNY))
    channels: frozenset[PaymentChannel] = frozenset(
        {PaymentChannel.PAGE, PaymentChannel.MOBILE_PAGE, PaymentChannel.APP, PaymentChannel.SCAN}
    )
    calling_channel: PaymentChannel = PaymentChannel.SCAN
    close_of_unknown: type[Closed | NotYetThere] = NotYetThere
    faults: frozenset[Fault] = frozenset(Fault)

    async def control(self, what: str, **order: object) -> Any:
        response = await self.client.post(f"{self.server.address}/control/{what}", json=order)
        response.raise_for_status()
        return response.json()

    async def meet(self, attempt: Attempt) -> None:
        await self.control("meet", action=self.provider.actions[attempt.reference])

    async def pay(self, attempt: Attempt) -> None:
        await self.control("pay", action=self.provider.actions[attempt.reference], notices=0)

    async def settle_refund(self, reference: str) -> None:
        await self.control("settle-refund", reference=reference)

    async def captured(self, attempt: Attempt) -> int:
        return await self.booked(attempt, "captured")

    async def refunded(self, attempt: Attempt) -> int:
        return await self.booked(attempt, "refunded")

    async def booked(self, attempt: Attempt, what: str) -> int:
        book = (await self.client.get(f"{self.server.address}/book")).json()
        payment = book["payments"].get(attempt.reference)
        return int(Decimal(payment[what]) * 100) if payment else 0

    async def break_next(self, fault: Fault | str, method: str = "") -> None:
        await self.control("fault", fault=fault, method=method)

    async def payment_notice(self, attempt: Attempt) -> NoticeRequest:
        return await self.notice(attempt)

    async def notice(self, attempt: Attempt, **order: object) -> NoticeRequest:
        notice = await self.control("notice", reference=attempt.reference, **order)
        return NoticeRequest(NOTICE_HEADERS, notice["body"].encode(), datetime.now(UTC))

    def forge(self, notice: NoticeRequest) -> NoticeRequest:
        stranger = read_private_key((self.server.folder / "other_private.pem").read_bytes())
        return replace(notice, body=sign_again(notice.body, AlipayKeys(stranger, [])))


def sign_again(body: bytes, keys: AlipayKeys) -> bytes:

    parameters = dict(parse_qsl(body.decode()))
    del parameters["sign"], parameters["sign_type"]
    signature = keys.sign(signing_input(parameters))
    parameters |= {"sign_type": "RSA2", "sign": signature}
    return "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items()).encode()


@contextmanager
def run_server(folder: Path) -> Iterator[AlipayServer]:
    """The server in a process of its own on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.provider_servers.alipay", str(port), str(folder)], cwd=ROOT
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process)
        yield AlipayServer(address, folder)
    finally:
        process.terminate()
        process.wait(START_LIMIT_SECONDS)


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "the server has ended"
        try:
            httpx.get(f"{address}/book", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


@asynccontextmanager
async def open_desk(server: AlipayServer, *, keys: AlipayKeys | None = None) -> AsyncIterator[AlipayDesk]:
    async with httpx.AsyncClient(trust_env=False) as client:
        gateway = AlipayGateway(
            client,
            f"{server.address}/gateway.do",
            APP_ID,
            keys or server.keys(),
            "",
            lambda: datetime.now(UTC),
            timeout_seconds=1.0,
        )
        yield AlipayDesk(server, client, RememberingAlipay(gateway, SELLER_ID))
