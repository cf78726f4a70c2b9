"""The payment methods of what is unpaid: cash and payments in advance take each other's place."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.payments import change_payments, return_to_cash
from domain.cause import Cause
from domain.errors import DomainError, LimitReached, WrongState
from domain.money import apportion
from domain.order import PlannedPayment
from domain.payment import capture_payment, start_payment
from domain.shipment import dispatch_shipment
from events.order import UNPAID_CHANGES
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    CurrencyCode,
    Order,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
    Refund,
    Shipment,
)
from tests.factories.order import (
    CASH,
    NOW,
    PAY_WITHIN,
    SANDBOX,
    TERMS,
    a_variant,
    create_order,
    deliver,
    dispatch,
    pack,
    payments_of,
)
from tests.factories.payment import fail_newest_attempt

pytestmark = pytest.mark.usefixtures("audit_at_end")

LATE = Cause(NOW + PAY_WITHIN)


async def divide(session: AsyncSession, order: Order, **parts: int) -> None:
    planned = [PlannedPayment(PaymentMethod[name], order.money(amount)) for name, amount in parts.items()]
    await change_payments(session, order.id, planned, TERMS, cause=Cause(NOW, order.account_id))


async def divide_evenly(session: AsyncSession, order: Order, count: int, *, limit: int = 30) -> None:
    amounts = apportion(order.total_amount, [1] * count)
    planned = [PlannedPayment(SANDBOX, order.money(amount)) for amount in amounts]
    terms = replace(TERMS, payments_limit=limit)
    await change_payments(session, order.id, planned, terms, cause=Cause(NOW, order.account_id))


async def shown(session: AsyncSession, order: Order) -> list[tuple[PaymentMethod, int, PaymentStatus]]:
    payments = await payments_of(session, order)
    return [(each.method, each.amount, each.status) for each in payments if each.amount]


async def hand_to_carrier(session: AsyncSession, parcel: Shipment) -> None:
    await dispatch_shipment(
        session, parcel.id, carrier=SIMULATED_CARRIER, tracking_number="SIM-1", cause=Cause(NOW)
    )


async def test_part_of_the_cash_is_paid_in_advance_before_anything_is_packed(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, payments={CASH: None})
    await divide(session, order, SANDBOX=4_000, CASH_ON_DELIVERY=5_900)
    with pytest.raises(WrongState, match="still being paid"):
        await pack(session, order)
    waits_until = order.payment_due_at
    _, advance, cash = await payments_of(session, order)
    await start_payment(session, advance.id, query_at=NOW, cause=Cause(NOW))
    await capture_payment(session, advance.id, cause=Cause(NOW))
    waits_after = order.payment_due_at
    await deliver(session, order)
    await session.commit()

    assert (waits_until, waits_after) == (NOW + PAY_WITHIN, None)
    assert (cash.captured_amount, order.payment_status.value) == (5_900, "PAID")


async def test_what_is_not_paid_in_time_is_cash_again(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, payments={CASH: None})
    await divide(session, order, SANDBOX=4_000, CASH_ON_DELIVERY=5_900)
    early = await return_to_cash(session, order.id, cause=Cause(NOW))
    due = [*await session.scalars(UNPAID_CHANGES.due(NOW + PAY_WITHIN))]
    late = await return_to_cash(session, order.id, cause=LATE)
    found = await shown(session, order)
    await pack(session, order)
    await session.commit()

    assert (early, late, due) == (False, True, [order.id])
    assert (found, order.payment_due_at) == ([(CASH, 9_900, PaymentStatus.PENDING)], None)


async def test_money_that_comes_after_the_return_to_cash_goes_back(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, payments={CASH: None})
    await divide(session, order, SANDBOX=9_900)
    _, advance = await payments_of(session, order)
    await start_payment(session, advance.id, query_at=NOW, cause=Cause(NOW))
    await return_to_cash(session, order.id, cause=LATE)
    await capture_payment(session, advance.id, cause=LATE)
    [refund] = await session.scalars(select(Refund))
    found = await shown(session, order)
    await session.commit()

    assert (refund.payment_id, refund.amount, order.total.minor) == (advance.id, 9_900, 9_900)
    assert (CASH, 9_900, PaymentStatus.PENDING) in found


async def test_money_that_comes_for_a_replaced_payment_goes_back(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    [first] = await payments_of(session, order)
    await start_payment(session, first.id, query_at=NOW, cause=Cause(NOW))
    await fail_newest_attempt(session, first, reason="No money.", cause=Cause(NOW))
    await divide(session, order, CASH_ON_DELIVERY=9_900)
    await capture_payment(session, first.id, cause=Cause(NOW))
    [refund] = await session.scalars(select(Refund))
    await session.commit()

    assert order.status is OrderStatus.CONFIRMED
    assert (refund.payment_id, refund.amount, order.total.minor) == (first.id, 9_900, 9_900)


async def test_payments_stay_while_one_is_made_and_once_a_parcel_has_left_with_cash(
    shop: Shop, session: AsyncSession
) -> None:
    paid_now = await create_order(session, payments={CASH: None})
    await divide(session, paid_now, SANDBOX=9_900)
    _, advance = await payments_of(session, paid_now)
    await start_payment(session, advance.id, query_at=NOW, cause=Cause(NOW))
    left = await create_order(session, payments={CASH: None})
    await dispatch(session, left)
    refusals = []
    for order in (paid_now, left):
        with pytest.raises(WrongState) as refused:
            await divide(session, order, CASH_ON_DELIVERY=9_900)
        refusals.append(str(refused.value))
    await session.commit()

    assert refusals == [
        "A payment is being made; try again when it is through.",
        "Cash is collected for a parcel that has left: the rest is paid in cash, too.",
    ]


async def test_a_packed_parcel_waits_for_the_payment_in_place_of_its_cash(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, payments={CASH: None})
    [parcel] = await pack(session, order)
    await divide(session, order, SANDBOX=9_900)
    with pytest.raises(WrongState, match="still being paid"):
        await hand_to_carrier(session, parcel)
    _, advance = await payments_of(session, order)
    await capture_payment(session, advance.id, cause=Cause(NOW))
    await hand_to_carrier(session, parcel)
    await session.commit()

    assert parcel.cash_amount == 0


async def test_cash_keeps_to_the_rules_for_orders_that_are_placed(shop: Shop, session: AsyncSession) -> None:
    voucher = await a_variant(session, title="Voucher", requires_shipping=False)
    tea, gold = await a_variant(session), await a_variant(session, prices={CurrencyCode.CNY: 600_000})
    mixed = await create_order(session, lines=[(voucher, 1), (tea, 1)])
    only = await create_order(session, lines=[(voucher, 1)], deliveries=[])
    dear = await create_order(session, lines=[(gold, 1)])
    refusals = []
    for order in (mixed, only, dear):
        with pytest.raises(DomainError) as refused:
            await divide(session, order, CASH_ON_DELIVERY=order.total_amount)
        refusals.append(str(refused.value))
        await session.refresh(order)
    await session.rollback()

    assert refusals == [
        "99.00 CNY must be paid in advance, for what is delivered when it is paid.",
        "Nothing of this order comes to a door, where it could be paid.",
        "At most 5,000.00 CNY can be paid at the door.",
    ]


async def test_payments_that_were_replaced_do_not_count_against_the_limit(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session)
    for count in (3, 2, 3, 1, 3, 2):
        await divide_evenly(session, order, count, limit=3)
    with pytest.raises(LimitReached, match="at most 3 payments") as refused:
        await divide_evenly(session, order, 4, limit=3)
    await session.rollback()

    assert refused.value.field == ("payments",)


async def test_payments_are_not_changed_without_end(shop: Shop, session: AsyncSession) -> None:
    """What was replaced is kept, so that its number has a limit."""
    order = await create_order(session)
    for count in (30, 29, 30, 29, 30, 29, 30, 22):  # 229 payments, beside the one that it began with
        await divide_evenly(session, order, count)
    with pytest.raises(LimitReached, match="changed too often") as refused:
        await divide_evenly(session, order, 1)
    await session.rollback()

    assert refused.value.field == ("payments",)


async def test_a_parcel_leaves_with_its_cash_or_waits_for_the_payment_never_without_both(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session, payments={CASH: None})
        [parcel] = await pack(session, order)

    async def run(command: Callable[[AsyncSession], Awaitable[None]]) -> None:
        async with shop.database.writes.begin() as session:
            await command(session)

    outcomes = await asyncio.gather(
        run(lambda session: divide(session, order, SANDBOX=9_900)),
        run(lambda session: hand_to_carrier(session, parcel)),
        return_exceptions=True,
    )

    assert [type(each) for each in outcomes if each is not None] == [WrongState]
