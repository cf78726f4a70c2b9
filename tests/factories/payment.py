"""Payments of an order, and payment providers for tests."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import httpx
from sqlalchemy import select

from events.payment import begin_payment
from events.shop import Shop
from gateways.payment import (
    ActionKind,
    Charge,
    NextAction,
    NotificationRefused,
    PaymentGateway,
    PaymentReport,
    ProviderStatus,
    RefundReport,
)
from gateways.payment.sandbox import SandboxGateway
from models import Money, Order, Payment, PaymentMethod, PaymentStatus, Refund
from tests.factories.order import SANDBOX, create_order, events_of


def sandbox_of(shop: Shop) -> SandboxGateway:
    """The sandbox provider this shop is connected to."""
    gateway = shop.payments[PaymentMethod.SANDBOX]
    assert isinstance(gateway, SandboxGateway)
    return gateway


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
    await sandbox_of(shop).settle(payment.reference, status)


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
    started = await begin_payment(shop, payment.id, return_url=return_url, by=order.account_id)
    return started.next_action.value


@dataclass
class ScriptedGateway:
    """A provider that raises the given errors, one per call, and then succeeds."""

    method: PaymentMethod = SANDBOX
    errors: list[Exception] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)
    status: ProviderStatus = ProviderStatus.WAITING

    def raise_next_error(self) -> None:
        if self.errors:
            raise self.errors.pop(0)

    async def start(self, charge: Charge) -> NextAction:
        self.raise_next_error()
        return NextAction(ActionKind.QR_CODE, "weixin://pay")

    async def query(self, charge: Charge) -> PaymentReport:
        return PaymentReport(charge.reference, self.status, charge.amount, charge.order_number)

    async def close(self, charge: Charge) -> None:
        self.raise_next_error()

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        self.raise_next_error()
        self.refunds.append(reference)
        return RefundReport(f"P-{reference}")

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        raise NotificationRefused("never speaks")


def connect_gateway(shop: Shop, gateway: PaymentGateway) -> None:
    """Replace the provider of a payment method."""
    cast("MutableMapping[PaymentMethod, PaymentGateway]", shop.payments)[gateway.method] = gateway


def refuse_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")
