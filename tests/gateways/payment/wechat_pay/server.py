"""The server in a process of its own, what tests ask of it, and providers connected to it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from gateways.payment.provider import NoticeRequest
from gateways.payment.wechat_pay import WeChatPay, connect
from gateways.secrets import Secrets
from settings import Settings
from tests.conftest import settings_for
from tests.process import ROOT


@dataclass(frozen=True, slots=True)
class WeChatPayServer:
    """`client` lives as long as the event loop of the tests."""

    url: str
    environment: dict[str, str]
    folder: Path
    client: httpx.AsyncClient

    async def ask(self, action: str, **asked: object) -> Any:
        response = await self.client.post(f"{self.url}/control/{action}", json=asked)
        response.raise_for_status()
        return response.json()

    async def order(self, reference: str) -> Any:
        """What its book has of an attempt; None where there is none."""
        payments = (await self.ask("book"))["payments"]
        return next((each for each in payments if each["reference"] == reference), None)

    async def calls(self, path: str) -> int:
        counted = (await self.ask("book"))["calls"]
        return sum(count for call, count in counted.items() if call.endswith(path))

    async def notice(self, reference: str, **asked: object) -> NoticeRequest:
        made = await self.ask("notice", reference=reference, **asked)
        headers = {name.lower(): value for name, value in made["headers"].items()}
        return NoticeRequest(headers, made["body"].encode(), datetime.now(UTC))

    def settings(self, **changes: str) -> Settings:
        values = {"WECHAT_PAY_TIMEOUT": "60"} | self.environment | changes
        lower = {name.lower(): value for name, value in values.items() if value}
        return settings_for("sqlite://", self.folder, public_url="https://shop.example", **lower)

    def connect(self, clock: Callable[[], datetime] | None = None, **changes: str) -> WeChatPay:
        provider = connect(self.settings(**changes), self.client, clock or now, Secrets())
        assert provider
        return provider

    def connect_by_certificates(self, clock: Callable[[], datetime] | None = None) -> WeChatPay:
        """A merchant that has no public key of WeChat Pay yet."""
        return self.connect(clock, WECHAT_PAY_PUBLIC_KEY_ID="", WECHAT_PAY_PUBLIC_KEY_FILE="")


@contextmanager
def run_server(folder: Path) -> Iterator[dict[str, Any]]:
    """Run the server during the block; what it printed when it was ready."""
    command = [sys.executable, "-m", "bench.provider_servers.wechat_pay", "0", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


def now() -> datetime:
    return datetime.now(UTC)


def clock_ahead(by: timedelta) -> Callable[[], datetime]:
    return lambda: now() + by
