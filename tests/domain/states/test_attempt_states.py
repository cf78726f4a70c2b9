"""What may happen to attempts to pay, and what their money is for."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.order import cancel_order
from domain.payment import (
    AttemptUnderWay,
    close_attempt,
    close_payments,
    end_attempt,
    settle_attempt,
    settle_refund,
    start_payment,
)
from events.shop import Shop
from models import (
    AttemptReport,
    AttemptStatus,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentChannel,
    PaymentStatus,
    Refund,
)
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.order import NOW, PAY_WITHIN, SANDBOX, create_order, payments_of
from tests.given import ledger_balances

REPORTED = {
    "ACTION_NEEDED": AttemptStatus.ACTION_NEEDED,
    "PROCESSING": AttemptStatus.PROCESSING,
    "CAPTURED": AttemptStatus.CAPTURED,
    "DECLINED": AttemptStatus.DECLINED,
    "CLOSED": AttemptStatus.CLOSED,
}


async def report(session: AsyncSession, attempt: PaymentAttempt, status: AttemptStatus) -> None:
    content = AttemptReport(attempt.reference, None, status, attempt.total)
    await settle_attempt(session, method=SANDBOX, report=content, cause=Cause(NOW))


async def start(
    session: AsyncSession, payment: Payment, channel: PaymentChannel = PaymentChannel.PAGE
) -> PaymentAttempt:
    return await start_payment(
        session, payment.id, channel=channel, query_at=NOW + PAY_WITHIN, cause=Cause(NOW)
    )


async def close(session: AsyncSession, attempt: PaymentAttempt) -> None:
    later = NOW + timedelta(minutes=1)
    await close_attempt(session, attempt.id, confirmed=True, query_at=later, cause=Cause(NOW))


async def attempt_in_state(session: AsyncSession, state: str) -> PaymentAttempt:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    attempt = await start(session, payment)
    if state in REPORTED:
        await report(session, attempt, REPORTED[state])
    return attempt


ATTEMPT: Mapping[str, Command] = {
    "the provider has the money": lambda session, it: report(session, it, AttemptStatus.CAPTURED),
    "the provider wants something more": lambda session, it: report(session, it, AttemptStatus.ACTION_NEEDED),
    "the provider is on it": lambda session, it: report(session, it, AttemptStatus.PROCESSING),
    "the provider says no": lambda session, it: report(session, it, AttemptStatus.DECLINED),
    "the provider has closed it": lambda session, it: report(session, it, AttemptStatus.CLOSED),
    "the shop closes it": close,
    "its time is long over": lambda session, it: end_attempt(
        session, it.id, reason="Over.", cause=Cause(NOW)
    ),
}


@pytest.mark.parametrize("state", documented_outcomes("Attempts to pay"))
async def test_what_may_happen_to_an_attempt(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Attempts to pay", state, attempt_in_state, ATTEMPT)


def test_every_state_of_an_attempt_is_drawn() -> None:
    assert set(documented_outcomes("Attempts to pay")) == {each.value for each in PaymentAttemptStatus}


async def test_another_channel_waits_until_the_attempt_under_way_is_closed(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    first = await start(session, payment)
    with pytest.raises(AttemptUnderWay) as other:
        await start(session, payment, PaymentChannel.SCAN)
    assert other.value.attempt_id == first.id
    await close(session, first)
    second = await start(session, payment, PaymentChannel.SCAN)
    await session.commit()

    assert (second.number, second.channel, second.reference) == (
        2,
        PaymentChannel.SCAN,
        f"{order.number}_1_2",
    )
    assert (first.expires_at, second.expires_at) == (order.payment_due_at, order.payment_due_at)
    assert payment.status is PaymentStatus.STARTED


@pytest.mark.parametrize("first_pays_first", [True, False])
async def test_what_is_paid_twice_goes_back_by_itself(
    shop: Shop, session: AsyncSession, first_pays_first: bool
) -> None:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    first = await start(session, payment)
    await report(session, first, AttemptStatus.DECLINED)
    with pytest.raises(AttemptUnderWay):
        await start(session, payment)
    await close(session, first)
    second = await start(session, payment)
    for attempt in (first, second) if first_pays_first else (second, first):
        await report(session, attempt, AttemptStatus.CAPTURED)
        await report(session, attempt, AttemptStatus.CAPTURED)
    [refund] = (await session.scalars(select(Refund))).all()
    surplus = await session.get_one(Payment, refund.payment_id)
    kept = second if not first_pays_first else first
    assert (payment.attempt_reference, refund.amount) == (kept.reference, 9_900)
    assert surplus.attempt_reference == (first if kept is second else second).reference
    assert await audit_books(session) == []
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    assert await audit_books(session) == []
    balances = await ledger_balances(session, order)
    await session.commit()

    assert sorted(balances.values()) == [-9_900, 9_900]
    assert order.status is OrderStatus.CONFIRMED


async def test_what_is_paid_at_a_closed_attempt_of_a_cancelled_order_goes_back(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    attempt = await start(session, payment)
    await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    await close_payments(session, order, cause=Cause(NOW))
    await close(session, attempt)
    await report(session, attempt, AttemptStatus.CAPTURED)
    [refund] = (await session.scalars(select(Refund))).all()
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    assert await ledger_balances(session, order) == {}
    assert await audit_books(session) == []
    await session.commit()

    assert (order.status, order.payment_status) == (OrderStatus.CANCELLED, OrderPaymentStatus.REFUNDED)


async def test_an_audit_finds_money_of_an_attempt_that_no_order_knows(
    shop: Shop, session: AsyncSession
) -> None:
    attempt = await attempt_in_state(session, "CLOSED")
    assert await audit_books(session) == []
    attempt.status = PaymentAttemptStatus.CAPTURED
    await session.flush()
    [found] = await audit_books(session)
    attempt.status, attempt.reported = PaymentAttemptStatus.CLOSED, AttemptStatus.CAPTURED
    await session.flush()
    [reported] = await audit_books(session)
    await session.commit()

    assert (found.rule, found.row, found.expected, found.found) == (
        "money of attempts is known",
        attempt.reference,
        "9900",
        "0",
    )
    assert (reported.rule, reported.row) == ("money of attempts is known", attempt.reference)
