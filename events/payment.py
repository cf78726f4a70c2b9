"""Payments and refunds at their providers, which are called with no transaction open."""

from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.events import OrderCancelled, OrderEditDropped, OrderPaymentsChanged, RefundRequested
from domain.order import lock_order
from domain.payment import (
    AttemptUnderWay,
    PaymentMismatch,
    close_attempt,
    close_payments,
    end_attempt,
    fail_payment,
    fail_refund,
    pay_credit_refund,
    refund_everything,
    retry_refund,
    save_action,
    settle_attempt,
    settle_refund,
    start_payment,
)
from domain.payment.attempts import (
    ASKED_AFTER_END,
    UNDER_WAY,
    claim_attempt_query,
    due_attempt_queries,
    find_attempts_to_close,
)
from domain.payment.due import (
    claim_stalled_refund,
    due_refund_retries,
    due_sandbox_charges,
    due_stalled_refunds,
)
from events.types import Resources, Timer
from gateways.measured import MeasuredPayments
from gateways.payment.provider import (
    Action,
    AppParameters,
    Attempt,
    AttemptReport,
    AttemptStatus,
    ClientSecret,
    Closed,
    NothingToDo,
    Paid,
    PaymentProvider,
    ProviderError,
    ProviderRefused,
    Redirect,
    RefundOutcome,
    RefundStart,
    ScanCode,
    Start,
)
from models import (
    ActionKind,
    Order,
    Payment,
    PaymentAttempt,
    PaymentChannel,
    PaymentMethod,
    Refund,
    RefundStatus,
    RefundTarget,
)
from text.messages import Message

log = structlog.get_logger()

ORDER_CANCELLED = Message("The order was cancelled.")

TIME_OVER = Message("The time to pay is over.")

UNCHANGED = (AttemptStatus.WAITING, AttemptStatus.UNKNOWN)
"""Nothing is to be followed."""
FINAL_STATUSES = (AttemptStatus.CAPTURED, AttemptStatus.CLOSED)


class ProviderUnavailable(DomainError):
    code = ErrorCode.PROVIDER_UNAVAILABLE

    def __init__(self, method: PaymentMethod) -> None:
        super().__init__(
            "{method} does not answer at the moment. Try again.", method=method.value, field=("id",)
        )


class ProviderDeclined(DomainError):
    code = ErrorCode.PROVIDER_REFUSED

    def __init__(self, method: PaymentMethod, reason: str) -> None:
        super().__init__("{method} said no: {reason}", method=method.value, reason=reason, field=("id",))


@dataclass(frozen=True, slots=True)
class StartedPayment:
    """A payment that was begun at its provider, and the attempt with what the customer does next."""

    payment: Payment
    attempt: PaymentAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStart:
    """How the customer wants to pay."""

    channel: PaymentChannel = PaymentChannel.PAGE
    return_url: str | None = None
    """Where the customer's browser goes afterwards."""
    payer_id: str | None = None
    """Who the customer is to the provider, for a page inside its app."""
    payer_address: str | None = None
    """The customer's network address."""


async def begin_payment(
    resources: Resources, payment_id: int, *, by: int, start: PaymentStart = PaymentStart()
) -> StartedPayment:
    """Start a payment here, then at its provider; what was begun and can be gone on with is shown again.

    Another attempt under way is closed at the provider first. Raises ProviderUnavailable when the provider
    does not answer: the next query finds out what became of it. Raises ProviderDeclined when it refuses.
    """
    try:
        payment, attempt, is_new = await reserve_attempt(resources, payment_id, start.channel, by=by)
    except AttemptUnderWay as other:
        await close_at_provider(resources, other.attempt)
        payment, attempt, is_new = await reserve_attempt(resources, payment_id, start.channel, by=by)
    if attempt.action_kind is not None:
        return StartedPayment(payment, attempt)
    try:
        if not is_new and await query_attempt(resources, attempt.id) is AttemptStatus.CAPTURED:
            return await load_started(resources, attempt.id)
        await start_at_provider(resources, payment, attempt, start)
    except ProviderError as error:
        raise ProviderUnavailable(payment.method) from error
    except ProviderRefused as refusal:
        await fail_declined_payment(resources, payment, attempt, str(refusal))
        raise ProviderDeclined(payment.method, str(refusal)) from refusal
    return await load_started(resources, attempt.id)


