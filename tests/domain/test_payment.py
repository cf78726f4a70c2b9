"""Starting, capturing, failing and closing payments."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import cancel_order, lock_order
from domain.payment import (
    AttemptUnderWay,
    PaymentMismatch,
    capture_payment,
    close_attempt,
    close_payments,
    collect_cash,
    fail_attempt,
    refund_everything,
    settle_attempt,
    settle_refund,
    start_payment,
)
from domain.payment.attempts import find_newest_attempt
from events.shop import Shop
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    LedgerAccount,
    Money,
    Order,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from tests.factories.order import (
    CASH,
    NOW,
    PAY_WITHIN,
    SANDBOX,
    arrive,
    create_order,
    dispatch,
    events_of,
    pay,
    payments_of,
)
from tests.factories.payment import fail_newest_attempt
from tests.given import ledger_balances

CNY = CurrencyCode.CNY
RETRY_AFTER = timedelta(minutes=5)


async def start_new_payment(session: AsyncSession) -> tuple[Order, Payment]:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))
    return order, payment


async def test_a_payment_is_captured_once(shop: Shop, session: AsyncSession) -> None:
    order, payment = await start_new_payment(session)
    await capture_payment(session, payment.id, cause=Cause(NOW))
    version = order.version
    await capture_payment(session, payment.id, cause=Cause(NOW + timedelta(minutes=1)))
    assert await ledger_balances(session, order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.PROVIDER: 9_900,
    }
    assert await audit_books(session) == []
    await session.commit()

    assert (payment.status, payment.captured_amount, payment.captured_at) == (
        PaymentStatus.CAPTURED,
        9_900,
        NOW,
    )
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.PAID)
    assert order.version == version


async def test_a_payment_that_failed_can_be_started_again(shop: Shop, session: AsyncSession) -> None:
    order, payment = await start_new_payment(session)
    await fail_newest_attempt(session, payment, reason="No money.", cause=Cause(NOW))
    assert (payment.status, payment.failure) == (PaymentStatus.FAILED, "No money.")
    with pytest.raises(AttemptUnderWay) as declined:
        await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))
    await close_attempt(session, declined.value.attempt_id, confirmed=True, query_at=None, cause=Cause(NOW))
    await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))
    assert (payment.status, payment.failure) == (PaymentStatus.STARTED, None)
    await capture_payment(session, payment.id, cause=Cause(NOW))
    events = await events_of(session, order)
    await session.commit()

    assert events == [
        "order.placed",
        "payment.started",
        "payment.failed",
        "payment.started",
        "payment.captured",
        "order.confirmed",
    ]


async def test_a_late_refusal_fails_the_attempt_that_was_refused_and_no_later_one(
    session: AsyncSession,
) -> None:
    _, payment = await start_new_payment(session)
    first = await find_newest_attempt(session, payment)
    assert first
    await close_attempt(session, first.id, confirmed=True, query_at=None, cause=Cause(NOW))
    second = await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))

    await fail_attempt(session, first.id, reason="It is closed.", cause=Cause(NOW))

    assert (second.status, second.failure) == (PaymentAttemptStatus.STARTED, None)
    assert (payment.status, payment.failure) == (PaymentStatus.STARTED, None)


async def test_starting_twice_is_starting_once(shop: Shop, session: AsyncSession) -> None:
    order, payment = await start_new_payment(session)
    version = order.version
    again = await start_payment(session, payment.id, query_at=NOW + 2 * PAY_WITHIN, cause=Cause(NOW))
    await session.commit()

    assert (order.version, again.number, again.query_at) == (version, 1, NOW + 2 * PAY_WITHIN)


async def test_a_captured_payment_cannot_fail_any_more(shop: Shop, session: AsyncSession) -> None:
    order, payment = await start_new_payment(session)
    await capture_payment(session, payment.id, cause=Cause(NOW))
    version = order.version
    await fail_newest_attempt(session, payment, reason="late", cause=Cause(NOW))
    await session.commit()

    assert (payment.status, payment.failure, order.version) == (PaymentStatus.CAPTURED, None, version)


async def test_cash_is_not_paid_in_advance(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, payments={CASH: None})
    [cash] = await payments_of(session, order)
    with pytest.raises(DomainError, match="cash at the door") as refused:
        await start_payment(session, cash.id, query_at=NOW, cause=Cause(NOW))
    await session.commit()

    assert (refused.value.code, cash.status) == (ErrorCode.WRONG_STATE, PaymentStatus.PENDING)


async def test_an_order_cannot_be_paid_after_its_payment_is_due(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    with pytest.raises(DomainError, match="time to pay") as refused:
        await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW + PAY_WITHIN))
    await session.commit()

    assert (refused.value.code, payment.status) == (ErrorCode.WRONG_STATE, PaymentStatus.PENDING)


async def test_a_payment_that_arrives_after_the_order_has_ended_is_refunded(
    shop: Shop, session: AsyncSession
) -> None:
    order, payment = await start_new_payment(session)
    await cancel_order(session, order.id, reason="late", cause=Cause(NOW))
    await close_payments(session, order, cause=Cause(NOW))
    assert payment.status is PaymentStatus.CLOSED
    await capture_payment(session, payment.id, cause=Cause(NOW))
    [refund] = (await session.scalars(select(Refund))).all()
    assert (order.status, refund.amount, refund.status) == (
        OrderStatus.CANCELLED,
        9_900,
        RefundStatus.PENDING,
    )
    assert await refund_everything(session, order, reason="again", cause=Cause(NOW)) == []
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    assert await ledger_balances(session, order) == {}
    assert await audit_books(session) == []
    await session.commit()

    assert (order.status, order.payment_status) == (OrderStatus.CANCELLED, OrderPaymentStatus.REFUNDED)


async def test_a_paid_order_that_is_cancelled_owes_its_customer_until_the_refund(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await cancel_order(session, order.id, reason="late", cause=Cause(NOW))
    assert await ledger_balances(session, order) == {
        LedgerAccount.CUSTOMER: -9_900,
        LedgerAccount.PROVIDER: 9_900,
    }
    [refund] = await refund_everything(session, order, reason="cancelled", cause=Cause(NOW))
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    assert await ledger_balances(session, order) == {}
    assert await audit_books(session) == []
    await session.commit()


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"reference": "T0-9"}, "unknown reference"),
        ({"amount": Money(9_899, CNY)}, "another amount"),
        ({"amount": Money(9_900, CurrencyCode.USD)}, "another amount"),
        ({"amount": None}, "no amount"),
        ({"provider_reference": "P2"}, "another payment at the provider"),
    ],
)
async def test_a_report_counts_only_when_every_fact_of_it_fits(
    shop: Shop, session: AsyncSession, facts: dict[str, Any], why: str
) -> None:
    _, payment = await start_new_payment(session)
    [attempt] = (await session.scalars(select(PaymentAttempt))).all()
    attempt.provider_reference = "P1"
    fitting = AttemptReport(attempt.reference, "P1", AttemptStatus.CAPTURED, payment.total)
    with pytest.raises(PaymentMismatch, match=why):
        await settle_attempt(session, method=SANDBOX, report=replace(fitting, **facts), cause=Cause(NOW))
    with pytest.raises(PaymentMismatch, match="unknown reference"):
        await settle_attempt(session, method=CASH, report=fitting, cause=Cause(NOW))
    assert payment.status is PaymentStatus.STARTED
    await session.commit()


async def test_cash_is_collected_in_full_and_once(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, payments={CASH: None})
    [cash] = await payments_of(session, order)
    [parcel] = await dispatch(session, order)
    with pytest.raises(DomainError, match="Nothing of this has arrived yet"):
        await collect_cash(session, cash.id, cash.total, cause=Cause(NOW, None))
    await arrive(session, parcel)
    with pytest.raises(DomainError) as refused:
        await collect_cash(session, cash.id, Money(9_800, CNY), cause=Cause(NOW, None))
    assert (refused.value.code, refused.value.field) == (ErrorCode.AMOUNT_MISMATCH, ("amount",))
    assert (cash.status, order.payment_status) == (PaymentStatus.PENDING, OrderPaymentStatus.UNPAID)
    await collect_cash(session, cash.id, cash.total, cause=Cause(NOW, None))
    with pytest.raises(DomainError, match="already"):
        await collect_cash(session, cash.id, cash.total, cause=Cause(NOW, None))
    assert await ledger_balances(session, order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.TILL: 9_900,
    }
    assert await audit_books(session) == []
    await session.commit()

    assert (cash.captured_amount, order.payment_status) == (9_900, OrderPaymentStatus.PAID)


async def test_only_cash_is_collected(shop: Shop, session: AsyncSession) -> None:
    _, payment = await start_new_payment(session)
    with pytest.raises(DomainError, match="not paid in cash"):
        await collect_cash(session, payment.id, payment.total, cause=Cause(NOW, None))
    await session.commit()


async def test_an_audit_finds_what_does_not_agree(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    await pay(session, order)
    [payment] = await payments_of(session, order)
    assert await audit_books(session) == []
    payment.captured_amount -= 1
    order.payment_status = OrderPaymentStatus.REFUNDED
    await session.flush()
    wrong = await audit_books(session)
    await session.commit()

    assert [(each.rule, each.row, each.expected, each.found) for each in wrong] == [
        ("captured as posted", payment.reference, "9900", "9899"),
        ("money of attempts is known", payment.attempt_reference, "9900", "9899"),
        ("payment status as the books say", order.number, "PAID", "REFUNDED"),
    ]


async def test_locking_an_order_keeps_changes_that_are_not_written_yet(
    shop: Shop, session: AsyncSession
) -> None:
    order, payment = await start_new_payment(session)
    order.note = "changed, and not yet written"
    locked = await lock_order(session, order.id)
    await session.commit()

    assert (locked.note, payment.order_id) == ("changed, and not yet written", order.id)
