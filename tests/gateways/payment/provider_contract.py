"""The rules every payment provider keeps, tested against its own server in a process of its own.

A provider's test module has `class TestX(ProviderContract)` and a fixture `desk` with its ProviderDesk.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import uuid4

import pytest

from gateways.payment.provider import (
    Attempt,
    Closed,
    NoticeRefused,
    NoticeRequest,
    NotYetThere,
    Paid,
    PaymentNotice,
    PaymentProvider,
    ProviderError,
    ProviderRefused,
    RefundStart,
    Start,
)
from models import AttemptStatus, Money, PaymentChannel, RefundOutcome

LIFETIME = timedelta(minutes=30)


class Fault(StrEnum):
    """What the server does wrong with its next answer."""

    ACT_THEN_HANG = "ACT_THEN_HANG"
    """It does what it was asked and never answers: the client's time-out ends the call."""
    SERVER_ERROR = "SERVER_ERROR"
    """It does nothing and answers 500."""
    NONSENSE = "NONSENSE"
    """It does what it was asked and answers what nobody can read."""
    WRONG_SIGNATURE = "WRONG_SIGNATURE"
    """It does what it was asked and its answer is signed by somebody else, or has no signature."""


class ProviderDesk(Protocol):
    """A provider connected to its server, and what the customer and the provider do there.

    The provider's calls have a time-out of about a second. `amount` is what attempts of the tests ask for.
    """

    @property
    def provider(self) -> PaymentProvider: ...
    @property
    def amount(self) -> Money: ...
    @property
    def channels(self) -> frozenset[PaymentChannel]:
        """The channels that payments are tested over."""

    @property
    def calling_channel(self) -> PaymentChannel:
        """A channel whose start calls the provider."""

    @property
    def close_of_unknown(self) -> type[Closed | NotYetThere]:
        """What closing answers where the provider knows no such attempt."""

    @property
    def faults(self) -> frozenset[Fault]:
        """The faults that this protocol lets the client see; ACT_THEN_HANG is always one."""

    async def meet(self, attempt: Attempt) -> None:
        """The customer opens what was started and does not pay yet; nothing where that is no step."""

    async def pay(self, attempt: Attempt) -> None:
        """The customer pays all of it."""

    async def settle_refund(self, reference: str) -> None:
        """The provider finishes a refund that is pending; nothing where it was finished at once."""

    async def captured(self, attempt: Attempt) -> int:
        """Minor units captured for the attempt by the server's own book."""

    async def refunded(self, attempt: Attempt) -> int:
        """Minor units refunded of the attempt by the server's own book."""

    async def break_next(self, fault: Fault) -> None:
        """The next call to the provider meets the fault, once."""

    async def payment_notice(self, attempt: Attempt) -> NoticeRequest:
        """The notice of the captured payment as it is sent now; each call is one more sending of the same."""

    def forge(self, notice: NoticeRequest) -> NoticeRequest:
        """The same notice signed by a stranger, everything else as the provider does it."""


def new_start(desk: ProviderDesk, channel: PaymentChannel, *, reference: str | None = None) -> Start:
    now = datetime.now(UTC)
    return Start(
        reference=reference or f"A{uuid4().hex[:24]}",
        order_number="2026111100001",
        amount=desk.amount,
        subject="Order 2026111100001",
        channel=channel,
        starts_at=now,
        expires_at=now + LIFETIME,
        return_url="https://shop.example/orders/1",
        payer_address="203.0.113.7",
        payer_id="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" if channel is PaymentChannel.IN_PROVIDER_APP else None,
    )


async def begin(desk: ProviderDesk, channel: PaymentChannel | None = None) -> Attempt:
    """A started attempt."""
    start = new_start(desk, channel or desk.calling_channel)
    started = await desk.provider.start(start)
    return Attempt(start.reference, started.provider_reference, start.amount)


