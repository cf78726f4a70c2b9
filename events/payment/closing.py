"""Telling providers to take no more money, and settling the payments of cancelled orders."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import OrderCancelled, OrderEditDropped, OrderPaymentsChanged
from domain.order import lock_order
from domain.payment import PaymentMismatch, close_payments, refund_cancelled_order
from domain.payment.attempts import close_attempts_soon
from events.payment.providers import ProviderUnavailable
from events.payment.queries import close_and_record
from events.types import Resources
from gateways.payment.provider import ProviderError, ProviderRefused
from models import PaymentAttempt, PaymentMethod
from text.messages import Message

ORDER_CANCELLED = Message("The order was cancelled.")


async def close_at_provider(
    resources: Resources, method: PaymentMethod, attempt: PaymentAttempt, *, by: int
) -> None:
    """Have an attempt closed before another one is started.

    Raises ProviderUnavailable when the provider does not answer.
    """
    try:
        await close_and_record(resources, method, attempt, by=by)
    except (ProviderError, ProviderRefused, PaymentMismatch) as error:
        raise ProviderUnavailable(method) from error


async def settle_cancelled_order(session: AsyncSession, event: OrderCancelled, resources: Resources) -> None:
    """Close the open payments of a cancelled order and refund what was paid."""
    order = await lock_order(session, event.order.id)
    await close_payments(session, order, cause=Cause(resources.clock()))
    reason, cause = str(ORDER_CANCELLED), Cause(resources.clock())
    await refund_cancelled_order(session, order, target=event.refund_to, reason=reason, cause=cause)


async def close_attempts(
    session: AsyncSession,
    event: OrderCancelled | OrderEditDropped | OrderPaymentsChanged,
    resources: Resources,
) -> None:
    """Have providers asked, as soon as they answer, to take no money for what is not to be paid any more."""
    await close_attempts_soon(session, event.order.id, now=resources.clock())
