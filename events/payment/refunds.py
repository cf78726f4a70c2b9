"""Sending refunds to their providers, and once more where there was no answer."""

import structlog

from domain.cause import Cause
from domain.events import RefundRequested
from domain.payment import fail_refund, pay_credit_refund, retry_refund, settle_refund
from domain.payment.attempts import find_attempt_by_reference
from domain.payment.due import claim_stalled_refund, due_refund_retries, due_stalled_refunds
from events.payment.providers import describe_attempt, provider_for
from events.types import Resources, Timer
from gateways.payment.provider import Attempt, ProviderError, ProviderRefused, RefundStart
from models import Payment, Refund, RefundOutcome, RefundStatus, RefundTarget

log = structlog.get_logger()


async def send_refunds(event: RefundRequested, resources: Resources) -> None:
    """Hand refunds to the providers; one that does not answer does not delay the others."""
    errors: list[ProviderError] = []
    for refund_id in event.refund_ids:
        try:
            await send_refund(resources, refund_id)
        except ProviderError as error:
            errors.append(error)
    if errors:
        raise errors[0]


async def send_refund(resources: Resources, refund_id: int) -> None:
    """Send one refund under its own reference, which makes a second sending harmless."""
    async with resources.database.reads() as session:
        refund = await session.get_one(Refund, refund_id)
        payment = await session.get_one(Payment, refund.payment_id)
    if refund.status is not RefundStatus.PENDING:
        return
    if refund.target is RefundTarget.STORE_CREDIT:
        async with resources.database.writes.begin() as session:
            await pay_credit_refund(session, refund_id, cause=Cause(resources.clock()))
        resources.wake_relay()
        return
    if payment.method.collected_offline:
        return  # staff transfer it
    try:
        report = await provider_for(resources, payment.method).refund(
            await refund_start(resources, refund, payment)
        )
    except ProviderRefused as refusal:
        await fail_refused_refund(resources, refund, str(refusal))
        return
    if report.outcome in (RefundOutcome.PENDING, RefundOutcome.UNKNOWN):
        return
    if report.outcome is not RefundOutcome.SUCCEEDED:
        await fail_refused_refund(resources, refund, report.reason or report.outcome)
        return
    cause = Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        reference = report.provider_reference or refund.reference
        await settle_refund(session, refund.id, provider_reference=reference, cause=cause)
    resources.wake_relay()


async def refund_start(resources: Resources, refund: Refund, payment: Payment) -> RefundStart:
    """A refund as its provider is told of it."""
    reference = payment.attempt_reference or payment.reference
    async with resources.database.reads() as session:
        attempt = await find_attempt_by_reference(session, reference)
    told = describe_attempt(attempt) if attempt else Attempt(reference, None, payment.total)
    return RefundStart(refund.reference, told, refund.total, refund.reason)


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


async def resend_refund(resources: Resources, refund_id: int) -> None:
    """Send a refund that was never answered once more; its reference keeps a second sending harmless."""
    async with resources.database.writes.begin() as session:
        await claim_stalled_refund(session, refund_id, now=resources.clock())
    try:
        await send_refund(resources, refund_id)
    except ProviderError as error:
        log.warning("refund.request_failed", refund=refund_id, error=str(error))


STALLED_REFUNDS = Timer("refund.stalled", due=due_stalled_refunds, act=resend_refund)
REFUSED_REFUNDS = Timer("refund.refused", due=due_refund_retries, act=retry_refused_refund)
