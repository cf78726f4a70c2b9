"""Payments that an order gets after it was placed."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import LimitReached
from models import Order, Payment, PaymentMethod, PaymentStatus


async def add_payments(
    session: AsyncSession,
    order: Order,
    parts: Sequence[tuple[PaymentMethod, int]],
    *,
    limit: int | None,
    status: PaymentStatus = PaymentStatus.PENDING,
) -> list[Payment]:
    """Further payments of a locked order, of these methods and minor units; two statements for all.

    LimitReached above the limit of an order; there is none where the shop itself adds them.
    """
    if not parts:
        return []
    last = await session.scalar(select(func.max(Payment.position)).where(Payment.order_id == order.id)) or 0
    if limit is not None and last + len(parts) > limit:
        raise LimitReached("An order has at most {limit} payments.", limit=limit, field=("payment_method",))
    payments = [
        Payment(
            order_id=order.id,
            position=position,
            method=method,
            status=status,
            currency=order.currency,
            amount=amount,
            captured_amount=0,
            refunded_amount=0,
            reference=f"{order.number}-{position}",
        )
        for position, (method, amount) in enumerate(parts, start=last + 1)
    ]
    session.add_all(payments)
    await session.flush()
    return payments
