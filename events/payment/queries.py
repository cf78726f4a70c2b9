"""Asking providers what became of an attempt, until its end and some time after."""

from datetime import datetime

import structlog

from domain.cause import Cause
from domain.payment import PaymentMismatch, close_attempt, end_attempt, settle_attempt
from domain.payment.attempts import (
    PAYABLE,
    UNDER_WAY,
    adopt_payment,
    claim_attempt_query,
    due_adoptions,
    due_attempt_queries,
)
from events.payment.providers import describe_attempt, load_attempt, provider_for
from events.types import Resources, Timer
from gateways.payment.provider import Closed, NotYetThere, Paid, ProviderError, ProviderRefused
from models import (
    AttemptReport,
    AttemptStatus,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentMethod,
    PaymentStatus,
)
from text.messages import Message

log = structlog.get_logger()

TIME_OVER = Message("The time to pay is over.")

UNCHANGED = (AttemptStatus.WAITING, AttemptStatus.UNKNOWN)
"""Nothing is to be followed."""

FINAL_STATUSES = (AttemptStatus.CAPTURED, AttemptStatus.CLOSED)

AGE_BETWEEN_QUERIES = 4
"""An attempt is asked after whenever a quarter of its age has passed, so ever more rarely."""


async def query_attempt(resources: Resources, attempt_id: int, *, by: int | None = None) -> AttemptStatus:
    """Ask the provider of an attempt what became of it, and follow its answer."""
    payment, attempt = await load_attempt(resources, attempt_id)
    report = await provider_for(resources, payment.method, by=by).query(describe_attempt(attempt))
    await apply_report(resources, payment.method, report)
    return report.status


async def apply_report(resources: Resources, method: PaymentMethod, report: AttemptReport) -> None:
    """Follow what a provider reports, in a transaction of its own."""
    if report.status in UNCHANGED:
        return
    async with resources.database.writes.begin() as session:
        await settle_attempt(session, method=method, report=report, cause=Cause(resources.clock()))
    resources.wake_relay()


async def close_and_record(
    resources: Resources, method: PaymentMethod, attempt: PaymentAttempt, *, by: int | None = None
) -> None:
    """Have an attempt closed; one that was paid meanwhile counts, one not known yet is asked after.

    So is one that the provider will not close though nobody has paid it.
    """
    try:
        outcome = await provider_for(resources, method, by=by).close(describe_attempt(attempt))
    except ProviderRefused as refusal:
        log.info("payment.not_closed", reference=attempt.reference, reason=str(refusal))
        if await query_attempt(resources, attempt.id, by=by) not in UNCHANGED:
            return
        outcome = NotYetThere()
    if isinstance(outcome, Paid):
        await apply_report(resources, method, outcome.report)
        return
    now, confirmed = resources.clock(), isinstance(outcome, Closed)
    last_look = attempt.expires_at + resources.settings.payments.asked_after_end
    query_at = last_look if confirmed else min(next_query(resources, attempt, now=now), last_look)
    async with resources.database.writes.begin() as session:
        await close_attempt(session, attempt.id, confirmed=confirmed, query_at=query_at, cause=Cause(now))


async def query_due_attempt(resources: Resources, attempt_id: int) -> None:
    """Ask the provider of an attempt that has been under way for long; only one process does.

    Past its end it is closed; some time later it is asked after never again, unless the provider does not
    answer or has the money on its way.
    """
    now = resources.clock()
    _, attempt = await load_attempt(resources, attempt_id)
    next_at = next_query(resources, attempt, now=now)
    async with resources.database.writes.begin() as session:
        claimed = await claim_attempt_query(session, attempt_id, now=now, next_at=next_at)
    if claimed is None:
        return
    try:
        payment, attempt = await load_attempt(resources, attempt_id)
        if payment.status is PaymentStatus.CLOSED and attempt.status in PAYABLE:
            await close_and_record(resources, payment.method, attempt)
            return
        status = await query_attempt(resources, attempt_id)
        if now < attempt.expires_at or status in FINAL_STATUSES:
            return
        payment, attempt = await load_attempt(resources, attempt_id)
        if attempt.status in UNDER_WAY:
            await close_and_record(resources, payment.method, attempt)
            _, attempt = await load_attempt(resources, attempt_id)
    except (ProviderError, ProviderRefused, PaymentMismatch) as error:
        log.warning("payment.query_failed", attempt=attempt_id, error=str(error))
        return
    is_over = now >= attempt.expires_at + resources.settings.payments.asked_after_end
    if is_over and attempt.status is not PaymentAttemptStatus.PROCESSING:
        async with resources.database.writes.begin() as session:
            await end_attempt(session, attempt_id, reason=str(TIME_OVER), cause=Cause(now))
        resources.wake_relay()


def next_query(resources: Resources, attempt: PaymentAttempt, *, now: datetime) -> datetime:
    """When an attempt is asked after again: the longer it is under way, the later, but soon after its end."""
    wait = max(resources.settings.payments.query_interval, (now - attempt.created_at) / AGE_BETWEEN_QUERIES)
    at = now + wait
    return min(at, attempt.expires_at) if now < attempt.expires_at else at


async def adopt_started_payment(resources: Resources, payment_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await adopt_payment(session, payment_id)


ADOPTED_PAYMENTS = Timer("payment.adopted", due=due_adoptions, act=adopt_started_payment)
UNSETTLED_PAYMENTS = [
    Timer("payment.unsettled", due=due_attempt_queries(method), act=query_due_attempt, partner=method.value)
    for method in PaymentMethod
    if method.has_provider
]
"""One for each provider: an attempt waits for no other one's provider."""
