"""Money that came beyond what was due: it gets a payment of its own, which is refunded at once."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import PaymentCaptured
from domain.order.extra_amount import add_extra
from domain.outbox import record
from domain.payment.further import add_payments
from domain.payment.lifecycle import record_capture
from domain.payment.refund import create_refunds
from models import Order, Payment, PaymentAttempt
from text.messages import Message

PAID_TWICE = Message("More was paid than was due.")


async def refund_surplus(
    session: AsyncSession,
    order: Order,
    payment: Payment,
    attempt: PaymentAttempt,
    amount: int,
    *,
    cause: Cause,
) -> None:
    """Count minor units beyond a payment as a further one, and give them back."""
    [surplus] = await add_payments(session, order, [(payment.method, amount)], limit=None)
    surplus.started_at, surplus.attempt_reference = attempt.created_at, attempt.reference
    await add_extra(session, order, surplus.total, key=f"surplus:{surplus.reference}", now=cause.now)
    await record_capture(session, order, surplus, now=cause.now)
    record(session, PaymentCaptured(order, payment_id=surplus.id), cause)
    await create_refunds(session, order, [(surplus, amount)], reason=str(PAID_TWICE), cause=cause)
