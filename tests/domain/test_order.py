"""What may happen to an order once it is placed."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit
from domain.errors import DomainError, ErrorCode
from domain.order import assume_receipt, cancel_order, close_unpaid, confirm_receipt
from events.shop import Shop
from models import FulfilmentStatus, OrderPaymentStatus, OrderStatus, PaymentStatus, StockLevel, Variant
from tests.factories.cart import create_coupon
from tests.factories.order import (
    CASH,
    NOW,
    PAY_WITHIN,
    SANDBOX,
    a_variant,
    create_order,
    deliver,
    dispatch,
    events_of,
    pack,
    pay,
    payments_of,
)


async def reserved(session: AsyncSession, variant: Variant) -> int:
    return (
        await session.scalar(select(func.sum(StockLevel.reserved)).where(StockLevel.variant_id == variant.id))
        or 0
    )


async def test_a_cancelled_order_gives_everything_back(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await a_variant(session)
        coupon = await create_coupon(session, usage_limit=1)
        order = await create_order(session, lines=[(variant, 4)], coupon_code=coupon.code)
        await cancel_order(session, order.id, reason=" Too slow. ", now=NOW, by=order.account_id)
        await session.refresh(coupon)
        assert await reserved(session, variant) == 0
        assert await events_of(session, order) == ["order.placed", "order.cancelled"]
        assert await audit(session) == []

    assert (order.status, order.cancel_reason, order.cancelled_at) == (
        OrderStatus.CANCELLED,
        "Too slow.",
        NOW,
    )
    assert (order.payment_due_at, coupon.used) == (None, 0)


async def test_a_packed_order_can_still_be_cancelled(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.CONFIRMED)
        await pack(session, order)
        assert order.fulfilment_status is FulfilmentStatus.PACKING
        await cancel_order(session, order.id, reason="late", now=NOW)
        assert await audit(session) == []

    assert order.status is OrderStatus.CANCELLED


async def test_a_shipped_order_cannot_be_cancelled(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.CONFIRMED)
        await dispatch(session, order)
        before = order.version
        with pytest.raises(DomainError, match="already on its way") as refused:
            await cancel_order(session, order.id, reason="late", now=NOW)
        assert await audit(session) == []

    assert refused.value.code is ErrorCode.WRONG_STATE
    assert (order.status, order.version) == (OrderStatus.CONFIRMED, before)


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.COMPLETED])
async def test_what_has_ended_cannot_be_cancelled(shop: Shop, status: OrderStatus) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=status)
        before = order.version
        with pytest.raises(DomainError) as refused:
            await cancel_order(session, order.id, reason="late", now=NOW)

    assert refused.value.code is ErrorCode.WRONG_STATE
    assert (order.status, order.version) == (status, before)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
async def test_cancelling_needs_a_reason(shop: Shop, reason: str) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        with pytest.raises(DomainError) as refused:
            await cancel_order(session, order.id, reason=reason, now=NOW)

    assert refused.value.field == ("reason",)
    assert order.status is OrderStatus.PENDING


async def test_an_unpaid_order_is_closed_when_its_time_is_over_not_before(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await a_variant(session)
        order = await create_order(session, lines=[(variant, 1)])
        almost = NOW + PAY_WITHIN - timedelta(seconds=1)
        assert await close_unpaid(session, [order.id], now=almost) == 0
        assert order.status is OrderStatus.PENDING
        assert await close_unpaid(session, [order.id], now=NOW + PAY_WITHIN) == 1
        assert await close_unpaid(session, [order.id], now=NOW + PAY_WITHIN) == 0
        assert await reserved(session, variant) == 0

    assert (order.status, order.cancel_reason) == (OrderStatus.CANCELLED, "Not paid in time.")


async def test_a_paid_order_is_never_closed_for_want_of_money(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        await pay(session, order)
        assert await close_unpaid(session, [order.id], now=NOW + timedelta(days=9)) == 0

    assert (order.status, order.payment_due_at) == (OrderStatus.CONFIRMED, None)


async def test_receipt_is_confirmed_only_of_what_has_arrived(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.CONFIRMED)
        await dispatch(session, order)
        with pytest.raises(DomainError) as refused:
            await confirm_receipt(session, order.id, now=NOW)
        assert (refused.value.code, order.status) == (ErrorCode.WRONG_STATE, OrderStatus.CONFIRMED)
    async with shop.database.writes.begin() as session:
        other = await create_order(session, status=OrderStatus.CONFIRMED)
        await deliver(session, other)
        await confirm_receipt(session, other.id, now=NOW, by=other.account_id)

    assert (other.status, other.completed_at, other.receipt_due_at) == (OrderStatus.COMPLETED, NOW, None)


async def test_silence_confirms_a_receipt_after_ten_days(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.CONFIRMED)
        await deliver(session, order)
        ten_days = NOW + timedelta(days=10)
        assert await assume_receipt(session, order.id, now=ten_days - timedelta(seconds=1)) is False
        assert await assume_receipt(session, order.id, now=ten_days) is True

    assert (order.status, order.completed_at) == (OrderStatus.COMPLETED, ten_days)


async def test_an_order_is_confirmed_when_all_that_is_paid_in_advance_is_here(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await a_variant(session)
        order = await create_order(session, lines=[(variant, 1)], payments={SANDBOX: None, CASH: 4_000})
        assert order.status is OrderStatus.PENDING
        await pay(session, order)
        cash = next(payment for payment in await payments_of(session, order) if payment.method is CASH)

    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.PARTIALLY_PAID)
    assert cash.status is PaymentStatus.PENDING
