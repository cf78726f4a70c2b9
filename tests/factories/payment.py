"""Providers and their books, in one line."""

from sqlalchemy import select

from events.shop import Shop
from gateways.payment.sandbox import Sandbox
from models import Order, Payment, PaymentMethod, PaymentStatus, Refund


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