async def reserve_attempt(
    resources: Resources, payment_id: int, channel: PaymentChannel, *, by: int
) -> tuple[Payment, PaymentAttempt, bool]:
    """The payment, its attempt through a channel, and whether that is a new one."""
    now = resources.clock()
    query_at = now + resources.settings.payments.query_interval
    async with resources.database.writes.begin() as session:
        attempt = await start_payment(
            session, payment_id, channel=channel, query_at=query_at, cause=Cause(now, by)
        )
        payment = await session.get_one(Payment, payment_id)
    resources.wake_relay()
    return payment, attempt, attempt.created_at == now


async def start_at_provider(
    resources: Resources, payment: Payment, attempt: PaymentAttempt, start: PaymentStart
) -> None:
    """Ask the provider to expect the money of an attempt, and keep how it is paid."""
    provider = provider_for(resources, payment.method)
    if start.channel not in provider.channels:
        raise ProviderRefused(f"It cannot be paid by {start.channel}.")
    async with resources.database.reads() as session:
        order = await session.get_one(Order, payment.order_id)
    started = await provider.start(
        Start(
            reference=attempt.reference,
            order_number=order.number,
            amount=attempt.total,
            subject=f"Order {order.number}",
            channel=start.channel,
            starts_at=attempt.created_at,
            expires_at=attempt.expires_at,
            return_url=start.return_url,
            payer_address=start.payer_address,
            payer_id=start.payer_id,
        )
    )
    kind, value, key = describe_action(started.action)
    async with resources.database.writes.begin() as session:
        await save_action(
            session,
            attempt.id,
            provider_reference=started.provider_reference,
            kind=kind,
            value=value,
            key=key,
            expires_at=started.valid_until,
        )


def describe_action(action: Action) -> tuple[ActionKind, str, str | None]:
    """An action as it is kept: its kind, its value, and the key that belongs to a client secret."""
    match action:
        case ScanCode(code):
            return ActionKind.QR_CODE, code, None
        case Redirect(url):
            return ActionKind.REDIRECT, url, None
        case AppParameters(text):
            return ActionKind.APP_PARAMETERS, text, None
        case ClientSecret(secret, key):
            return ActionKind.CLIENT_SECRET, secret, key
        case NothingToDo():
            return ActionKind.NONE, "", None


async def load_started(resources: Resources, attempt_id: int) -> StartedPayment:
    async with resources.database.reads() as session:
        attempt = await session.get_one(PaymentAttempt, attempt_id)
        return StartedPayment(await session.get_one(Payment, attempt.payment_id), attempt)


async def fail_declined_payment(
    resources: Resources, payment: Payment, attempt: PaymentAttempt, reason: str
) -> None:
    """Fail a payment that its provider will not start, unless it refuses because it has the money already."""
    with suppress(ProviderError, ProviderRefused):
        if await query_attempt(resources, attempt.id) is AttemptStatus.CAPTURED:
            return
    async with resources.database.writes.begin() as session:
        await fail_payment(session, payment.id, reason=reason, cause=Cause(resources.clock()))
    resources.wake_relay()


async def query_attempt(resources: Resources, attempt_id: int) -> AttemptStatus:
    """Ask the provider of an attempt what became of it, and follow its answer."""
    attempt, method = await load_attempt(resources, attempt_id)
    report = await provider_for(resources, method).query(described(attempt))
    await apply_report(resources, method, report)
    return report.status


async def apply_report(resources: Resources, method: PaymentMethod, report: AttemptReport) -> None:
    """Follow what a provider reports, in a transaction of its own."""
    if report.status in UNCHANGED:
        return
    async with resources.database.writes.begin() as session:
        await settle_attempt(session, method=method, report=report, cause=Cause(resources.clock()))
    resources.wake_relay()


async def close_at_provider(resources: Resources, attempt: PaymentAttempt) -> None:
    """Have an attempt closed; one that was paid meanwhile counts, one not known yet is asked after.

    Raises ProviderUnavailable when the provider does not answer.
    """
    _, method = await load_attempt(resources, attempt.id)
    try:
        await close_and_record(resources, method, attempt)
    except (ProviderError, ProviderRefused) as error:
        raise ProviderUnavailable(method) from error


async def close_and_record(resources: Resources, method: PaymentMethod, attempt: PaymentAttempt) -> None:
    outcome = await provider_for(resources, method).close(described(attempt))
    if isinstance(outcome, Paid):
        await apply_report(resources, method, outcome.report)
        return
    now, confirmed = resources.clock(), isinstance(outcome, Closed)
    last_look = attempt.expires_at + ASKED_AFTER_END
    next_look = now + resources.settings.payments.query_interval
    query_at = last_look if confirmed or next_look > last_look else next_look
    async with resources.database.writes.begin() as session:
        await close_attempt(session, attempt.id, confirmed=confirmed, query_at=query_at, cause=Cause(now))


