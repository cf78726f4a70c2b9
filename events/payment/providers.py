"""Reaching the provider of a payment, and what it is told of an attempt."""

from domain.errors import DomainError, ErrorCode
from events.payment.recorded import RecordedPayments
from events.types import Resources
from gateways.measured import MeasuredPayments
from gateways.payment.provider import Attempt, PaymentProvider, ProviderError
from models import Payment, PaymentAttempt, PaymentMethod


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


def provider_for(resources: Resources, method: PaymentMethod, *, by: int | None = None) -> PaymentProvider:
    """The provider of a method, for calls that `by` starts; ProviderError when none is connected."""
    provider = resources.payments.get(method)
    if provider is None:
        raise ProviderError(f"{method} is not connected")
    return RecordedPayments(MeasuredPayments(provider, resources.calls), resources, by)


async def load_attempt(resources: Resources, attempt_id: int) -> tuple[Payment, PaymentAttempt]:
    """An attempt with its payment, as they are now."""
    async with resources.database.reads() as session:
        attempt = await session.get_one(PaymentAttempt, attempt_id)
        return await session.get_one(Payment, attempt.payment_id), attempt


def describe_attempt(attempt: PaymentAttempt) -> Attempt:
    """An attempt as its provider is told of it."""
    return Attempt(attempt.reference, attempt.provider_reference, attempt.total)
