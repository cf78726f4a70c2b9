"""Calls to payment providers are recorded: each after it was made, in a short transaction of its own.

Recording never fails what it records: where the database does not answer, the log has it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import perf_counter

import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.payment.provider_calls import CallSubject, MadeCall, record_provider_call
from events.payment.actions import describe_action
from events.types import Resources
from gateways.payment.provider import (
    Attempt,
    Closed,
    DisputeNotice,
    Notice,
    NoticeAnswer,
    NoticeRequest,
    NotYetThere,
    Paid,
    PaymentNotice,
    PaymentProvider,
    ProviderError,
    ProviderNotCalled,
    ProviderRefused,
    RefundNotice,
    RefundStart,
    Start,
    Started,
    Verdict,
)
from models import (
    AttemptReport,
    CurrencyCode,
    PaymentChannel,
    PaymentMethod,
    ProviderCallKind,
    ProviderCallOutcome,
    RefundReport,
)
from text.withheld import withhold_secrets

log = structlog.get_logger()

RECORD_SECONDS = 2.0
"""How long recording a call may take: whoever made it waits for that."""

MILLISECONDS = 1_000

NOBODY_WAITED = "nobody waited for the answer"


@dataclass(slots=True)
class GivenAnswer:
    """What a provider has answered to a call, to be filled in by who made it."""

    answer: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedPayments:
    """A payment provider whose calls are recorded."""

    provider: PaymentProvider
    resources: Resources
    by: int | None
    """The account that has started the calls; None for those that fell due."""

    @property
    def method(self) -> PaymentMethod:
        return self.provider.method

    @property
    def channels(self) -> frozenset[PaymentChannel]:
        return self.provider.channels

    @property
    def currencies(self) -> frozenset[CurrencyCode]:
        return self.provider.currencies

    async def start(self, start: Start) -> Started:
        async with self.record(ProviderCallKind.START, CallSubject(attempt=start.reference)) as given:
            started = await self.provider.start(start)
            given.answer = describe_action(started.action)[0].value
            return started

    async def query(self, attempt: Attempt) -> AttemptReport:
        async with self.record(ProviderCallKind.QUERY, CallSubject(attempt=attempt.reference)) as given:
            report = await self.provider.query(attempt)
            given.answer, given.reason = report.status.value, report.reason
            return report

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        async with self.record(ProviderCallKind.CLOSE, CallSubject(attempt=attempt.reference)) as given:
            outcome = await self.provider.close(attempt)
            given.answer = describe_closing(outcome)
            return outcome

    async def refund(self, refund: RefundStart) -> RefundReport:
        async with self.record(ProviderCallKind.REFUND, CallSubject(refund=refund.reference)) as given:
            report = await self.provider.refund(refund)
            given.answer, given.reason = report.outcome.value, report.reason
            return report

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        async with self.record(ProviderCallKind.QUERY_REFUND, CallSubject(refund=refund.reference)) as given:
            report = await self.provider.query_refund(refund, provider_reference)
            given.answer, given.reason = report.outcome.value, report.reason
            return report

    async def read(self, request: NoticeRequest) -> Notice:
        return await self.provider.read(request)

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        return self.provider.answer(verdict)

    async def check(self) -> Sequence[str]:
        return await self.provider.check()

    @asynccontextmanager
    async def record(self, kind: ProviderCallKind, subject: CallSubject) -> AsyncIterator[GivenAnswer]:
        """Record the block as a call, whatever comes of it; nothing where it was not made at all."""
        given, began = GivenAnswer(), perf_counter()
        call = MadeCall(
            method=self.method,
            kind=kind,
            outcome=ProviderCallOutcome.NO_ANSWER,
            answer=None,
            reason=None,
            by=self.by,
            milliseconds=0,
        )
        made = True
        try:
            yield given
            call = replace(
                call, outcome=ProviderCallOutcome.ANSWERED, answer=given.answer, reason=given.reason
            )
        except ProviderNotCalled:
            made = False
            raise
        except ProviderRefused as refusal:
            call = replace(call, outcome=ProviderCallOutcome.REFUSED, reason=str(refusal))
            raise
        except ProviderError as error:
            call = replace(call, reason=str(error))
            raise
        except asyncio.CancelledError:
            call = replace(call, reason=NOBODY_WAITED)
            raise
        except Exception as error:
            call = replace(call, reason=type(error).__name__)
            raise
        finally:
            if made:
                milliseconds = round((perf_counter() - began) * MILLISECONDS)
                await store_call(self.resources, subject, replace(call, milliseconds=milliseconds))


async def record_notice(
    resources: Resources,
    method: PaymentMethod,
    notice: PaymentNotice | RefundNotice | DisputeNotice,
    *,
    refusal: str | None = None,
) -> None:
    """Record a genuine notice, taken or refused, about something that the shop knows."""
    subject, answer, reason = describe_notice(notice)
    call = MadeCall(
        method=method,
        kind=ProviderCallKind.NOTICE,
        outcome=ProviderCallOutcome.REFUSED if refusal else ProviderCallOutcome.ANSWERED,
        answer=answer,
        reason=refusal or reason,
        by=None,
        milliseconds=0,
    )
    await store_call(resources, subject, call)


def describe_notice(
    notice: PaymentNotice | RefundNotice | DisputeNotice,
) -> tuple[CallSubject, str, str | None]:
    """What a notice is about, what it says, and why, where the provider gives a reason.

    The reason of a dispute stands with the dispute: it may be the customer's own words.
    """
    match notice:
        case PaymentNotice(report=payment):
            return CallSubject(attempt=payment.reference), payment.status.value, payment.reason
        case RefundNotice(report=refund):
            return CallSubject(refund=refund.reference), refund.outcome.value, refund.reason
        case DisputeNotice(report=dispute):
            subject = CallSubject(
                attempt=dispute.attempt_reference, provider_attempt=dispute.attempt_provider_reference
            )
            return subject, dispute.status.value, None


def describe_closing(outcome: Closed | Paid | NotYetThere) -> str:
    match outcome:
        case Closed():
            return "CLOSED"
        case Paid():
            return "PAID"
        case NotYetThere():
            return "NOT_YET_THERE"


async def store_call(resources: Resources, subject: CallSubject, call: MadeCall) -> None:
    """Write a call down; the log has what the database does not take in time."""
    stored = False
    try:
        async with asyncio.timeout(RECORD_SECONDS), resources.database.writes.begin() as session:
            known = await record_provider_call(session, subject, call, now=resources.clock())
        stored = known
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("payment.call_not_written", error=type(error).__name__)
    finally:
        if not stored:
            log.warning(
                "payment.call_not_recorded",
                provider=call.method,
                call=call.kind,
                reference=subject.refund or subject.attempt or subject.provider_attempt,
                outcome=call.outcome,
                answer=call.answer,
                reason=withhold_secrets(call.reason) if call.reason else None,
                milliseconds=call.milliseconds,
            )
