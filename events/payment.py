"""Payments and refunds at their providers, which are called with no transaction open."""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.events import OrderCancelled, OrderEditDropped, OrderPaymentsChanged, RefundRequested
from domain.order import lock_order
from domain.payment import (
    PaymentOutcome,
    close_payments,
    fail_payment,
    fail_refund,
    find_payment_deadline,
    refund_everything,
    retry_refund,
    settle_payment,
    settle_refund,
    start_payment,
)
from domain.payment.due import (
    claim_payment_query,
    claim_stalled_refund,
    due_payment_queries,
    due_refund_retries,
    due_sandbox_charges,
    due_stalled_refunds,
    find_closed_payments,
    find_payment_and_number,
)
from events.types import Resources, Timer
from gateways.measured import MeasuredPayments
from gateways.payment import (
    Charge,
    NextAction,
    PaymentGateway,
    PaymentReport,
    ProviderError,
    ProviderRefused,
    ProviderStatus,
)
from gateways.payment.sandbox import SandboxGateway
from models import Order, Payment, PaymentMethod, Refund, RefundStatus
from text.messages import Message

log = structlog.get_logger()

ORDER_CANCELLED = Message("The order was cancelled.")

OUTCOMES = {ProviderStatus.CAPTURED: PaymentOutcome.CAPTURED, ProviderStatus.FAILED: PaymentOutcome.FAILED}


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
    """A payment that was begun at its provider, and what the customer does next."""

    payment: Payment
    next_action: NextAction


async def begin_payment(
    resources: Resources, payment_id: int, *, return_url: str | None, by: int
) -> StartedPayment:
    """Start a payment here, then at its provider.

    Raises ProviderUnavailable when the provider does not answer: the next query finds out what became of the
    payment. Raises ProviderDeclined when the provider refuses.
    """
    now = resources.clock()
    async with resources.database.writes.begin() as session:
        query_at = now + resources.settings.payments.query_interval
        payment = await start_payment(session, payment_id, query_at=query_at, cause=Cause(now, by))
        order = await session.get_one(Order, payment.order_id)
        due_at = await find_payment_deadline(session, order, payment)
    resources.wake_relay()
    charge = await charge_of(resources, payment_id, return_url=return_url)
    try:
        action = await gateway_for(resources, payment.method).start(charge)
    except ProviderError as error:
        raise ProviderUnavailable(payment.method) from error
    except ProviderRefused as refusal:
        await fail_declined_payment(resources, payment, charge, str(refusal))
        raise ProviderDeclined(payment.method, str(refusal)) from refusal
    return StartedPayment(payment, expire_at_deadline(action, due_at))


def expire_at_deadline(action: NextAction, due_at: datetime | None) -> NextAction:
    """The action, valid no longer than its payment is: a provider may keep a page open after that."""
    moments = [moment for moment in (action.expires_at, due_at) if moment]
    return replace(action, expires_at=min(moments, default=None))


async def fail_declined_payment(resources: Resources, payment: Payment, charge: Charge, reason: str) -> None:
    """Fail a payment that its provider will not start, unless it refuses because it has the money already."""
    if await query_payment(resources, payment.method, charge) is ProviderStatus.CAPTURED:
        return
    async with resources.database.writes.begin() as session:
        await fail_payment(session, payment.id, reason=reason, cause=Cause(resources.clock()))
    resources.wake_relay()


async def apply_report(
    session: AsyncSession, method: PaymentMethod, report: PaymentReport, *, cause: Cause
) -> None:
    """Settle a payment as its provider reports it, in the caller's transaction."""
    await settle_payment(
        session,
        method=method,
        reference=report.reference,
        order_number=report.order_number,
        amount=report.amount,
        outcome=OUTCOMES.get(report.status, PaymentOutcome.OPEN),
        reason=report.reason,
        cause=cause,
    )


