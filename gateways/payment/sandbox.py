"""The built-in provider: a pay page that settles, fails or delays on demand, with books of its own.

It stands where a real provider would: the shop sees only what the Protocol and signed notifications say.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import httpx
import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateways.payment import (
    ActionKind,
    Charge,
    NextAction,
    NotificationRefused,
    PaymentReport,
    ProviderRefused,
    ProviderStatus,
    RefundReport,
)
from gateways.secrets import sign, signature_fits
from models import CurrencyCode, Money, PaymentMethod, PaymentStatus, SandboxCharge, SandboxRefund
from models.database import Database

log = structlog.get_logger()

FRESH = timedelta(minutes=5)
"""How old a notification may be, or how far ahead of our clock."""

PAGE_LIVES = timedelta(hours=2)
DELAY_LIMIT = timedelta(hours=1)
NOTIFY_SECONDS = 10.0

TIMESTAMP_HEADER = "sandbox-timestamp"
NONCE_HEADER = "sandbox-nonce"
SIGNATURE_HEADER = "sandbox-signature"

REPORTED: Mapping[PaymentStatus, ProviderStatus] = {
    PaymentStatus.PENDING: ProviderStatus.WAITING,
    PaymentStatus.STARTED: ProviderStatus.WAITING,
    PaymentStatus.CAPTURED: ProviderStatus.CAPTURED,
    PaymentStatus.FAILED: ProviderStatus.FAILED,
    PaymentStatus.CLOSED: ProviderStatus.CLOSED,
}
OPEN = (PaymentStatus.PENDING, PaymentStatus.STARTED)
"""Where the payer can still pay: one that was declined has to be started again."""

DECLINED = "Declined by the payer."


@dataclass(frozen=True, slots=True)
class Sandbox:
    """`key` signs what goes out, `url` is how payers and messages reach the shop."""

    database: Database
    client: httpx.AsyncClient
    key: str
    url: str
    clock: Callable[[], datetime]
    token: Callable[[], str]
    method: PaymentMethod = field(default=PaymentMethod.SANDBOX, init=False)

    async def start(self, charge: Charge) -> NextAction:
        async with self.database.writes.begin() as session:
            known = await lock_charge(session, charge.reference)
            if known is None:
                session.add(opened(charge))
            elif known.status is PaymentStatus.CAPTURED:
                raise ProviderRefused("It has been paid already.")
            else:
                known.amount = charge.amount.minor
                known.status, known.settles_at = PaymentStatus.STARTED, None
        address = self.page(charge.reference, charge.return_url or "")
        return NextAction(ActionKind.REDIRECT, address, self.clock() + PAGE_LIVES)

    async def query(self, charge: Charge) -> PaymentReport:
        known = await self.settled_if_due(charge.reference)
        if known is None:
            return PaymentReport(charge.reference, ProviderStatus.UNKNOWN, charge.amount, charge.order_number)
        return report_of(known)

    async def close(self, charge: Charge) -> None:
        async with self.database.writes.begin() as session:
            known = await lock_charge(session, charge.reference)
            if known is not None and known.status is PaymentStatus.CAPTURED:
                raise ProviderRefused("It has been paid already.")
            if known is not None:
                known.status, known.settles_at = PaymentStatus.CLOSED, None

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        async with self.database.writes.begin() as session:
            known = await lock_charge(session, charge.reference)
            if known is None or known.status is not PaymentStatus.CAPTURED:
                raise ProviderRefused("Nothing was paid.")
            if await session.get(SandboxRefund, reference) is None:
                if known.refunded_amount + amount.minor > known.amount:
                    raise ProviderRefused("It is more than was paid.")
                known.refunded_amount += amount.minor
                session.add(
                    SandboxRefund(
                        reference=reference,
                        charge_reference=known.reference,
                        currency=amount.currency,
                        amount=amount.minor,
                    )
                )
        return RefundReport(f"SANDBOX-{reference}")

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        timestamp, nonce = headers.get(TIMESTAMP_HEADER, ""), headers.get(NONCE_HEADER, "")
        if not signature_fits(self.key, message(timestamp, nonce, body), headers.get(SIGNATURE_HEADER, "")):
            raise NotificationRefused("wrong signature")
        if not nonce or abs(now - moment(timestamp)) > FRESH:
            raise NotificationRefused("not fresh")
        return read_report(body, nonce)

    def page(self, reference: str, back: str) -> str:
        """The address of the pay page; its token lets nobody settle what they were not sent to."""
        query = {"back": back} if back else {}
        query["token"] = sign(self.key, page_secret(reference, back))
        return f"{self.url}/sandbox/pay/{quote(reference)}?{urlencode(query)}"

    def may_pay(self, reference: str, back: str, token: str) -> bool:
        return signature_fits(self.key, page_secret(reference, back), token)

    async def find(self, reference: str) -> SandboxCharge | None:
        async with self.database.reads() as session:
            return await session.get(SandboxCharge, reference)

    async def settle(self, reference: str, status: PaymentStatus) -> None:
        """The payer has paid or declined; what is settled already stays so."""
        async with self.database.writes.begin() as session:
            known = await lock_charge(session, reference)
            if known is None or known.status not in OPEN:
                return
            known.status, known.settles_at = status, None
        await self.notify(reference)

    async def delay(self, reference: str, by: timedelta) -> None:
        """The payer pays, and the money takes its time."""
        settles_at = self.clock() + min(max(by, timedelta()), DELAY_LIMIT)
        async with self.database.writes.begin() as session:
            known = await lock_charge(session, reference)
            if known is not None and known.status in OPEN:
                known.status, known.settles_at = PaymentStatus.STARTED, settles_at

    async def settle_due(self, reference: str) -> None:
        """Money that took its time is here."""
        known = await self.settled_if_due(reference)
        if known is not None and known.status is PaymentStatus.CAPTURED:
            await self.notify(reference)

    async def settled_if_due(self, reference: str) -> SandboxCharge | None:
        async with self.database.writes.begin() as session:
            await session.execute(
                update(SandboxCharge)
                .where(SandboxCharge.reference == reference, SandboxCharge.settles_at <= self.clock())
                .values(status=PaymentStatus.CAPTURED, settles_at=None)
            )
            return await session.get(SandboxCharge, reference)

    async def notify(self, reference: str) -> None:
        """Tell the shop, once; a message that is lost is made up for by its query."""
        known = await self.find(reference)
        if known is None:
            return
        body, headers = self.signed(report_of(known))
        try:
            answer = await self.client.post(
                f"{self.url}/webhooks/payments/sandbox",
                content=body,
                headers=headers,
                timeout=NOTIFY_SECONDS,
            )
            log.info("sandbox.notified", reference=reference, answer=answer.status_code)
        except httpx.HTTPError as error:
            log.warning("sandbox.unheard", reference=reference, error=type(error).__name__)

    def signed(self, report: PaymentReport) -> tuple[bytes, dict[str, str]]:
        """A notification as it goes over the wire."""
        body = written(report)
        timestamp, nonce = str(int(self.clock().timestamp())), self.token()
        return body, {
            "content-type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            NONCE_HEADER: nonce,
            SIGNATURE_HEADER: sign(self.key, message(timestamp, nonce, body)),
        }


def opened(charge: Charge) -> SandboxCharge:
    return SandboxCharge(
        reference=charge.reference,
        order_number=charge.order_number,
        currency=charge.amount.currency,
        amount=charge.amount.minor,
        refunded_amount=0,
        status=PaymentStatus.STARTED,
    )


async def lock_charge(session: AsyncSession, reference: str) -> SandboxCharge | None:
    found: SandboxCharge | None = await session.scalar(
        select(SandboxCharge).where(SandboxCharge.reference == reference).with_for_update()
    )
    return found


def report_of(known: SandboxCharge) -> PaymentReport:
    return PaymentReport(
        reference=known.reference,
        status=REPORTED[known.status],
        amount=known.money(known.amount),
        order_number=known.order_number,
        reason=DECLINED if known.status is PaymentStatus.FAILED else None,
    )


def written(report: PaymentReport) -> bytes:
    return json.dumps(
        {
            "reference": report.reference,
            "status": report.status,
            "amount": report.amount.minor,
            "currency": report.amount.currency,
            "order": report.order_number,
            "reason": report.reason,
        }
    ).encode()


def read_report(body: bytes, nonce: str) -> PaymentReport:
    try:
        said = json.loads(body)
        return PaymentReport(
            reference=text_of(said["reference"]),
            status=ProviderStatus(said["status"]),
            amount=Money(int(said["amount"]), CurrencyCode(said["currency"])),
            order_number=text_of(said["order"]),
            nonce=nonce,
            reason=said["reason"] and text_of(said["reason"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise NotificationRefused(f"unreadable: {type(error).__name__}") from None


def text_of(given: object) -> str:
    """Text that a database takes: no NUL and no half characters."""
    text = str(given)
    if not text.isprintable():
        raise ValueError("not a text")
    return text


def moment(timestamp: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        raise NotificationRefused("no time") from None


def message(timestamp: str, nonce: str, body: bytes) -> bytes:
    return f"{timestamp}.{nonce}.".encode() + body


def page_secret(reference: str, back: str) -> bytes:
    return f"pay:{reference}:{back}".encode()