async def begin_paid(desk: ProviderDesk) -> Attempt:
    """A captured attempt with the provider's reference."""
    attempt = await begin(desk)
    await desk.pay(attempt)
    report = await desk.provider.query(attempt)
    assert report.status is AttemptStatus.CAPTURED
    return replace(attempt, provider_reference=report.provider_reference)


def part_of(attempt: Attempt, minor: int, reference: str | None = None) -> RefundStart:
    amount = Money(minor, attempt.amount.currency)
    return RefundStart(reference or f"R{uuid4().hex[:24]}", attempt, amount, "Returned goods")


class ProviderContract:
    """The rules; `desk` is a fixture of the module that has the subclass."""

    async def test_what_a_customer_has_paid_is_captured_over_every_channel(self, desk: ProviderDesk) -> None:
        for channel in sorted(desk.channels):
            attempt = await begin(desk, channel)
            before = await desk.provider.query(attempt)
            await desk.pay(attempt)

            report = await desk.provider.query(attempt)

            assert before.status in (AttemptStatus.WAITING, AttemptStatus.UNKNOWN), channel
            assert report.reference == attempt.reference
            assert (report.status, report.amount) == (AttemptStatus.CAPTURED, desk.amount), channel
            assert report.provider_reference
            assert await desk.captured(attempt) == desk.amount.minor

    async def test_the_same_attempt_started_twice_is_one(self, desk: ProviderDesk) -> None:
        start = new_start(desk, desk.calling_channel)

        first, second = await desk.provider.start(start), await desk.provider.start(start)

        attempt = Attempt(start.reference, second.provider_reference, start.amount)
        await desk.pay(attempt)
        assert first.provider_reference == second.provider_reference
        assert await desk.captured(attempt) == desk.amount.minor

    async def test_an_attempt_that_is_closed_before_it_was_paid_cannot_be_paid(
        self, desk: ProviderDesk
    ) -> None:
        attempt = await begin(desk)
        await desk.meet(attempt)

        assert await desk.provider.close(attempt) == Closed()

        assert (await desk.provider.query(attempt)).status is AttemptStatus.CLOSED
        await desk.pay(attempt)
        assert await desk.captured(attempt) == 0
        assert await desk.provider.close(attempt) == Closed()

    async def test_closing_what_was_paid_answers_what_was_paid(self, desk: ProviderDesk) -> None:
        attempt = await begin_paid(desk)

        closing = await desk.provider.close(attempt)

        assert isinstance(closing, Paid)
        assert (closing.report.status, closing.report.amount) == (AttemptStatus.CAPTURED, desk.amount)
        assert await desk.captured(attempt) == desk.amount.minor

    async def test_what_the_provider_does_not_know_is_unknown_and_not_an_error(
        self, desk: ProviderDesk
    ) -> None:
        attempt = Attempt(f"A{uuid4().hex[:24]}", None, desk.amount)

        assert (await desk.provider.query(attempt)).status is AttemptStatus.UNKNOWN
        assert isinstance(await desk.provider.close(attempt), desk.close_of_unknown)
        assert await desk.captured(attempt) == 0

    async def test_a_refund_that_is_asked_for_twice_gives_back_once(self, desk: ProviderDesk) -> None:
        attempt = await begin_paid(desk)
        refund = part_of(attempt, 300)

        reports = [await desk.provider.refund(refund) for _ in range(2)]
        await desk.settle_refund(refund.reference)
        reports.append(await desk.provider.refund(refund))
        last = await desk.provider.query_refund(refund, reports[0].provider_reference)

        done = (RefundOutcome.PENDING, RefundOutcome.SUCCEEDED)
        assert all(report.reference == refund.reference for report in reports)
        assert all(report.outcome in done for report in reports)
        assert (last.outcome, last.amount) == (RefundOutcome.SUCCEEDED, refund.amount)
        assert await desk.refunded(attempt) == 300

    async def test_two_refunds_of_one_attempt_add_up(self, desk: ProviderDesk) -> None:
        attempt = await begin_paid(desk)
        first, rest = part_of(attempt, 300), part_of(attempt, desk.amount.minor - 300)

        for refund in (first, rest):
            report = await desk.provider.refund(refund)
            await desk.settle_refund(refund.reference)
            last = await desk.provider.query_refund(refund, report.provider_reference)
            assert (last.outcome, last.amount) == (RefundOutcome.SUCCEEDED, refund.amount)

        assert await desk.refunded(attempt) == desk.amount.minor

    async def test_a_refund_of_more_than_was_paid_is_refused_and_gives_back_nothing(
        self, desk: ProviderDesk
    ) -> None:
        attempt = await begin_paid(desk)

        with pytest.raises(ProviderRefused):
            await desk.provider.refund(part_of(attempt, desk.amount.minor + 1))

        assert await desk.refunded(attempt) == 0

    async def test_a_refund_nobody_asked_for_is_unknown(self, desk: ProviderDesk) -> None:
        attempt = await begin_paid(desk)

        report = await desk.provider.query_refund(part_of(attempt, 300), None)

        assert report.outcome is RefundOutcome.UNKNOWN

    async def test_a_notice_tells_what_was_paid_and_has_one_id_however_often_it_comes(
        self, desk: ProviderDesk
    ) -> None:
        attempt = await begin_paid(desk)

        first, second = [await desk.provider.read(await desk.payment_notice(attempt)) for _ in range(2)]

        assert isinstance(first, PaymentNotice)
        assert isinstance(second, PaymentNotice)
        assert first.notice_id == second.notice_id
        assert (first.report.reference, first.report.amount) == (attempt.reference, desk.amount)
        assert first.report.status is AttemptStatus.CAPTURED
        assert first.report.provider_reference == attempt.provider_reference

    async def test_a_forged_notice_is_refused(self, desk: ProviderDesk) -> None:
        attempt = await begin_paid(desk)
        notice = await desk.payment_notice(attempt)

        for forged in (desk.forge(notice), replace(notice, body=b""), replace(notice, body=notice.body[:-1])):
            with pytest.raises(NoticeRefused):
                await desk.provider.read(forged)

    async def test_a_start_that_timed_out_after_it_was_done_is_settled_by_asking(
        self, desk: ProviderDesk
    ) -> None:
        start = new_start(desk, desk.calling_channel)
        attempt = Attempt(start.reference, None, start.amount)
        await desk.break_next(Fault.ACT_THEN_HANG)

        with pytest.raises(ProviderError):
            await desk.provider.start(start)

        again = await desk.provider.start(start)
        attempt = replace(attempt, provider_reference=again.provider_reference)
        await desk.pay(attempt)
        assert (await desk.provider.query(attempt)).status is AttemptStatus.CAPTURED
        assert await desk.captured(attempt) == desk.amount.minor

    async def test_a_refund_that_timed_out_after_it_was_done_is_settled_by_asking(
        self, desk: ProviderDesk
    ) -> None:
        attempt = await begin_paid(desk)
        refund = part_of(attempt, 300)
        await desk.break_next(Fault.ACT_THEN_HANG)

        with pytest.raises(ProviderError):
            await desk.provider.refund(refund)

        await desk.settle_refund(refund.reference)
        report = await desk.provider.query_refund(refund, None)
        assert (report.outcome, report.amount) == (RefundOutcome.SUCCEEDED, refund.amount)
        assert await desk.refunded(attempt) == 300

    async def test_an_answer_that_cannot_be_trusted_leaves_the_outcome_open(self, desk: ProviderDesk) -> None:
        attempt = await begin_paid(desk)

        for fault in sorted(desk.faults):
            await desk.break_next(fault)
            with pytest.raises(ProviderError):
                await desk.provider.query(attempt)
            assert (await desk.provider.query(attempt)).status is AttemptStatus.CAPTURED, fault

    async def test_keys_that_fit_have_no_problem(self, desk: ProviderDesk) -> None:
        assert await desk.provider.check() == []
