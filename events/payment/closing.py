"""Telling providers to take no more money, and settling the payments of cancelled orders."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import OrderCancelled, OrderEditDropped, OrderPaymentsChanged
from domain.order import lock_order
from domain.order.payments_under_way import PaymentUnderWay
from domain.payment import PaymentMismatch, close_attempt, close_payments, refund_cancelled_order
from domain.payment.attempts import close_attempts_soon, release_payments, select_unpaid_attempts
from events.payment.providers import ProviderUnavailable
from events.payment.queries import close_and_record
from events.types import Resources
from gateways.payment.provider import ProviderError, ProviderRefused
from models import PaymentAttempt, PaymentMethod
from text.messages import Message

T = TypeVar("T")

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


async def stop_payments(resources: Resources, order_id: int, *, by: int) -> None:
    """Have the attempts under way of an order closed, so that what is paid can change.

    What the provider has the money of stays. Raises ProviderUnavailable when one does not answer; of a method
    that is not connected any more, none is asked.
    """
    async with resources.database.reads() as session:
        attempts = (await session.execute(select_unpaid_attempts(order_id))).all()
    for attempt, method in attempts:
        if method in resources.payments:
            await close_at_provider(resources, method, attempt, by=by)
        else:
            cause = Cause(resources.clock(), by)
            async with resources.database.writes.begin() as session:
                await close_attempt(
                    session, attempt.id, confirmed=False, query_at=attempt.expires_at, cause=cause
                )
    async with resources.database.writes.begin() as session:
        await release_payments(session, order_id)


async def change_stopping_payments(
    resources: Resources, order_id: int, change: Callable[[], Awaitable[T]], *, by: int
) -> T:
    """Change an order; where a payment of it is being made, that is stopped first."""
    try:
        return await change()
    except PaymentUnderWay:
        await stop_payments(resources, order_id, by=by)
        return await change()


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
