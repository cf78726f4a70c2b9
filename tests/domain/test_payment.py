"""Money on its way in and on its way back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit
from domain.errors import DomainError, ErrorCode
from domain.ledger import sold
from domain.money import apportion
from domain.order import cancel_order, lock_order
from domain.payment import (
    NotOurs,
    Outcome,
    capture_payment,
    close_payments,
    collect_cash,
    confirm_refund,
    fail_payment,
    fail_refund,
    refund_everything,
    refund_in_goodwill,
    request_refund,
    retry_refund,
    settle_payment,
    settle_refund,
    start_payment,
)
from events.shop import Shop
from models import (
    CurrencyCode,
    LedgerAccount,
    LedgerEntry,
    Money,
    Order,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentStatus,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
)
from tests.factories.account import create_account
from tests.factories.order import (
    CASH,
    NOW,
    PAY_WITHIN,
    SANDBOX,
    create_order,
    deliver,
    dispatch,
    events_of,
    pay,
    payments_of,
)

CNY = CurrencyCode.CNY
RETRY_AFTER = timedelta(minutes=5)


async def started(session: AsyncSession) -> tuple[Order, Payment]:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, now=NOW)
    return order, payment


async def two_legs(session: AsyncSession) -> Order:
    """Everything here: 59.00 by sandbox, 40.00 in cash."""
    order = await create_order(session, status=OrderStatus.CONFIRMED, payments={SANDBOX: None, CASH: 4_000})
    await deliver(session, order)
    return order


async def books(session: AsyncSession, order: Order) -> dict[LedgerAccount, int]:
    rows = await session.execute(
        select(LedgerEntry.account, func.sum(LedgerEntry.amount))
        .where(LedgerEntry.order_id == order.id)
        .group_by(LedgerEntry.account)
    )
    return {account: int(total) for account, total in rows if total}


async def test_a_payment_is_captured_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, payment = await started(session)
        await capture_payment(session, payment.id, now=NOW)
        version = order.version
        await capture_payment(session, payment.id, now=NOW + timedelta(minutes=1))
        assert await books(session, order) == {LedgerAccount.SALES: -9_900, LedgerAccount.PROVIDER: 9_900}
        assert await audit(session) == []

    assert (payment.status, payment.captured_amount, payment.captured_at) == (
        PaymentStatus.CAPTURED,
        9_900,
        NOW,
    )
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.PAID)
    assert order.version == version


async def test_a_payment_that_failed_can_be_started_again(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, payment = await started(session)
        await fail_payment(session, payment.id, reason="No money.", now=NOW)
        assert (payment.status, payment.failure, payment.query_at) == (
            PaymentStatus.FAILED,
            "No money.",
            None,
        )
        await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, now=NOW)
        assert (payment.status, payment.failure) == (PaymentStatus.STARTED, None)
        await capture_payment(session, payment.id, now=NOW)
        events = await events_of(session, order)

    assert events == [
        "order.placed",
        "payment.started",
        "payment.failed",
        "payment.started",
        "payment.captured",
        "order.confirmed",
    ]


async def test_starting_twice_is_starting_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, payment = await started(session)
        version = order.version
        await start_payment(session, payment.id, query_at=NOW + 2 * PAY_WITHIN, now=NOW)

    assert (order.version, payment.query_at) == (version, NOW + 2 * PAY_WITHIN)


async def test_what_is_captured_cannot_fail_any_more(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, payment = await started(session)
        await capture_payment(session, payment.id, now=NOW)
        version = order.version
        await fail_payment(session, payment.id, reason="late", now=NOW)

    assert (payment.status, payment.failure, order.version) == (PaymentStatus.CAPTURED, None, version)


async def test_cash_is_not_paid_in_advance(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, payments={CASH: None})
        [cash] = await payments_of(session, order)
        with pytest.raises(DomainError, match="cash at the door") as refused:
            await start_payment(session, cash.id, query_at=NOW, now=NOW)

    assert (refused.value.code, cash.status) == (ErrorCode.WRONG_STATE, PaymentStatus.PENDING)


async def test_after_its_time_an_order_cannot_be_paid_any_more(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        [payment] = await payments_of(session, order)
        with pytest.raises(DomainError, match="time to pay") as refused:
            await start_payment(session, payment.id, query_at=NOW, now=NOW + PAY_WITHIN)

    assert (refused.value.code, payment.status) == (ErrorCode.WRONG_STATE, PaymentStatus.PENDING)


async def test_money_that_comes_after_the_end_goes_back(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, payment = await started(session)
        await cancel_order(session, order.id, reason="late", now=NOW)
        await close_payments(session, order, now=NOW)
        assert payment.status is PaymentStatus.CLOSED
        await capture_payment(session, payment.id, now=NOW)
        [refund] = (await session.scalars(select(Refund))).all()
        assert (order.status, refund.amount, refund.status) == (
            OrderStatus.CANCELLED,
            9_900,
            RefundStatus.PENDING,
        )
        assert await refund_everything(session, order, reason="again", now=NOW) == []
        await settle_refund(session, refund.id, provider_reference="R", now=NOW)
        assert await books(session, order) == {}
        assert await audit(session) == []

    assert (order.status, order.payment_status) == (OrderStatus.CANCELLED, OrderPaymentStatus.REFUNDED)


async def test_a_paid_order_that_is_cancelled_owes_its_customer_until_the_refund(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.CONFIRMED)
        await cancel_order(session, order.id, reason="late", now=NOW)
        assert await books(session, order) == {LedgerAccount.CUSTOMER: -9_900, LedgerAccount.PROVIDER: 9_900}
        [refund] = await refund_everything(session, order, reason="cancelled", now=NOW)
        await settle_refund(session, refund.id, provider_reference="R", now=NOW)
        assert await books(session, order) == {}
        assert await audit(session) == []


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"reference": "T0-9"}, "unknown reference"),
        ({"order_number": "T0"}, "another order"),
        ({"amount": Money(9_899, CNY)}, "another amount"),
        ({"amount": Money(9_900, CurrencyCode.USD)}, "another amount"),
        ({"method": CASH}, "unknown reference"),
    ],
)
async def test_a_report_counts_only_when_every_fact_of_it_fits(
    shop: Shop, facts: dict[str, object], why: str
) -> None:
    async with shop.database.writes.begin() as session:
        order, payment = await started(session)
        said = {
            "method": SANDBOX,
            "reference": payment.reference,
            "order_number": order.number,
            "amount": payment.total,
        }
        with pytest.raises(NotOurs, match=why):
            await settle_payment(
                session,
                outcome=Outcome.CAPTURED,
                reason=None,
                now=NOW,
                **said | facts,  # type: ignore[arg-type]
            )
        assert payment.status is PaymentStatus.STARTED


async def test_cash_is_collected_in_full_and_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, payments={CASH: None})
        [cash] = await payments_of(session, order)
        with pytest.raises(DomainError, match="dispatched"):
            await collect_cash(session, cash.id, cash.total, now=NOW, by=None)
        await dispatch(session, order)
        with pytest.raises(DomainError) as refused:
            await collect_cash(session, cash.id, Money(9_800, CNY), now=NOW, by=None)
        assert (refused.value.code, refused.value.field) == (ErrorCode.AMOUNT_MISMATCH, ("amount",))
        assert (cash.status, order.payment_status) == (PaymentStatus.PENDING, OrderPaymentStatus.UNPAID)
        await collect_cash(session, cash.id, cash.total, now=NOW, by=None)
        with pytest.raises(DomainError, match="already"):
            await collect_cash(session, cash.id, cash.total, now=NOW, by=None)
        assert await books(session, order) == {LedgerAccount.SALES: -9_900, LedgerAccount.CASH: 9_900}
        assert await audit(session) == []

    assert (cash.captured_amount, order.payment_status) == (9_900, OrderPaymentStatus.PAID)


async def test_only_cash_is_collected(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        _, payment = await started(session)
        with pytest.raises(DomainError, match="not paid in cash"):
            await collect_cash(session, payment.id, payment.total, now=NOW, by=None)


async def test_a_refund_goes_back_over_the_roads_it_came_in_proportion(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await two_legs(session)
        refunds = await request_refund(session, order, Money(1_001, CNY), reason="a scratch", now=NOW)
        sandbox, cash = await payments_of(session, order)

        assert [(refund.payment_id, refund.amount) for refund in refunds] == [
            (sandbox.id, 597),
            (cash.id, 404),
        ]
        assert (sandbox.refunded_amount, cash.refunded_amount) == (597, 404)
        assert await sold(session, order) == Money(8_899, CNY)
        await settle_refund(session, refunds[0].id, provider_reference="R", now=NOW)
        assert order.payment_status is OrderPaymentStatus.PARTIALLY_REFUNDED
        await confirm_refund(session, refunds[1].id, reference="BANK-7", now=NOW, by=None)
        assert await books(session, order) == {
            LedgerAccount.SALES: -8_899,
            LedgerAccount.PROVIDER: 5_900 - 597,
            LedgerAccount.CASH: 4_000,
            LedgerAccount.BANK: -404,
        }
        assert await audit(session) == []


async def test_no_cent_is_promised_twice(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await two_legs(session)
        await request_refund(session, order, Money(9_899, CNY), reason="nearly all", now=NOW)
        with pytest.raises(DomainError, match=r"At most 0\.01 CNY can be refunded") as refused:
            await request_refund(session, order, Money(2, CNY), reason="more", now=NOW)
        refunds = await session.scalar(select(func.count()).select_from(Refund))

    assert (refused.value.code, refunds) == (ErrorCode.LIMIT_REACHED, 2)


async def test_an_order_that_was_refunded_in_full_is_closed(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await two_legs(session)
        first, second = await request_refund(session, order, order.total, reason="all of it", now=NOW)
        await settle_refund(session, first.id, provider_reference="R", now=NOW)
        assert order.status is OrderStatus.CONFIRMED
        await confirm_refund(session, second.id, reference="BANK-7", now=NOW, by=None)
        events = await events_of(session, order)
        assert await audit(session) == []

    assert (order.status, order.payment_status) == (OrderStatus.CLOSED, OrderPaymentStatus.REFUNDED)
    assert events[-3:] == ["refund.succeeded", "refund.succeeded", "order.closed"]


async def test_a_refused_refund_is_tried_again_later_and_later_and_then_left_to_people(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED)
        [refund] = await request_refund(session, order, Money(100, CNY), reason="x", now=NOW)
        now, waits = NOW, []
        while True:
            await fail_refund(session, refund.id, reason="No.", retry_after=RETRY_AFTER, now=now)
            if refund.retry_at is None:
                break
            waits.append(refund.retry_at - now)
            assert await retry_refund(session, refund.id, now=refund.retry_at - timedelta(seconds=1)) is False
            now = refund.retry_at
            assert await retry_refund(session, refund.id, now=now) is True
        assert (refund.status, refund.attempts) == (RefundStatus.FAILED, 6)
        [payment] = await payments_of(session, order)
        assert (payment.refunded_amount, order.payment_status) == (100, OrderPaymentStatus.PAID)
        await confirm_refund(session, refund.id, reference="BANK-8", now=now, by=None)
        assert await audit(session) == []

    assert [wait // RETRY_AFTER for wait in waits] == [1, 2, 4, 8, 16]
    assert (refund.status, refund.provider_reference) == (RefundStatus.SUCCEEDED, "BANK-8")


async def test_staff_do_not_transfer_what_the_provider_is_sending(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED)
        [refund] = await request_refund(session, order, Money(100, CNY), reason="x", now=NOW)
        with pytest.raises(DomainError, match="provider"):
            await confirm_refund(session, refund.id, reference="BANK-9", now=NOW, by=None)
        posted = await session.scalar(select(func.count()).where(Posting.kind == PostingKind.REFUNDED))

    assert (refund.status, posted) == (RefundStatus.PENDING, 0)


async def test_a_refund_is_settled_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED)
        [refund] = await request_refund(session, order, Money(100, CNY), reason="x", now=NOW)
        await settle_refund(session, refund.id, provider_reference="R1", now=NOW)
        version = order.version
        await settle_refund(session, refund.id, provider_reference="R2", now=NOW)

    assert (refund.provider_reference, order.version) == ("R1", version)


async def test_goodwill_has_a_key_and_happens_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED)
        clerk = await create_account(session)
        for _ in range(2):
            await refund_in_goodwill(
                session, order.id, Money(500, CNY), reason="sorry", key="k", now=NOW, by=clerk.id
            )
        amounts = (await session.scalars(select(Refund.amount))).all()

    assert amounts == [500]


async def test_what_has_not_left_is_cancelled_not_refunded_in_goodwill(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.CONFIRMED)
        clerk = await create_account(session)
        with pytest.raises(DomainError, match="cancel the order instead"):
            await refund_in_goodwill(
                session, order.id, order.total, reason="sorry", key="k", now=NOW, by=clerk.id
            )
        assert await session.scalar(select(func.count()).select_from(Refund)) == 0


@pytest.mark.parametrize("amount", [Money(0, CNY), Money(-5, CNY), Money(100, CurrencyCode.USD)])
async def test_a_refund_is_more_than_nothing_in_the_orders_currency(shop: Shop, amount: Money) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.COMPLETED)
        with pytest.raises(DomainError) as refused:
            await request_refund(session, order, amount, reason="x", now=NOW)
        assert await session.scalar(select(func.count()).select_from(Refund)) == 0

    assert (refused.value.code, refused.value.field) == (ErrorCode.INVALID, ("amount",))


async def test_an_audit_finds_what_does_not_agree(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        await pay(session, order)
        [payment] = await payments_of(session, order)
        assert await audit(session) == []
        payment.captured_amount -= 1
        order.payment_status = OrderPaymentStatus.REFUNDED
        await session.flush()
        wrong = await audit(session)

    assert [(each.rule, each.what, each.kept, each.found) for each in wrong] == [
        ("captured as posted", payment.reference, "9899", "9900"),
        ("payment status as the books say", order.number, "REFUNDED", "PAID"),
    ]


async def test_money_is_counted_under_the_lock_of_its_order(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, payment = await started(session)
        order.note = "changed, and not yet written"
        locked = await lock_order(session, order.id)

    assert (locked.note, payment.order_id) == ("changed, and not yet written", order.id)


@given(rooms=st.lists(st.integers(0, 10**9), min_size=1, max_size=5), part=st.fractions(0, 1))
def test_shares_of_a_refund_never_exceed_what_a_leg_has_left(rooms: list[int], part: float) -> None:
    amount = int(sum(rooms) * part)

    shares = apportion(amount, rooms)

    assert sum(shares) == amount
    assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))
