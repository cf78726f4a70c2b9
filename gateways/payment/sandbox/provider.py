"""The built-in sandbox provider: a pay page that settles, declines or delays on demand, with its own tables.

It behaves like an outside provider: the shop learns of it only through the Protocol and signed notices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import httpx
import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateways.payment.provider import (
    Attempt,
    Closed,
    NoticeAnswer,
    NoticeRefused,
    NoticeRequest,
    NotYetThere,
    Paid,
    PaymentNotice,
    ProviderRefused,
    Redirect,
    RefundStart,
    Start,
    Started,
    Verdict,
)
from gateways.payment.sandbox.notices import (
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    NoticeFault,
    encode_report,
    list_sendings,
    notification_signing_input,
    parse_report,
    parse_timestamp,
)
from gateways.secrets import sign_message, verify_signature
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    PaymentChannel,
    PaymentMethod,
    PaymentStatus,
    RefundOutcome,
    RefundReport,
    SandboxCharge,
    SandboxRefund,
)
from models.database import Database

log = structlog.get_logger()

NOTIFICATION_AGE_LIMIT = timedelta(minutes=5)
"""How old a notification may be, or how far ahead of our clock."""

DELAY_LIMIT = timedelta(hours=1)
NOTIFICATION_TIMEOUT_SECONDS = 10.0

REPORTED_STATUS: Mapping[PaymentStatus, AttemptStatus] = {
    PaymentStatus.PENDING: AttemptStatus.WAITING,
    PaymentStatus.STARTED: AttemptStatus.WAITING,
    PaymentStatus.CAPTURED: AttemptStatus.CAPTURED,
    PaymentStatus.FAILED: AttemptStatus.DECLINED,
    PaymentStatus.CLOSED: AttemptStatus.CLOSED,
}
PAYABLE_STATUSES = (PaymentStatus.PENDING, PaymentStatus.STARTED)
"""Where the payer can still pay: a payment that was declined has to be started again."""

DECLINED = "Declined by the payer."


@dataclass(frozen=True, slots=True)
class SandboxProvider:
    """`key` signs pay pages and notifications; `url` is the shop's own, for payers and notifications."""

    database: Database
    client: httpx.AsyncClient
    key: str
    url: str
    clock: Callable[[], datetime]
    new_nonce: Callable[[], str]
    method: PaymentMethod = field(default=PaymentMethod.SANDBOX, init=False)
    channels: frozenset[PaymentChannel] = field(default=frozenset(PaymentChannel), init=False)
    currencies: frozenset[CurrencyCode] = field(default=frozenset(CurrencyCode), init=False)

    async def start(self, start: Start) -> Started:
        async with self.database.writes.begin() as session:
            stored = await lock_charge(session, start.reference)
            if stored is None:
                session.add(new_charge(start))
            elif stored.status is not PaymentStatus.STARTED:
                raise ProviderRefused("It has been paid or closed already.")
        url = self.pay_page_url(start.reference, start.return_url or "")
        return Started(f"SANDBOX-{start.reference}", Redirect(url))

    async def query(self, attempt: Attempt) -> AttemptReport:
        stored = await self.settle_if_due(attempt.reference)
        if stored is None:
            return AttemptReport(attempt.reference, None, AttemptStatus.UNKNOWN, None)
        return report_of(stored)

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        async with self.database.writes.begin() as session:
            stored = await lock_charge(session, attempt.reference)
            if stored is None:
                return NotYetThere()
            if stored.status is PaymentStatus.CAPTURED:
                return Paid(report_of(stored))
            stored.status, stored.settles_at = PaymentStatus.CLOSED, None
        return Closed()

    async def refund(self, refund: RefundStart) -> RefundReport:
        async with self.database.writes.begin() as session:
            stored = await lock_charge(session, refund.attempt.reference)
            if stored is None or stored.status is not PaymentStatus.CAPTURED:
                raise ProviderRefused("Nothing was paid.")
            if await session.get(SandboxRefund, refund.reference) is None:
                if stored.refunded_amount + refund.amount.minor > stored.amount:
                    raise ProviderRefused("It is more than was paid.")
                stored.refunded_amount += refund.amount.minor
                session.add(
                    SandboxRefund(
                        reference=refund.reference,
                        charge_reference=stored.reference,
                        currency=refund.amount.currency,
                        amount=refund.amount.minor,
                    )
                )
        return succeeded(refund)

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        async with self.database.reads() as session:
            if await session.get(SandboxRefund, refund.reference) is None:
                return RefundReport(refund.reference, None, RefundOutcome.UNKNOWN, None)
        return succeeded(refund)

    async def read(self, request: NoticeRequest) -> PaymentNotice:
        headers = request.headers
        timestamp, nonce = headers.get(TIMESTAMP_HEADER, ""), headers.get(NONCE_HEADER, "")
        signed = notification_signing_input(timestamp, nonce, request.body)
        if not verify_signature(self.key, signed, headers.get(SIGNATURE_HEADER, "")):
            raise NoticeRefused("wrong signature")
        if not nonce or abs(request.received_at - parse_timestamp(timestamp)) > NOTIFICATION_AGE_LIMIT:
            raise NoticeRefused("not fresh")
        return PaymentNotice(nonce, parse_report(request.body))

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        match verdict:
            case Verdict.REFUSED:
                return NoticeAnswer(400, b"refused")
            case Verdict.RETRY:
                return NoticeAnswer(503, b"later")
            case _:
                return NoticeAnswer(200, b"ok")

    async def check(self) -> Sequence[str]:
        return ()

    def pay_page_url(self, reference: str, return_url: str) -> str:
        """The URL of the pay page, with a token that only this payment and return URL are valid for."""
        query = {"back": return_url} if return_url else {}
        query["token"] = sign_message(self.key, page_signing_input(reference, return_url))
        return f"{self.url}/sandbox/pay/{quote(reference)}?{urlencode(query)}"

    def may_pay(self, reference: str, return_url: str, token: str) -> bool:
        """Whether the token belongs to the pay page of this payment and return URL."""
        return verify_signature(self.key, page_signing_input(reference, return_url), token)

    async def find_charge(self, reference: str) -> SandboxCharge | None:
        async with self.database.reads() as session:
            return await session.get(SandboxCharge, reference)

    async def settle(
        self,
        reference: str,
        status: PaymentStatus,
        fault: NoticeFault = NoticeFault.NONE,
        late: timedelta = timedelta(),
    ) -> None:
        """Record that the payer has paid (CAPTURED) or declined (FAILED), and notify the shop as asked.

        Nothing happens when the payment is not payable any more.
        """
        is_late = fault is NoticeFault.LATE
        async with self.database.writes.begin() as session:
            stored = await lock_charge(session, reference)
            if stored is None or stored.status not in PAYABLE_STATUSES:
                return
            stored.status = status
            stored.settles_at = self.clock() + limit_delay(late) if is_late else None
        if not is_late:
            await self.send_notification(reference, fault)

    async def delay(self, reference: str, by: timedelta) -> None:
        """Record that the payer has paid and the money arrives later, after at most DELAY_LIMIT."""
        settles_at = self.clock() + limit_delay(by)
        async with self.database.writes.begin() as session:
            stored = await lock_charge(session, reference)
            if stored is not None and stored.status in PAYABLE_STATUSES:
                stored.status, stored.settles_at = PaymentStatus.STARTED, settles_at

    async def settle_due(self, reference: str) -> None:
        """Capture a delayed payment whose time has come, and send the notice that is due."""
        await self.settle_if_due(reference)
        async with self.database.writes.begin() as session:
            stored = await lock_charge(session, reference)
            if stored is None or stored.settles_at is None or stored.settles_at > self.clock():
                return
            stored.settles_at = None
        await self.send_notification(reference)

    async def settle_if_due(self, reference: str) -> SandboxCharge | None:
        """The charge as it is now, captured if it was delayed until now; None for an unknown reference.

        `settles_at` stays until the shop is notified.
        """
        async with self.database.writes.begin() as session:
            await session.execute(
                update(SandboxCharge)
                .where(
                    SandboxCharge.reference == reference,
                    SandboxCharge.status == PaymentStatus.STARTED,
                    SandboxCharge.settles_at <= self.clock(),
                )
                .values(status=PaymentStatus.CAPTURED)
            )
            return await session.get(SandboxCharge, reference)

    async def send_notification(self, reference: str, fault: NoticeFault = NoticeFault.NONE) -> None:
        """Notify the shop; if the notice is lost or refused, the shop's own query finds the outcome."""
        stored = await self.find_charge(reference)
        if stored is None:
            return
        for report, ago in list_sendings(report_of(stored), fault):
            body, headers = self.sign_notification(report, ago)
            for _ in range(2 if fault is NoticeFault.TWICE else 1):
                await self.post_notification(reference, body, headers)

    async def post_notification(self, reference: str, body: bytes, headers: dict[str, str]) -> None:
        try:
            response = await self.client.post(
                f"{self.url}/webhooks/payments/sandbox",
                content=body,
                headers=headers,
                timeout=NOTIFICATION_TIMEOUT_SECONDS,
            )
            log.info("sandbox.notification_sent", reference=reference, status=response.status_code)
        except httpx.HTTPError as error:
            log.warning("sandbox.notification_failed", reference=reference, error=type(error).__name__)

    def sign_notification(
        self, report: AttemptReport, ago: timedelta = timedelta()
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a notification that was signed some time ago."""
        body = encode_report(report)
        timestamp, nonce = str(int((self.clock() - ago).timestamp())), self.new_nonce()
        return body, {
            "content-type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: sign_message(self.key, notification_signing_input(timestamp, nonce, body)),
        }


def limit_delay(delay: timedelta) -> timedelta:
    """The delay, but not below nothing nor above DELAY_LIMIT."""
    return min(max(delay, timedelta()), DELAY_LIMIT)


def succeeded(refund: RefundStart) -> RefundReport:
    reference = f"SANDBOX-{refund.reference}"
    return RefundReport(refund.reference, reference, RefundOutcome.SUCCEEDED, refund.amount)


def new_charge(start: Start) -> SandboxCharge:
    return SandboxCharge(
        reference=start.reference,
        order_number=start.order_number,
        currency=start.amount.currency,
        amount=start.amount.minor,
        refunded_amount=0,
        status=PaymentStatus.STARTED,
    )


async def lock_charge(session: AsyncSession, reference: str) -> SandboxCharge | None:
    found: SandboxCharge | None = await session.scalar(
        select(SandboxCharge).where(SandboxCharge.reference == reference).with_for_update()
    )
    return found


def report_of(charge: SandboxCharge) -> AttemptReport:
    return AttemptReport(
        reference=charge.reference,
        provider_reference=f"SANDBOX-{charge.reference}",
        status=REPORTED_STATUS[charge.status],
        amount=charge.money(charge.amount),
        reason=DECLINED if charge.status is PaymentStatus.FAILED else None,
    )


def page_signing_input(reference: str, return_url: str) -> bytes:
    """What the token of a pay page covers."""
    return f"pay:{reference}:{return_url}".encode()
