"""What follows for money: providers are asked and told with no transaction open."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError, ErrorCode
from domain.order import lock_order
from domain.payment import (
    Outcome,
    close_payments,
    fail_payment,
    fail_refund,
    refund_everything,
    retry_refund,
    settle_payment,
    settle_refund,
    start_payment,
)
from events.shop import Shop
from events.timers import Timer
from gateways.payment import (
    Charge,
    NextAction,
    PaymentGateway,
    PaymentReport,
    ProviderError,
    ProviderRefused,
    ProviderStatus,
)
from gateways.payment.sandbox import Sandbox
from models import (
    Event,
    Order,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundStatus,
    SandboxCharge,
)

log = structlog.get_logger()

CANCELLED = "The order was cancelled."

STALLED_AFTER = timedelta(hours=12)
"""Much longer than the relay tries to send a refund by itself."""

OUTCOMES = {ProviderStatus.CAPTURED: Outcome.CAPTURED, ProviderStatus.FAILED: Outcome.FAILED}


class ProviderUnavailable(DomainError):
    code = ErrorCode.PROVIDER_UNAVAILABLE

    def __init__(self, method: PaymentMethod) -> None:
        super().__init__(f"{method.value} does not answer at the moment. Try again.", field=("id",))


class ProviderDeclined(DomainError):
    code = ErrorCode.PROVIDER_REFUSED

    def __init__(self, method: PaymentMethod, reason: str) -> None:
        super().__init__(f"{method.value} said no: {reason}", field=("id",))


@dataclass(frozen=True, slots=True)
class Started:
    """A payment on its way, and what the customer does next."""

    payment: Payment
    next_action: NextAction


async def begin_payment(shop: Shop, payment_id: int, *, return_url: str | None, by: int) -> Started:
    """Start a payment here, then at its provider; when nobody answers there, the query finds out."""
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        query_at = now + shop.settings.payment_query_every
        payment = await start_payment(session, payment_id, query_at=query_at, now=now, by=by)
    shop.wake()
    charge = await charge_of(shop, payment_id, return_url=return_url)
    try:
        action = await gateway_of(shop, payment.method).start(charge)
    except ProviderError as error:
        raise ProviderUnavailable(payment.method) from error
    except ProviderRefused as refusal:
        await give_up(shop, payment, charge, str(refusal))
        raise ProviderDeclined(payment.method, str(refusal)) from refusal
    return Started(payment, action)


async def give_up(shop: Shop, payment: Payment, charge: Charge, reason: str) -> None:
    """A provider will not start a payment: because it has the money already, or for good."""
    if await ask(shop, payment.method, charge) is ProviderStatus.CAPTURED:
        return
    async with shop.database.writes.begin() as session:
        await fail_payment(session, payment.id, reason=reason, now=shop.clock())
    shop.wake()


async def take_report(
    session: AsyncSession, shop: Shop, method: PaymentMethod, report: PaymentReport
) -> None:
    """Let a provider's word have its effect: one command, in the caller's transaction."""
    await settle_payment(
        session,
        method=method,
        reference=report.reference,
        order_number=report.order_number,
        amount=report.amount,
        outcome=OUTCOMES.get(report.status, Outcome.OPEN),
        reason=report.reason,
        now=shop.clock(),
    )


async def ask(shop: Shop, method: PaymentMethod, charge: Charge) -> ProviderStatus:
    """Ask a provider what became of a payment, and let the answer have its effect."""
    report = await gateway_of(shop, method).query(charge)
    if report.status in OUTCOMES:
        async with shop.database.writes.begin() as session:
            await take_report(session, shop, method, report)
        shop.wake()
    return report.status


async def settle_cancelled(session: AsyncSession, event: Event, shop: Shop) -> None:
    """A cancelled order expects no money, and what has come goes back."""
    order = await lock_order(session, event.subject_id)
    await close_payments(session, order, now=shop.clock())
    await refund_everything(session, order, reason=CANCELLED, now=shop.clock())


async def close_at_providers(event: Event, shop: Shop) -> None:
    """Tell providers that a cancelled order is not to be paid; one that was quicker gets its money back."""
    async with shop.database.reads() as session:
        rows = await session.scalars(
            select(Payment).where(
                Payment.order_id == event.subject_id,
                Payment.status == PaymentStatus.CLOSED,
                Payment.started_at.is_not(None),
            )
        )
        payments = rows.all()
    for payment in payments:
        charge = await charge_of(shop, payment.id)
        try:
            await gateway_of(shop, payment.method).close(charge)
        except ProviderRefused as refusal:
            log.info("payment.not_closed", reference=payment.reference, reason=str(refusal))
            await ask(shop, payment.method, charge)


async def send_refunds(event: Event, shop: Shop) -> None:
    """Hand refunds to the providers; one that does not answer holds up no other."""
    silent: list[ProviderError] = []
    for refund_id in event.payload["refund_ids"]:
        try:
            await send_refund(shop, refund_id)
        except ProviderError as error:
            silent.append(error)
    if silent:
        raise silent[0]


async def send_refund(shop: Shop, refund_id: int) -> None:
    """Send one refund under its own reference, which makes a second sending harmless."""
    async with shop.database.reads() as session:
        refund = await session.get_one(Refund, refund_id)
        payment = await session.get_one(Payment, refund.payment_id)
    if refund.status is not RefundStatus.PENDING:
        return
    charge = await charge_of(shop, payment.id)
    try:
        report = await gateway_of(shop, payment.method).refund(
            charge, amount=refund.total, reference=refund.reference, reason=refund.reason
        )
    except ProviderRefused as refusal:
        await note_refusal(shop, refund, str(refusal))
        return
    if report.pending:
        return
    async with shop.database.writes.begin() as session:
        await settle_refund(
            session, refund.id, provider_reference=report.provider_reference, now=shop.clock()
        )
    shop.wake()


async def note_refusal(shop: Shop, refund: Refund, reason: str) -> None:
    log.warning("refund.refused", reference=refund.reference, reason=reason)
    async with shop.database.writes.begin() as session:
        retry_after = shop.settings.refund_retry_after
        await fail_refund(session, refund.id, reason=reason, retry_after=retry_after, now=shop.clock())
    shop.wake()


def gateway_of(shop: Shop, method: PaymentMethod) -> PaymentGateway:
    gateway = shop.payments.get(method)
    if gateway is None:
        raise ProviderError(f"{method} is not connected")
    return gateway


async def charge_of(shop: Shop, payment_id: int, *, return_url: str | None = None) -> Charge:
    """A payment as its provider is told about it."""
    async with shop.database.reads() as session:
        row = await session.execute(
            select(Payment, Order.number)
            .join(Order, Order.id == Payment.order_id)
            .where(Payment.id == payment_id)
        )
        payment, number = row.one()
    return Charge(payment.reference, number, payment.total, f"Order {number}", return_url)


def unsettled(now: datetime) -> Select[Any]:
    return (
        select(Payment.id)
        .where(Payment.status == PaymentStatus.STARTED, Payment.query_at <= now)
        .order_by(Payment.query_at)
    )


async def reconcile(shop: Shop, payment_id: int) -> None:
    """Ask after a payment that has been under way for long; one process at a time."""
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        method = await session.scalar(
            update(Payment)
            .where(Payment.id == payment_id, Payment.query_at <= now)
            .values(query_at=now + shop.settings.payment_query_every)
            .returning(Payment.method)
        )
    if method is None:
        return
    try:
        await ask(shop, method, await charge_of(shop, payment_id))
    except (ProviderError, ProviderRefused) as error:
        log.warning("payment.unknown", payment=payment_id, error=str(error))


def refused(now: datetime) -> Select[Any]:
    return (
        select(Refund.id)
        .where(Refund.status == RefundStatus.FAILED, Refund.retry_at <= now)
        .order_by(Refund.retry_at)
    )


async def refund_again(shop: Shop, refund_id: int) -> None:
    async with shop.database.writes.begin() as session:
        await retry_refund(session, refund_id, now=shop.clock())


def stalled(now: datetime) -> Select[Any]:
    """Refunds that a provider has left unanswered until the relay gave their event up."""
    waited = and_(Refund.retry_at.is_(None), Refund.created_at <= now - STALLED_AFTER)
    return (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == RefundStatus.PENDING, Payment.method != PaymentMethod.CASH_ON_DELIVERY)
        .where(or_(waited, Refund.retry_at <= now))
        .order_by(Refund.id)
    )


async def resend(shop: Shop, refund_id: int) -> None:
    """Send a forgotten refund once more; its reference keeps a second sending harmless."""
    async with shop.database.writes.begin() as session:
        await session.execute(
            update(Refund)
            .where(Refund.id == refund_id, Refund.status == RefundStatus.PENDING)
            .values(retry_at=shop.clock() + STALLED_AFTER)
        )
    try:
        await send_refund(shop, refund_id)
    except ProviderError as error:
        log.warning("refund.unanswered", refund=refund_id, error=str(error))


def slow_sandbox(now: datetime) -> Select[Any]:
    return select(SandboxCharge.reference).where(SandboxCharge.settles_at <= now)


async def let_sandbox_settle(shop: Shop, reference: Any) -> None:
    gateway = shop.payments.get(PaymentMethod.SANDBOX)
    if isinstance(gateway, Sandbox):
        await gateway.settle_due(reference)


UNSETTLED_PAYMENTS = Timer("payment.unsettled", due=unsettled, act=reconcile)
STALLED_REFUNDS = Timer("refund.stalled", due=stalled, act=resend)
REFUSED_REFUNDS = Timer("refund.refused", due=refused, act=refund_again)
SLOW_SANDBOX = Timer("sandbox.slow", due=slow_sandbox, act=let_sandbox_settle)
