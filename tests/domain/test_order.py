"""The life of an order after it was placed."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import cancel_order, cancel_overdue_orders, confirm_due_receipt, confirm_receipt
from events.shop import Shop
from models import FulfilmentStatus, OrderPaymentStatus, OrderStatus, PaymentStatus
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
from tests.factories.stock import reserved_units


async def test_a_cancelled_order_gives_everything_back(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session)
    coupon = await create_coupon(session, usage_limit=1)
    order = await create_order(session, lines=[(variant, 4)], coupon_code=coupon.code)
    await cancel_order(session, order.id, reason=" Too slow. ", cause=Cause(NOW, order.account_id))
    await session.refresh(coupon)
    assert await reserved_units(session, variant) == 0
    assert await events_of(session, order) == ["order.placed", "order.cancelled"]
    assert await audit_books(session) == []
    await session.commit()

    assert (order.status, order.cancel_reason, order.cancelled_at) == (
        OrderStatus.CANCELLED,
        "Too slow.",
        NOW,
    )
    assert (order.payment_due_at, coupon.used) == (None, 0)


async def test_a_packed_order_can_still_be_cancelled(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await pack(session, order)
    assert order.fulfilment_status is FulfilmentStatus.PACKING
    await cancel_order(session, order.id, reason="late", cause=Cause(NOW))
    assert await audit_books(session) == []
    await session.commit()

    assert order.status is OrderStatus.CANCELLED


async def test_a_shipped_order_cannot_be_cancelled(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await dispatch(session, order)
    before = order.version
    with pytest.raises(DomainError, match="already on its way") as refused:
        await cancel_order(session, order.id, reason="late", cause=Cause(NOW))
    assert await audit_books(session) == []
    await session.commit()

    assert refused.value.code is ErrorCode.WRONG_STATE
    assert (order.status, order.version) == (OrderStatus.CONFIRMED, before)


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.COMPLETED])
async def test_what_has_ended_cannot_be_cancelled(
    shop: Shop, session: AsyncSession, status: OrderStatus
) -> None:
    order = await create_order(session, status=status)
    before = order.version
    with pytest.raises(DomainError) as refused:
        await cancel_order(session, order.id, reason="late", cause=Cause(NOW))
    await session.commit()

    assert refused.value.code is ErrorCode.WRONG_STATE
    assert (order.status, order.version) == (status, before)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
async def test_cancelling_needs_a_reason(shop: Shop, session: AsyncSession, reason: str) -> None:
    order = await create_order(session)
    with pytest.raises(DomainError) as refused:
        await cancel_order(session, order.id, reason=reason, cause=Cause(NOW))
    await session.commit()

    assert refused.value.field == ("reason",)
    assert order.status is OrderStatus.PENDING


async def test_an_unpaid_order_is_cancelled_when_its_time_is_over_not_before(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    order = await create_order(session, lines=[(variant, 1)])
    almost = NOW + PAY_WITHIN - timedelta(seconds=1)
    assert await cancel_overdue_orders(session, [order.id], cause=Cause(almost)) == 0
    assert order.status is OrderStatus.PENDING
    assert await cancel_overdue_orders(session, [order.id], cause=Cause(NOW + PAY_WITHIN)) == 1
    assert await cancel_overdue_orders(session, [order.id], cause=Cause(NOW + PAY_WITHIN)) == 0
    assert await reserved_units(session, variant) == 0
    await session.commit()

    assert (order.status, order.cancel_reason) == (OrderStatus.CANCELLED, "Not paid in time.")


async def test_a_paid_order_is_never_cancelled_as_unpaid(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    await pay(session, order)
    assert await cancel_overdue_orders(session, [order.id], cause=Cause(NOW + timedelta(days=9))) == 0
    await session.commit()

    assert (order.status, order.payment_due_at) == (OrderStatus.CONFIRMED, None)


async def test_receipt_is_confirmed_only_of_what_has_arrived(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await dispatch(session, order)
    with pytest.raises(DomainError) as refused:
        await confirm_receipt(session, order.id, cause=Cause(NOW))
    assert (refused.value.code, order.status) == (ErrorCode.WRONG_STATE, OrderStatus.CONFIRMED)
    await session.commit()
    other = await create_order(session, status=OrderStatus.CONFIRMED)
    await deliver(session, other)
    await confirm_receipt(session, other.id, cause=Cause(NOW, other.account_id))
    await session.commit()

    assert (other.status, other.completed_at, other.receipt_due_at) == (OrderStatus.COMPLETED, NOW, None)


async def test_a_receipt_is_confirmed_automatically_after_ten_days(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await deliver(session, order)
    ten_days = NOW + timedelta(days=10)
    assert await confirm_due_receipt(session, order.id, cause=Cause(ten_days - timedelta(seconds=1))) is False
    assert await confirm_due_receipt(session, order.id, cause=Cause(ten_days)) is True
    await session.commit()

    assert (order.status, order.completed_at) == (OrderStatus.COMPLETED, ten_days)


async def test_an_order_is_confirmed_when_all_payments_in_advance_have_arrived(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    order = await create_order(session, lines=[(variant, 1)], payments={SANDBOX: None, CASH: 4_000})
    assert order.status is OrderStatus.PENDING
    await pay(session, order)
    cash = next(payment for payment in await payments_of(session, order) if payment.method is CASH)
    await session.commit()

    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.PARTIALLY_PAID)
    assert cash.status is PaymentStatus.PENDING