async def load_attempt(resources: Resources, attempt_id: int) -> tuple[PaymentAttempt, PaymentMethod]:
    async with resources.database.reads() as session:
        attempt = await session.get_one(PaymentAttempt, attempt_id)
        return attempt, (await session.get_one(Payment, attempt.payment_id)).method


def described(attempt: PaymentAttempt) -> Attempt:
    """An attempt as its provider is told of it."""
    return Attempt(attempt.reference, attempt.provider_reference, attempt.total)


async def settle_cancelled_order(session: AsyncSession, event: OrderCancelled, resources: Resources) -> None:
    """Close the open payments of a cancelled order and refund what was paid."""
    order = await lock_order(session, event.order.id)
    await close_payments(session, order, cause=Cause(resources.clock()))
    reason, cause = str(ORDER_CANCELLED), Cause(resources.clock())
    await refund_everything(session, order, target=event.refund_to, reason=reason, cause=cause)


async def close_payments_at_providers(
    event: OrderCancelled | OrderEditDropped | OrderPaymentsChanged, resources: Resources
) -> None:
    """Tell providers what is not to be paid any more; what was paid meanwhile is refunded."""
    async with resources.database.reads() as session:
        attempts = await find_attempts_to_close(session, event.order.id)
    for attempt in attempts:
        _, method = await load_attempt(resources, attempt.id)
        try:
            await close_and_record(resources, method, attempt)
        except ProviderRefused as refusal:
            log.info("payment.not_closed", reference=attempt.reference, reason=str(refusal))
            await query_attempt(resources, attempt.id)


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
        attempt = await session.scalar(select(PaymentAttempt).where(PaymentAttempt.reference == reference))
    described_attempt = described(attempt) if attempt else Attempt(reference, None, payment.total)
    return RefundStart(refund.reference, described_attempt, refund.total, refund.reason)


async def fail_refused_refund(resources: Resources, refund: Refund, reason: str) -> None:
    log.warning("refund.refused", reference=refund.reference, reason=reason)
    retry_after = resources.settings.payments.refund_retry_after
    cause = Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        await fail_refund(session, refund.id, reason=reason, retry_after=retry_after, cause=cause)
    resources.wake_relay()


def provider_for(resources: Resources, method: PaymentMethod) -> PaymentProvider:
    """The provider of a method; ProviderError when none is connected."""
    provider = resources.payments.get(method)
    if provider is None:
        raise ProviderError(f"{method} is not connected")
    return MeasuredPayments(provider, resources.calls)


async def query_due_attempt(resources: Resources, attempt_id: int) -> None:
    """Ask the provider of an attempt that has been under way for long; only one process does.

    Past its end it is closed; some time later it is asked after never again.
    """
    now = resources.clock()
    async with resources.database.writes.begin() as session:
        next_at = now + resources.settings.payments.query_interval
        attempt = await claim_attempt_query(session, attempt_id, now=now, next_at=next_at)
    if attempt is None:
        return
    try:
        status = await query_attempt(resources, attempt_id)
        if now < attempt.expires_at or status in FINAL_STATUSES:
            return
        if attempt.status in UNDER_WAY:
            await close_and_record(resources, (await load_attempt(resources, attempt_id))[1], attempt)
    except (ProviderError, ProviderRefused, PaymentMismatch) as error:
        log.warning("payment.query_failed", attempt=attempt_id, error=str(error))
        return
    if now >= attempt.expires_at + ASKED_AFTER_END:
        async with resources.database.writes.begin() as session:
            await end_attempt(session, attempt_id, reason=str(TIME_OVER), cause=Cause(now))
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


async def settle_sandbox_charge(resources: Resources, reference: str) -> None:
    if resources.sandbox is not None:
        await resources.sandbox.settle_due(reference)


UNSETTLED_PAYMENTS = Timer("payment.unsettled", due=due_attempt_queries, act=query_due_attempt)
STALLED_REFUNDS = Timer("refund.stalled", due=due_stalled_refunds, act=resend_refund)
REFUSED_REFUNDS = Timer("refund.refused", due=due_refund_retries, act=retry_refused_refund)
DELAYED_SANDBOX_CHARGES = Timer("sandbox.delayed", due=due_sandbox_charges, act=settle_sandbox_charge)
