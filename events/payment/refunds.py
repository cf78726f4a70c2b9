"""Sending refunds to their providers, and asking after them until they have ended."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import RefundRequested
from domain.payment import (
    PaymentMismatch,
    fail_refund,
    pay_credit_refund,
    report_refund,
    retry_refund,
)
from domain.payment.attempts import find_attempt_by_reference
from domain.payment.due import claim_refund_query, due_credit_refunds, due_refund_calls, due_refund_retries
from events.payment.providers import describe_attempt, provider_for
from events.types import Resources, Timer
from gateways.payment.provider import Attempt, ProviderError, ProviderRefused, RefundStart
from models import (
    Payment,
    PaymentMethod,
    Refund,
    RefundOutcome,
    RefundReport,
    RefundStatus,
)

log = structlog.get_logger()


async def credit_refunds(session: AsyncSession, event: RefundRequested, resources: Resources) -> None:
    """Put refunds into store credit that go there; providers are sent the others as they fall due."""
    cause = Cause(resources.clock())
    for refund_id in event.refund_ids:
        await pay_credit_refund(session, refund_id, cause=cause)


async def pay_late_credit_refund(resources: Resources, refund_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await pay_credit_refund(session, refund_id, cause=Cause(resources.clock()))


async def send_refund(resources: Resources, refund: Refund, payment: Payment) -> None:
    """Send one refund under its own reference, which makes a second sending harmless."""
    provider = provider_for(resources, payment.method)
    try:
        report = await provider.refund(await refund_start(resources, refund, payment))
    except ProviderRefused as refusal:
        await fail_refused_refund(resources, refund, str(refusal))
        return
    await follow_answer(resources, payment.method, report)


async def ask_for_refund(resources: Resources, refund: Refund, payment: Payment) -> None:
    """Ask a provider what became of a refund; one it has never taken is sent again, under its reference."""
    provider = provider_for(resources, payment.method)
    start = await refund_start(resources, refund, payment)
    report = await provider.query_refund(start, refund.provider_reference)
    if report.outcome is RefundOutcome.UNKNOWN:
        log.info("refund.sent_again", reference=start.reference)
        await send_refund(resources, refund, payment)
        return
    await follow_answer(resources, payment.method, report)


async def follow_answer(resources: Resources, method: PaymentMethod, report: RefundReport) -> None:
    """Follow what a provider answers about a refund, in a transaction of its own."""
    cause = Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        await apply_refund_report(session, resources, method, report, cause=cause)
    resources.wake_relay()


async def apply_refund_report(
    session: AsyncSession, resources: Resources, method: PaymentMethod, report: RefundReport, *, cause: Cause
) -> RefundStatus:
    """Bring a refund to what its provider reports: what it answers and what it tells by itself alike.

    PaymentMismatch when the report does not fit the refund.
    """
    settings = resources.settings.payments
    return await report_refund(
        session,
        report,
        method=method,
        retry_after=settings.refund_retry_after,
        query_after=settings.refund_query_interval,
        cause=cause,
    )


async def load_refund(resources: Resources, refund_id: int) -> tuple[Refund, Payment]:
    """A refund with its payment, as they are now."""
    async with resources.database.reads() as session:
        refund = await session.get_one(Refund, refund_id)
        return refund, await session.get_one(Payment, refund.payment_id)


async def refund_start(resources: Resources, refund: Refund, payment: Payment) -> RefundStart:
    """A refund as its provider is told of it."""
    reference = payment.attempt_reference or payment.reference
    async with resources.database.reads() as session:
        attempt = await find_attempt_by_reference(session, reference)
    described = describe_attempt(attempt) if attempt else Attempt(reference, None, payment.total)
    return RefundStart(refund.sent_reference, described, refund.total, refund.reason)


async def fail_refused_refund(resources: Resources, refund: Refund, reason: str) -> None:
    log.warning("refund.refused", reference=refund.reference, reason=reason)
    retry_after = resources.settings.payments.refund_retry_after
    cause = Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        await fail_refund(session, refund.id, reason=reason, retry_after=retry_after, cause=cause)
    resources.wake_relay()


async def retry_refused_refund(resources: Resources, refund_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await retry_refund(session, refund_id, cause=Cause(resources.clock()))


async def look_after_refund(resources: Resources, refund_id: int) -> None:
    """Send a refund, or find out what became of one that was sent; only one process does."""
    query_after = resources.settings.payments.refund_query_interval
    async with resources.database.writes.begin() as session:
        calls = await claim_refund_query(session, refund_id, query_after=query_after, now=resources.clock())
    if calls is None:
        return
    refund, payment = await load_refund(resources, refund_id)
    try:
        if calls == 0:
            await send_refund(resources, refund, payment)
        else:
            await ask_for_refund(resources, refund, payment)
    except (ProviderError, ProviderRefused, PaymentMismatch) as error:
        log.warning("refund.call_failed", reference=refund.sent_reference, error=str(error))


REFUND_CALLS = [
    Timer("refund.call", due=due_refund_calls(method), act=look_after_refund, partner=method.value)
    for method in PaymentMethod
    if method.has_provider
]
"""One for each provider: a refund waits for no other one's provider."""
LATE_CREDIT_REFUNDS = Timer("refund.credit", due=due_credit_refunds, act=pay_late_credit_refund)
REFUSED_REFUNDS = Timer("refund.refused", due=due_refund_retries, act=retry_refused_refund)
