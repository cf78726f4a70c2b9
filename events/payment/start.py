"""Starting a payment at its provider."""

from contextlib import suppress
from dataclasses import dataclass

from domain.cause import Cause
from domain.errors import Invalid
from domain.order import NotOffered
from domain.payment import (
    AttemptUnderWay,
    PaymentMismatch,
    fail_attempt,
    find_payment_method,
    save_action,
    start_payment,
)
from events.payment.actions import describe_action
from events.payment.closing import close_at_provider
from events.payment.providers import ProviderDeclined, ProviderUnavailable, load_attempt, provider_for
from events.payment.queries import query_attempt
from events.types import Resources
from gateways.payment.provider import (
    ProviderError,
    ProviderRefused,
    Start,
)
from models import AttemptStatus, Order, Payment, PaymentAttempt, PaymentChannel

CLOSED_BEFORE_START = 3
"""How many attempts are closed for one start: others may start the same payment at the same time."""


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
    does not answer: the next query finds out what became of it. Raises ProviderDeclined when it refuses, and
    Invalid for a channel that the method does not have, NotOffered for one that is not connected any more.
    """
    await check_reach(resources, payment_id, start.channel)
    payment, attempt, is_new = await reserve_attempt(resources, payment_id, start.channel, by=by)
    if attempt.action_kind is not None:
        return StartedPayment(payment, attempt)
    try:
        if not is_new and await query_attempt(resources, attempt.id, by=by) is AttemptStatus.CAPTURED:
            return StartedPayment(*await load_attempt(resources, attempt.id))
        await start_at_provider(resources, payment, attempt, start, by=by)
    except (ProviderError, PaymentMismatch) as error:
        raise ProviderUnavailable(payment.method) from error
    except ProviderRefused as refusal:
        await fail_declined_attempt(resources, attempt, str(refusal), by=by)
        raise ProviderDeclined(payment.method, str(refusal)) from refusal
    return StartedPayment(*await load_attempt(resources, attempt.id))


async def check_reach(resources: Resources, payment_id: int, channel: PaymentChannel) -> None:
    """Refuse what can never begin, before anything that can be paid is closed for it."""
    async with resources.database.reads() as session:
        method = await find_payment_method(session, payment_id)
    if method is None or not method.has_provider:
        return
    provider = resources.payments.get(method)
    if provider is None:
        raise NotOffered(method, field=("id",))
    if channel not in provider.channels:
        raise Invalid("{method} cannot be used there.", method=method.value, field=("channel",))


async def reserve_attempt(
    resources: Resources, payment_id: int, channel: PaymentChannel, *, by: int
) -> tuple[Payment, PaymentAttempt, bool]:
    """The payment, its attempt through a channel, and whether that is a new one; others are closed first."""
    tries = 1
    while True:
        now = resources.clock()
        query_at = now + resources.settings.payments.query_interval
        try:
            async with resources.database.writes.begin() as session:
                attempt = await start_payment(
                    session, payment_id, channel=channel, query_at=query_at, cause=Cause(now, by)
                )
                payment = await session.get_one(Payment, payment_id)
        except AttemptUnderWay as other:
            if tries > CLOSED_BEFORE_START:
                raise ProviderUnavailable(other.method) from other
            _, attempt = await load_attempt(resources, other.attempt_id)
            await close_at_provider(resources, other.method, attempt, by=by)
            tries += 1
        else:
            resources.wake_relay()
            return payment, attempt, attempt.created_at == now


async def start_at_provider(
    resources: Resources, payment: Payment, attempt: PaymentAttempt, start: PaymentStart, *, by: int
) -> None:
    """Ask the provider to expect the money of an attempt, and keep how it is paid."""
    provider = provider_for(resources, payment.method, by=by)
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


async def fail_declined_attempt(
    resources: Resources, attempt: PaymentAttempt, reason: str, *, by: int
) -> None:
    """Fail an attempt that its provider does not start, unless that is because it has the money already."""
    with suppress(ProviderError, ProviderRefused, PaymentMismatch):
        if await query_attempt(resources, attempt.id, by=by) is AttemptStatus.CAPTURED:
            return
    async with resources.database.writes.begin() as session:
        await fail_attempt(session, attempt.id, reason=reason, cause=Cause(resources.clock()))
    resources.wake_relay()