async def query_payment(resources: Resources, method: PaymentMethod, charge: Charge) -> ProviderStatus:
    """Ask a provider for the status of a payment, and settle the payment by the answer."""
    report = await gateway_for(resources, method).query(charge)
    if report.status in OUTCOMES:
        async with resources.database.writes.begin() as session:
            await apply_report(session, method, report, cause=Cause(resources.clock()))
        resources.wake_relay()
    return report.status


async def settle_cancelled_order(session: AsyncSession, event: OrderCancelled, resources: Resources) -> None:
    """Close the open payments of a cancelled order and refund what was paid."""
    order = await lock_order(session, event.order.id)
    await close_payments(session, order, cause=Cause(resources.clock()))
    await refund_everything(session, order, reason=str(ORDER_CANCELLED), cause=Cause(resources.clock()))


async def close_payments_at_providers(
    event: OrderCancelled | OrderEditDropped | OrderPaymentsChanged, resources: Resources
) -> None:
    """Tell providers what is not to be paid any more; what was paid meanwhile is refunded."""
    async with resources.database.reads() as session:
        payments = await find_closed_payments(session, event.order.id)
    for payment in payments:
        charge = await charge_of(resources, payment.id)
        try:
            await gateway_for(resources, payment.method).close(charge)
        except ProviderRefused as refusal:
            log.info("payment.not_closed", reference=payment.reference, reason=str(refusal))
            await query_payment(resources, payment.method, charge)


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
    charge = await charge_of(resources, payment.id)
    try:
        report = await gateway_for(resources, payment.method).refund(
            charge, amount=refund.total, reference=refund.reference, reason=refund.reason
        )
    except ProviderRefused as refusal:
        await fail_refused_refund(resources, refund, str(refusal))
        return
    if report.pending:
        return
    cause = Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        await settle_refund(session, refund.id, provider_reference=report.provider_reference, cause=cause)
    resources.wake_relay()


async def fail_refused_refund(resources: Resources, refund: Refund, reason: str) -> None:
    log.warning("refund.refused", reference=refund.reference, reason=reason)
    retry_after = resources.settings.payments.refund_retry_after
    cause = Cause(resources.clock())
    async with resources.database.writes.begin() as session:
        await fail_refund(session, refund.id, reason=reason, retry_after=retry_after, cause=cause)
    resources.wake_relay()


def gateway_for(resources: Resources, method: PaymentMethod) -> PaymentGateway:
    """The gateway of a method; ProviderError when none is connected."""
    gateway = resources.payments.get(method)
    if gateway is None:
        raise ProviderError(f"{method} is not connected")
    return MeasuredPayments(gateway, resources.calls)


async def charge_of(resources: Resources, payment_id: int, *, return_url: str | None = None) -> Charge:
    """A payment as its provider is told about it."""
    async with resources.database.reads() as session:
        payment, number = await find_payment_and_number(session, payment_id)
    return Charge(payment.reference, number, payment.total, f"Order {number}", return_url)


async def query_due_payment(resources: Resources, payment_id: int) -> None:
    """Ask the provider of a payment that has been under way for long; only one process does."""
    now = resources.clock()
    async with resources.database.writes.begin() as session:
        next_at = now + resources.settings.payments.query_interval
        method = await claim_payment_query(session, payment_id, now=now, next_at=next_at)
    if method is None:
        return
    try:
        await query_payment(resources, method, await charge_of(resources, payment_id))
    except (ProviderError, ProviderRefused) as error:
        log.warning("payment.query_failed", payment=payment_id, error=str(error))


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
    gateway = resources.payments.get(PaymentMethod.SANDBOX)
    if isinstance(gateway, SandboxGateway):
        await gateway.settle_due(reference)


UNSETTLED_PAYMENTS = Timer("payment.unsettled", due=due_payment_queries, act=query_due_payment)
STALLED_REFUNDS = Timer("refund.stalled", due=due_stalled_refunds, act=resend_refund)
REFUSED_REFUNDS = Timer("refund.refused", due=due_refund_retries, act=retry_refused_refund)
DELAYED_SANDBOX_CHARGES = Timer("sandbox.delayed", due=due_sandbox_charges, act=settle_sandbox_charge)
