"""Providers and their books, in one line."""

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
from gateways.payment.sandbox import Sandbox
from models import Money, Order, Payment, PaymentMethod, PaymentStatus, Refund
from tests.factories.order import SANDBOX, create_order, events_of


def sandbox_of(shop: Shop) -> Sandbox:
    """The built-in provider this shop is connected to."""
    gateway = shop.payments[PaymentMethod.SANDBOX]
    assert isinstance(gateway, Sandbox)
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


async def order_now(shop: Shop, order: Order) -> Order:
    async with shop.database.reads() as session:
        return await session.get_one(Order, order.id)


async def pay_at_sandbox(
    shop: Shop, payment: Payment, status: PaymentStatus = PaymentStatus.CAPTURED
) -> None:
    """The payer decides on the pay page, and the shop is told."""
    await sandbox_of(shop).settle(payment.reference, status)


async def names(shop: Shop, order: Order) -> list[str]:
    """What has happened to an order, the oldest first."""
    async with shop.database.reads() as session:
        return await events_of(session, order)


async def begun(shop: Shop, *, return_url: str | None = None) -> tuple[Order, Payment, str]:
    """An order whose payment its customer has begun, and the address of the pay page."""
    async with shop.database.writes.begin() as session:
        order = await create_order(session, now=shop.clock())
    payment = await payment_of(shop, order)
    return order, payment, await start(shop, payment, return_url=return_url)


async def start(shop: Shop, payment: Payment, *, return_url: str | None = None) -> str:
    """The customer begins to pay; the address of the pay page."""
    async with shop.database.reads() as session:
        order = await session.get_one(Order, payment.order_id)
    began = await begin_payment(shop, payment.id, return_url=return_url, by=order.account_id)
    return began.next_action.value


@dataclass
class Moody:
    """A provider of ours that answers as it is told to."""

    method: PaymentMethod = SANDBOX
    moods: list[Exception] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)
    status: ProviderStatus = ProviderStatus.WAITING

    def mood(self) -> None:
        if self.moods:
            raise self.moods.pop(0)

    async def start(self, charge: Charge) -> NextAction:
        self.mood()
        return NextAction(ActionKind.QR_CODE, "weixin://pay")

    async def query(self, charge: Charge) -> PaymentReport:
        return PaymentReport(charge.reference, self.status, charge.amount, charge.order_number)

    async def close(self, charge: Charge) -> None:
        self.mood()

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        self.mood()
        self.refunds.append(reference)
        return RefundReport(f"P-{reference}")

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        raise NotificationRefused("never speaks")


def connect(shop: Shop, gateway: PaymentGateway) -> None:
    """Let another provider stand where the sandbox stood."""
    cast("MutableMapping[PaymentMethod, PaymentGateway]", shop.payments)[gateway.method] = gateway


def no_answer(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")
