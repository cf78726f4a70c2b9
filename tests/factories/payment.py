"""Payments of an order, and payment providers for tests."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment import AttemptUnderWay, close_attempt, fail_attempt, start_payment
from domain.payment.attempts import find_newest_attempt
from events.payment import PaymentStart, begin_payment
from events.shop import Shop
from gateways.payment.provider import (
    Attempt,
    Closed,
    NoticeAnswer,
    NoticeRefused,
    NoticeRequest,
    NotYetThere,
    Paid,
    PaymentNotice,
    PaymentProvider,
    RefundStart,
    ScanCode,
    Start,
    Started,
    Verdict,
)
from gateways.payment.sandbox import SandboxProvider
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    Order,
    Payment,
    PaymentAttempt,
    PaymentChannel,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundOutcome,
    RefundReport,
)
from tests.factories.order import SANDBOX, create_order, events_of


def sandbox_of(shop: Shop) -> SandboxProvider:
    """The sandbox provider this shop is connected to."""
    assert shop.sandbox is not None
    return shop.sandbox


async def attempt_of(shop: Shop, payment: Payment) -> PaymentAttempt:
    """The newest attempt of a payment, as it is now."""
    async with shop.database.reads() as session:
        rows = await session.scalars(
            select(PaymentAttempt)
            .where(PaymentAttempt.payment_id == payment.id)
            .order_by(PaymentAttempt.number.desc())
        )
        return rows.all()[0]


async def payment_of(shop: Shop, order: Order, method: PaymentMethod = PaymentMethod.SANDBOX) -> Payment:
    """An order's payment by a method, as it is now."""
    async with shop.database.reads() as session:
        rows = await session.scalars(
            select(Payment).where(Payment.order_id == order.id, Payment.method == method)
        )
        return rows.one()


async def refunds_of(shop: Shop, order: Order) -> list[Refund]:
    """An order's refunds as they are now, the oldest first."""
    async with shop.database.reads() as session:
        rows = await session.scalars(select(Refund).where(Refund.order_id == order.id).order_by(Refund.id))
        return list(rows)


async def reload_order(shop: Shop, order: Order) -> Order:
    async with shop.database.reads() as session:
        return await session.get_one(Order, order.id)


async def pay_at_sandbox(
    shop: Shop, payment: Payment, status: PaymentStatus = PaymentStatus.CAPTURED
) -> None:
    """The payer pays or declines on the pay page, and the shop is notified."""
    await sandbox_of(shop).settle((await attempt_of(shop, payment)).reference, status)


async def start_after_closing(
    session: AsyncSession, payment_id: int, *, query_at: datetime, cause: Cause
) -> PaymentAttempt:
    """Start a payment; what it was started by before is closed at the provider."""
    try:
        return await start_payment(session, payment_id, query_at=query_at, cause=cause)
    except AttemptUnderWay as other:
        await close_attempt(session, other.attempt_id, confirmed=True, query_at=None, cause=cause)
        return await start_payment(session, payment_id, query_at=query_at, cause=cause)


async def event_names_of(shop: Shop, order: Order) -> list[str]:
    """The names of the events of an order, the oldest first."""
    async with shop.database.reads() as session:
        return await events_of(session, order)


async def start_new_payment(shop: Shop, *, return_url: str | None = None) -> tuple[Order, Payment, str]:
    """An order whose customer has started its payment, and the URL of the pay page."""
    async with shop.database.writes.begin() as session:
        order = await create_order(session, now=shop.clock())
    payment = await payment_of(shop, order)
    return order, payment, await start_payment_at_provider(shop, payment, return_url=return_url)


async def start_payment_at_provider(shop: Shop, payment: Payment, *, return_url: str | None = None) -> str:
    """The customer starts a payment; returns the URL of the pay page."""
    async with shop.database.reads() as session:
        order = await session.get_one(Order, payment.order_id)
    start = PaymentStart(return_url=return_url)
    started = await begin_payment(shop, payment.id, by=order.account_id, start=start)
    return started.attempt.action_value or ""


@dataclass
class ScriptedProvider:
    """A provider that raises the given errors, one per call, and then succeeds."""

    method: PaymentMethod = SANDBOX
    channels: frozenset[PaymentChannel] = frozenset(PaymentChannel)
    currencies: frozenset[CurrencyCode] = frozenset(CurrencyCode)
    errors: list[Exception] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)
    status: AttemptStatus = AttemptStatus.WAITING
    closing: Closed | Paid | NotYetThere = field(default_factory=Closed)
    started: list[Start] = field(default_factory=list)

    def raise_next_error(self) -> None:
        if self.errors:
            raise self.errors.pop(0)

    async def start(self, start: Start) -> Started:
        self.raise_next_error()
        self.started.append(start)
        return Started(None, ScanCode("weixin://pay"))

    async def query(self, attempt: Attempt) -> AttemptReport:
        return AttemptReport(attempt.reference, None, self.status, attempt.amount)

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        self.raise_next_error()
        return self.closing

    async def refund(self, refund: RefundStart) -> RefundReport:
        self.raise_next_error()
        self.refunds.append(refund.reference)
        reference = f"P-{refund.reference}"
        return RefundReport(refund.reference, reference, RefundOutcome.SUCCEEDED, refund.amount)

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        return RefundReport(refund.reference, None, RefundOutcome.UNKNOWN, None)

    async def read(self, request: NoticeRequest) -> PaymentNotice:
        raise NoticeRefused("never speaks")

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        return NoticeAnswer(400)

    async def check(self) -> list[str]:
        return []


def connect_provider(shop: Shop, provider: PaymentProvider) -> None:
    """Replace the provider of a payment method."""
    cast("MutableMapping[PaymentMethod, PaymentProvider]", shop.payments)[provider.method] = provider


def refuse_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")


async def fail_newest_attempt(session: AsyncSession, payment: Payment, *, reason: str, cause: Cause) -> None:
    """The provider does not start the last attempt of a payment, if there is one."""
    attempt = await find_newest_attempt(session, payment)
    if attempt is not None:
        await fail_attempt(session, attempt.id, reason=reason, cause=cause)


def disconnect_provider(shop: Shop, method: PaymentMethod) -> None:
    """A method is not set up any more."""
    del cast(MutableMapping[PaymentMethod, PaymentProvider], shop.payments)[method]
