"""A card provider connected to a Stripe server in a process of its own, and what is done at the server."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from gateways.payment.card import CardProvider
from gateways.payment.card.api import StripeApi
from gateways.payment.card.notices import SIGNATURE_HEADER, sign_notice
from gateways.payment.provider import Attempt, Closed, NoticeRequest, NotYetThere
from models import CurrencyCode, Money, PaymentChannel
from tests.gateways.payment.provider_contract import Fault

ROOT = Path(__file__).parents[4]
TIMEOUT_SECONDS = 1.0
HANG_SECONDS = 3.0

SERVER_FAULTS = {
    Fault.ACT_THEN_HANG: "act_then_hang",
    Fault.SERVER_ERROR: "fail",
    Fault.NONSENSE: "nonsense",
}
ACTING_CALLS = "POST .*|GET /v1/payment_intents/pi_.*"
"""Calls that faults are planned for; a refund looks for what is there before it acts."""


@dataclass(frozen=True, slots=True)
class HeldNotice:
    id: str
    type: str
    request: NoticeRequest


@dataclass(slots=True)
class CardDesk:
    """Implements ProviderDesk."""

    provider: CardProvider
    client: httpx.AsyncClient
    address: str
    secret: str
    amount: Money = field(default_factory=lambda: Money(12_900, CurrencyCode.EUR))
    held: list[HeldNotice] = field(default_factory=list)
    calling_channel: PaymentChannel = PaymentChannel.PAGE
    close_of_unknown: type[Closed | NotYetThere] = NotYetThere

    @property
    def channels(self) -> frozenset[PaymentChannel]:
        return self.provider.channels

    @property
    def faults(self) -> frozenset[Fault]:
        return frozenset(SERVER_FAULTS)

    async def control(self, name: str, **order: object) -> dict[str, object]:
        response = await self.client.post(f"{self.address}/control/{name}", json=order, timeout=10)
        answer = response.json()
        assert isinstance(answer, dict)
        return answer

    async def meet(self, attempt: Attempt) -> None:
        pass

    async def pay(self, attempt: Attempt, card: str = "pm_card_visa") -> None:
        await self.control("confirm", reference=attempt.reference, card=card)

    async def settle_refund(self, reference: str) -> None:
        await self.control("refund", reference=reference, status="succeeded")

    async def captured(self, attempt: Attempt) -> int:
        return sum(each["captured"] for each in await self.payments_of(attempt))

    async def refunded(self, attempt: Attempt) -> int:
        return sum(each["refunded"] for each in await self.payments_of(attempt))

    async def payments_of(self, attempt: Attempt) -> list[dict[str, int]]:
        book = await self.control("book")
        payments = book["payments"]
        assert isinstance(payments, list)
        return [each for each in payments if each["reference"] == attempt.reference]

    async def break_next(self, fault: Fault) -> None:
        await self.plan_fault(SERVER_FAULTS[fault], ACTING_CALLS)

    async def plan_fault(self, kind: str, call: str, **more: object) -> None:
        await self.control("fault", kind=kind, call=call, **{"seconds": HANG_SECONDS, **more})

    async def payment_notice(self, attempt: Attempt) -> NoticeRequest:
        notices = await self.notices_of(attempt, "payment_intent.succeeded")
        return self.resign(notices[0].request)

    async def notices_of(self, attempt: Attempt, kind: str) -> list[HeldNotice]:
        """The notices of a kind, in the order of what they tell."""
        answer = await self.control("held")
        notices = answer["notices"]
        assert isinstance(notices, list)
        self.held += [
            HeldNotice(
                each["id"],
                each["type"],
                NoticeRequest(each["headers"], each["body"].encode(), datetime.now(UTC)),
            )
            for each in notices
        ]
        about = (attempt.reference, attempt.provider_reference or "")
        return [
            each
            for each in self.held
            if each.type == kind and any(name.encode() in each.request.body for name in about if name)
        ]

    def resign(self, notice: NoticeRequest, *, secrets: Sequence[str] = (), at: int = 0) -> NoticeRequest:
        """The same notice as it is sent again, now or at a moment."""
        moment = str(at or int(datetime.now(UTC).timestamp()))
        signed = [sign_notice(secret, moment, notice.body) for secret in secrets or (self.secret,)]
        header = ",".join([f"t={moment}", *(f"v1={each}" for each in signed)])
        return replace(notice, headers={**notice.headers, SIGNATURE_HEADER: header})

    def forge(self, notice: NoticeRequest) -> NoticeRequest:
        return self.resign(notice, secrets=["whsec_of_a_stranger"])


@asynccontextmanager
async def open_desk() -> AsyncIterator[CardDesk]:
    """A server with a book of its own, during the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.provider_servers.stripe", "0"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        keys = json.loads(await asyncio.to_thread(process.stdout.readline))
        async with httpx.AsyncClient() as client:
            api = StripeApi(client, keys["address"], keys["secret_key"], timeout_seconds=TIMEOUT_SECONDS)
            provider = CardProvider(
                api, keys["publishable_key"], [keys["webhook_secret"]], False, lambda: datetime.now(UTC)
            )
            yield CardDesk(provider, client, keys["address"], keys["webhook_secret"])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
