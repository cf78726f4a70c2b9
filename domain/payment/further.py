"""Payments that an order gets after it was placed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import LimitReached, Path
from domain.payment.states import TRANSITIONS
from domain.state import move
from models import Order, Payment, PaymentMethod, PaymentStatus

CLOSED_LIMIT = 200
"""Payments that others have taken the place of, kept with one order beside those in use."""


async def add_payments(
    session: AsyncSession,
    order: Order,
    parts: Sequence[tuple[PaymentMethod, int]],
    *,
    limit: int | None,
    field: Path = ("payments",),
    status: PaymentStatus = PaymentStatus.PENDING,
) -> list[Payment]:
    """Further payments of a locked order, of these methods and minor units; two statements for all.

    LimitReached above the limit of an order, in which closed payments do not count, and after too many
    changes; there is none where the shop itself adds them.
    """
    if not parts:
        return []
    in_use = func.count(Payment.id).filter(Payment.status != PaymentStatus.CLOSED)
    statement = select(func.coalesce(func.max(Payment.position), 0), in_use)
    last, used = (await session.execute(statement.where(Payment.order_id == order.id))).one()
    if limit is not None and used + len(parts) > limit:
        raise LimitReached("An order has at most {limit} payments.", limit=limit, field=field)
    if limit is not None and last + len(parts) > limit + CLOSED_LIMIT:
        raise LimitReached("The payments of this order were changed too often.", field=field)
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


def replace_payment(payment: Payment, *, now: datetime) -> None:
    """Close a payment that others take the place of; one that was started may still be paid there."""
    move(payment, PaymentStatus.CLOSED, TRANSITIONS)
    if payment.started_at is None:
        payment.amount = 0
    else:
        payment.replaced_at = now
