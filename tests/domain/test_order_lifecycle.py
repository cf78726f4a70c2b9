"""Changing an order after it was placed: cancelling lines, changing addresses, holding, notes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.order_editing.address import change_address
from domain.aftersales.rules import ClaimedUnits
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import (
    add_note,
    cancel_order,
    cancel_overdue_orders,
    hold_order,
    release_order,
)
from domain.payment import collect_cash, refund_everything
from events.shop import Shop
from models import (
    CurrencyCode,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    PaymentStatus,
    Refund,
    ShippingMethod,
)
from tests.factories.account import create_account
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    NOW,
    PAY_WITHIN,
    RECEIPT_AFTER,
    SANDBOX,
    a_variant,
    create_order,
    deliver_to,
    dispatch,
    events_of,
    pack,
    pay,
    payments_of,
)
from tests.factories.shipment import delivery_of
from tests.factories.stock import reserved_units


async def lines_of(session: AsyncSession, order: Order) -> list[OrderLine]:
    rows = await session.scalars(
        select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    )
    return list(rows)


async def cancel(session: AsyncSession, order: Order, *quantities: int) -> Order:
    """Units of each line, in the order of the lines."""
    lines = await lines_of(session, order)
    units_to_claim = [
        ClaimedUnits(line.id, units) for line, units in zip(lines, quantities, strict=False) if units
    ]
    return await cancel_lines(
        session, order.id, units_to_claim, reason="Too many.", receipt_after=RECEIPT_AFTER, cause=Cause(NOW)
    )


async def refunded_amount(session: AsyncSession, order: Order) -> int:
    return await session.scalar(select(func.sum(Refund.amount)).where(Refund.order_id == order.id)) or 0


async def test_what_is_cancelled_before_it_is_paid_is_not_due_any_more(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    order = await create_order(session, lines=[(variant, 3)], payments={SANDBOX: None, CASH: 9_900})
    await cancel(session, order, 1)
    amounts = [payment.amount for payment in await payments_of(session, order)]
    [line] = await lines_of(session, order)
    assert await reserved_units(session, variant) == 2
    assert await audit_books(session) == []
    await session.commit()

    assert (order.total_amount, order.cancelled_amount, amounts) == (19_800, 9_900, [13_200, 6_600])
    assert (line.quantity, line.cancelled, line.cancelled_amount) == (3, 1, 9_900)
    assert order.status is OrderStatus.PENDING


async def test_what_is_cancelled_after_it_was_paid_is_refunded(shop: Shop, session: AsyncSession) -> None:
    cheap = await a_variant(session, prices={CurrencyCode.CNY: 3_333})
    order = await create_order(session, lines=[(cheap, 3)])
    await pay(session, order)
    await cancel(session, order, 1)
    await cancel(session, order, 1)
    assert await refunded_amount(session, order) == 6_666
    assert await reserved_units(session, cheap) == 1
    assert await audit_books(session) == []
    await session.commit()

    assert (order.status, order.total_amount, order.cancelled_amount) == (OrderStatus.CONFIRMED, 9_999, 0)


async def test_open_payments_are_reduced_before_anything_is_refunded(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    order = await create_order(session, lines=[(variant, 3)], payments={SANDBOX: None, CASH: 5_000})
    await pay(session, order)
    await cancel(session, order, 1)
    sandbox, cash = await payments_of(session, order)
    assert await refunded_amount(session, order) == 4_900
    await dispatch(session, order)
    with pytest.raises(DomainError, match="Nothing is due in cash any more"):
        await collect_cash(session, cash.id, cash.total, cause=Cause(NOW, None))
    assert await audit_books(session) == []
    await session.commit()

    assert (cash.status, cash.amount, sandbox.amount) == (PaymentStatus.CLOSED, 0, 24_700)
    assert order.payment_status is OrderPaymentStatus.PAID


async def test_cancelling_all_that_is_left_cancels_the_order(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session)
    order = await create_order(session, lines=[(variant, 3)])
    await pay(session, order)
    await cancel(session, order, 1)
    await cancel(session, order, 2)
    await refund_everything(session, order, reason="cancelled", cause=Cause(NOW))
    assert await refunded_amount(session, order) == 29_700
    assert await reserved_units(session, variant) == 0
    assert await audit_books(session) == []
    await session.commit()

    assert order.status is OrderStatus.CANCELLED


async def test_the_fee_of_a_delivery_of_which_nothing_is_left_is_refunded(
    shop: Shop, session: AsyncSession
) -> None:
    near, far = await a_variant(session), await a_variant(session)
    deliveries = [
        deliver_to(HANGZHOU, [(near, 1)]),
        deliver_to(CHENGDU, [(far, 2)], method=ShippingMethod.EXPRESS),
    ]
    order = await create_order(session, lines=[(near, 1), (far, 2)], deliveries=deliveries)
    await pay(session, order)
    await cancel(session, order, 0, 1)
    assert await refunded_amount(session, order) == 9_900
    await cancel(session, order, 0, 1)
    assert await refunded_amount(session, order) == 2 * 9_900 + 1_800
    assert await audit_books(session) == []
    await session.commit()

    assert order.cancelled_shipping_amount == 1_800


async def test_what_is_packed_or_sent_is_not_cancelled(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await pack(session, order)
    before = order.version
    with pytest.raises(DomainError) as refused:
        await cancel(session, order, 1)
    assert await audit_books(session) == []
    await session.commit()

    assert refused.value.code is ErrorCode.NOT_ELIGIBLE
    assert (order.version, order.fulfilment_status) == (before, FulfilmentStatus.PACKING)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 997), st.lists(st.integers(1, 3), min_size=1, max_size=6))
async def test_however_it_is_divided_all_that_was_paid_is_refunded_and_no_more(
    shop: Shop, session: AsyncSession, price: int, cuts: list[int]
) -> None:
    variant = await a_variant(session, prices={CurrencyCode.CNY: price}, stock={"MAIN": 18})
    order = await create_order(session, lines=[(variant, sum(cuts))], payments={SANDBOX: None})
    await pay(session, order)
    for units in cuts:
        await cancel(session, order, units)
    await refund_everything(session, order, reason="cancelled", cause=Cause(NOW))
    assert await refunded_amount(session, order) == order.total_amount
    assert await audit_books(session) == []
    await session.commit()

    assert order.status is OrderStatus.CANCELLED


async def test_an_address_is_changed_to_one_that_costs_the_same(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    delivery = await delivery_of(session, order)
    ningbo = replace(HANGZHOU, city="宁波", district="鄞州")
    await change_address(
        session, delivery.id, ningbo, receipt_after=RECEIPT_AFTER, cause=Cause(NOW, order.account_id)
    )
    assert (await events_of(session, order))[-1] == "order.address_changed"
    abroad = replace(
        HANGZHOU,
        country_code="US",
        province="NY",
        city="New York",
        postal_code="10004",
        phone="212 555 0175",
    )
    with pytest.raises(DomainError) as refused:
        await change_address(session, delivery.id, abroad, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    assert await audit_books(session) == []
    await session.commit()

    assert (delivery.city, delivery.district, delivery.fee_amount) == ("宁波市", "鄞州区", 0)
    assert (refused.value.code, refused.value.field) == (ErrorCode.NOT_DELIVERABLE, ("address",))


async def test_the_address_of_a_packed_delivery_is_not_changed(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await pack(session, order)
    delivery = await delivery_of(session, order)
    with pytest.raises(DomainError, match="packed already"):
        await change_address(session, delivery.id, CHENGDU, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    await session.commit()

    assert delivery.city == "杭州市"


async def test_nothing_is_sent_and_nothing_falls_due_while_an_order_is_held(
    shop: Shop, session: AsyncSession
) -> None:
    late = NOW + PAY_WITHIN + timedelta(days=1)
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await hold_order(session, order.id, reason="Looks odd.", cause=Cause(NOW))
    with pytest.raises(DomainError, match="is held"):
        await pack(session, order)
    unpaid = await create_order(session)
    await hold_order(session, unpaid.id, reason="Looks odd.", cause=Cause(NOW))
    assert await cancel_overdue_orders(session, [unpaid.id], cause=Cause(late)) == 0
    await release_order(session, unpaid.id, cause=Cause(NOW))
    assert await cancel_overdue_orders(session, [unpaid.id], cause=Cause(late)) == 1
    await release_order(session, order.id, cause=Cause(NOW))
    await dispatch(session, order)
    with pytest.raises(DomainError, match="left already"):
        await hold_order(session, order.id, reason="Looks odd.", cause=Cause(NOW))
    assert await audit_books(session) == []
    await session.commit()

    assert (order.held_at, order.hold_reason) == (None, None)


async def test_a_held_order_can_be_cancelled(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    await hold_order(session, order.id, reason="Looks odd.", cause=Cause(NOW))
    await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    await session.commit()

    assert (order.status, order.held_at) == (OrderStatus.CANCELLED, None)


async def test_a_note_of_the_staff_is_no_event_of_the_order(shop: Shop, session: AsyncSession) -> None:
    author = await create_account(session)
    order = await create_order(session)
    before = order.version
    note = await add_note(session, order.id, text=" Called twice. ", cause=Cause(NOW, author.id))
    for text in ("  ", "x" * 2_001):
        with pytest.raises(DomainError) as refused:
            await add_note(session, order.id, text=text, cause=Cause(NOW, author.id))
        assert refused.value.field == ("text",)
    await session.commit()

    assert (note.text, note.author_id, order.version) == ("Called twice.", author.id, before)
