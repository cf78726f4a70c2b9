"""Requesting, settling, retrying and confirming refunds."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.ledger import net_sales
from domain.money import apportion
from domain.payment import (
    confirm_refund,
    fail_refund,
    refund_in_goodwill,
    request_refund,
    retry_refund,
    settle_refund,
)
from events.shop import Shop
from models import (
    CurrencyCode,
    LedgerAccount,
    Money,
    Order,
    OrderPaymentStatus,
    OrderStatus,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
)
from tests.factories.account import create_account
from tests.factories.order import (
    CASH,
    NOW,
    SANDBOX,
    create_order,
    deliver,
    events_of,
    payments_of,
)
from tests.given import ledger_balances

CNY = CurrencyCode.CNY
RETRY_AFTER = timedelta(minutes=5)


async def order_paid_two_ways(session: AsyncSession) -> Order:
    """A delivered order, paid in full: 59.00 by sandbox, 40.00 in cash."""
    order = await create_order(session, status=OrderStatus.CONFIRMED, payments={SANDBOX: None, CASH: 4_000})
    await deliver(session, order)
    return order


async def test_a_refund_is_apportioned_to_the_payments_of_the_order(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_paid_two_ways(session)
    refunds = await request_refund(session, order, Money(1_001, CNY), reason="a scratch", cause=Cause(NOW))
    sandbox, cash = await payments_of(session, order)

    assert [(refund.payment_id, refund.amount) for refund in refunds] == [
        (sandbox.id, 597),
        (cash.id, 404),
    ]
    assert (sandbox.refunded_amount, cash.refunded_amount) == (597, 404)
    assert await net_sales(session, order) == Money(8_899, CNY)
    await settle_refund(session, refunds[0].id, provider_reference="R", cause=Cause(NOW))
    assert order.payment_status is OrderPaymentStatus.PARTIALLY_REFUNDED
    await confirm_refund(session, refunds[1].id, reference="BANK-7", cause=Cause(NOW, None))
    assert await ledger_balances(session, order) == {
        LedgerAccount.SALES: -8_899,
        LedgerAccount.PROVIDER: 5_900 - 597,
        LedgerAccount.TILL: 4_000,
        LedgerAccount.BANK: -404,
    }
    assert await audit_books(session) == []
    await session.commit()


async def test_no_cent_is_refunded_twice(shop: Shop, session: AsyncSession) -> None:
    order = await order_paid_two_ways(session)
    await request_refund(session, order, Money(9_899, CNY), reason="nearly all", cause=Cause(NOW))
    with pytest.raises(DomainError, match=r"At most 0\.01 CNY can be refunded") as refused:
        await request_refund(session, order, Money(2, CNY), reason="more", cause=Cause(NOW))
    refunds = await session.scalar(select(func.count()).select_from(Refund))
    await session.commit()

    assert (refused.value.code, refunds) == (ErrorCode.LIMIT_REACHED, 2)


async def test_an_order_that_was_refunded_in_full_is_closed(shop: Shop, session: AsyncSession) -> None:
    order = await order_paid_two_ways(session)
    first, second = await request_refund(session, order, order.total, reason="all of it", cause=Cause(NOW))
    await settle_refund(session, first.id, provider_reference="R", cause=Cause(NOW))
    assert order.status is OrderStatus.CONFIRMED
    await confirm_refund(session, second.id, reference="BANK-7", cause=Cause(NOW, None))
    events = await events_of(session, order)
    assert await audit_books(session) == []
    await session.commit()

    assert (order.status, order.payment_status) == (OrderStatus.CLOSED, OrderPaymentStatus.REFUNDED)
    assert events[-3:] == ["refund.succeeded", "refund.succeeded", "order.closed"]


async def test_a_refused_refund_is_retried_after_longer_and_longer_and_then_left_to_staff(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    [refund] = await request_refund(session, order, Money(100, CNY), reason="x", cause=Cause(NOW))
    now, waits = NOW, []
    while True:
        await fail_refund(session, refund.id, reason="No.", retry_after=RETRY_AFTER, cause=Cause(now))
        if refund.retry_at is None:
            break
        waits.append(refund.retry_at - now)
        assert (
            await retry_refund(session, refund.id, cause=Cause(refund.retry_at - timedelta(seconds=1)))
            is False
        )
        now = refund.retry_at
        assert await retry_refund(session, refund.id, cause=Cause(now)) is True
    assert (refund.status, refund.attempts) == (RefundStatus.FAILED, 6)
    [payment] = await payments_of(session, order)
    assert (payment.refunded_amount, order.payment_status) == (100, OrderPaymentStatus.PAID)
    await confirm_refund(session, refund.id, reference="BANK-8", cause=Cause(now, None))
    assert await audit_books(session) == []
    await session.commit()

    assert [wait // RETRY_AFTER for wait in waits] == [1, 2, 4, 8, 16]
    assert (refund.status, refund.provider_reference) == (RefundStatus.SUCCEEDED, "BANK-8")


async def test_staff_do_not_transfer_what_the_provider_is_sending(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    [refund] = await request_refund(session, order, Money(100, CNY), reason="x", cause=Cause(NOW))
    with pytest.raises(DomainError, match="provider"):
        await confirm_refund(session, refund.id, reference="BANK-9", cause=Cause(NOW, None))
    posted = await session.scalar(select(func.count()).where(Posting.kind == PostingKind.REFUNDED))
    await session.commit()

    assert (refund.status, posted) == (RefundStatus.PENDING, 0)


async def test_a_refund_is_settled_once(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    [refund] = await request_refund(session, order, Money(100, CNY), reason="x", cause=Cause(NOW))
    await settle_refund(session, refund.id, provider_reference="R1", cause=Cause(NOW))
    version = order.version
    await settle_refund(session, refund.id, provider_reference="R2", cause=Cause(NOW))
    await session.commit()

    assert (refund.provider_reference, order.version) == ("R1", version)


async def test_a_goodwill_refund_with_the_same_key_happens_once(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    clerk = await create_account(session)
    for _ in range(2):
        await refund_in_goodwill(
            session, order.id, Money(500, CNY), reason="sorry", key="k", cause=Cause(NOW, clerk.id)
        )
    amounts = (await session.scalars(select(Refund.amount))).all()
    await session.commit()

    assert amounts == [500]


async def test_an_order_that_was_not_dispatched_is_cancelled_not_refunded_in_goodwill(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    clerk = await create_account(session)
    with pytest.raises(DomainError, match="cancel the order instead"):
        await refund_in_goodwill(
            session, order.id, order.total, reason="sorry", key="k", cause=Cause(NOW, clerk.id)
        )
    assert await session.scalar(select(func.count()).select_from(Refund)) == 0
    await session.commit()


@pytest.mark.parametrize("amount", [Money(0, CNY), Money(-5, CNY), Money(100, CurrencyCode.USD)])
async def test_a_refund_is_more_than_nothing_in_the_orders_currency(
    shop: Shop, session: AsyncSession, amount: Money
) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    with pytest.raises(DomainError) as refused:
        await request_refund(session, order, amount, reason="x", cause=Cause(NOW))
    assert await session.scalar(select(func.count()).select_from(Refund)) == 0
    await session.commit()

    assert (refused.value.code, refused.value.field) == (ErrorCode.INVALID, ("amount",))


@given(remaining=st.lists(st.integers(0, 10**9), min_size=1, max_size=5), part=st.fractions(0, 1))
def test_shares_of_a_refund_never_exceed_what_a_payment_has_left(remaining: list[int], part: float) -> None:
    amount = int(sum(remaining) * part)

    shares = apportion(amount, remaining)

    assert sum(shares) == amount
    assert all(0 <= share <= left for share, left in zip(shares, remaining, strict=True))
