"""The record of calls to payment providers: written once, shown to staff, without secrets and people's data.

What is like the last one of the same kind about the same thing is counted in its row: whoever asks again and
again learns nothing new.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.payment.refund_reports import RENEWED_REFERENCE
from models import (
    Payment,
    PaymentAttempt,
    PaymentMethod,
    ProviderCall,
    ProviderCallKind,
    ProviderCallOutcome,
    Refund,
)
from text.withheld import withhold_secrets

COUNTED = frozenset(
    {
        ProviderCallKind.QUERY,
        ProviderCallKind.CLOSE,
        ProviderCallKind.QUERY_REFUND,
        ProviderCallKind.NOTICE,
    }
)
"""What changes nothing when it comes again; of the others only those without an answer are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSubject:
    """What a call was about: the reference of an attempt or of a refund, as the provider was told it."""

    attempt: str | None = None
    refund: str | None = None
    provider_attempt: str | None = None
    """The provider's name for the attempt, where it does not say ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCall:
    """A call that was made, or a notice that came, and what was said."""

    method: PaymentMethod
    kind: ProviderCallKind
    outcome: ProviderCallOutcome
    answer: str | None
    reason: str | None
    by: int | None
    milliseconds: int


async def record_provider_call(
    session: AsyncSession, subject: CallSubject, call: MadeCall, *, now: datetime
) -> bool:
    """Record a call about an attempt or a refund of the shop; False where it knows none of this name."""
    found = await find_subject(session, subject, call.method)
    if found is None:
        return False
    order_id, attempt_id, refund_id = found
    made = ProviderCall(
        order_id=order_id,
        attempt_id=attempt_id,
        refund_id=refund_id,
        method=call.method,
        kind=call.kind,
        outcome=call.outcome,
        answer=call.answer,
        reason=withhold_secrets(call.reason) if call.reason else None,
        actor_id=call.by,
        called_at=now,
        last_called_at=now,
        times=1,
        milliseconds=call.milliseconds,
    )
    last = await find_last_alike(session, made)
    if last is None:
        session.add(made)
        return True
    longest = case(
        (ProviderCall.milliseconds < made.milliseconds, made.milliseconds), else_=ProviderCall.milliseconds
    )
    await session.execute(
        update(ProviderCall)
        .where(ProviderCall.id == last.id)
        .values(times=ProviderCall.times + 1, last_called_at=now, milliseconds=longest)
    )
    return True


async def find_subject(
    session: AsyncSession, subject: CallSubject, method: PaymentMethod
) -> tuple[int, int | None, int | None] | None:
    """The order, and the attempt or refund of it, that a reference names."""
    if subject.refund is not None:
        renewed = RENEWED_REFERENCE.fullmatch(subject.refund)
        names = {subject.refund, renewed["reference"]} if renewed else {subject.refund}
        refund = await session.execute(
            select(Refund.order_id, Refund.id)
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Refund.reference.in_(names), Payment.method == method)
        )
        row = refund.first()
        return (row.order_id, None, row.id) if row else None
    if subject.attempt is None and subject.provider_attempt is None:
        return None
    named = (
        PaymentAttempt.reference == subject.attempt
        if subject.attempt is not None
        else PaymentAttempt.provider_reference == subject.provider_attempt
    )
    attempt = await session.execute(
        select(Payment.order_id, PaymentAttempt.id)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(named, Payment.method == method)
    )
    row = attempt.first()
    return (row.order_id, row.id, None) if row else None


async def find_last_alike(session: AsyncSession, made: ProviderCall) -> ProviderCall | None:
    """The last call of this kind about the same thing, where it says the same and may be counted."""
    if made.kind not in COUNTED and made.outcome is not ProviderCallOutcome.NO_ANSWER:
        return None
    about: InstrumentedAttribute[int | None] = (
        ProviderCall.attempt_id if made.refund_id is None else ProviderCall.refund_id
    )
    last = await session.scalar(
        select(ProviderCall)
        .where(about == (made.attempt_id or made.refund_id), ProviderCall.kind == made.kind)
        .order_by(ProviderCall.id.desc())
        .limit(1)
    )
    if last is None:
        return None
    same = (last.outcome, last.answer, last.reason, last.actor_id)
    return last if same == (made.outcome, made.answer, made.reason, made.actor_id) else None
