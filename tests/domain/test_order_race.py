"""Many commands about orders at the same moment, in real transactions."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import CartOwner
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, OutOfStock, WrongState
from domain.order import (
    BatchItem,
    OrderRequest,
    PaymentPlan,
    RequestedLine,
    cancel_order,
    cancel_overdue_orders,
    lock_order,
    place_order,
)
from domain.payment import capture_payment, collect_cash, request_refund, start_payment
from events.shop import Shop
from models import (
    Account,
    CartLine,
    Event,
    Money,
    Order,
    OrderPaymentStatus,
    OrderStatus,
    Posting,
    PostingKind,
    Promotion,
    Refund,
    StockLevel,
    Subject,
    Variant,
)
from tests.factories.account import create_account
from tests.factories.cart import create_cart, create_coupon
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import (
    CASH,
    HANGZHOU,
    NOW,
    PAY_WITHIN,
    SANDBOX,
    TERMS,
    a_variant,
    arrive,
    create_order,
    deliver_to,
    dispatch,
    payments_of,
    plan_for,
)
from tests.factories.payment import payment_of, reload_order
from tests.observe import count_statements, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

BUYERS = 16


async def place(shop: Shop, request: OrderRequest, plan: PaymentPlan, number: str) -> Order:
    async with shop.database.writes.begin() as session:
        return await place_order(session, BatchItem(request, plan, number), TERMS, cause=Cause(NOW))


async def create_requests(
    shop: Shop, *, stock: dict[str, int], coupon: Promotion | None = None
) -> list[tuple[OrderRequest, PaymentPlan]]:
    """Requests of many buyers for one unit each of the same variant."""
    requests = []
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, stock=stock))
        for _ in range(BUYERS):
            account = await create_account(session)
            request = OrderRequest(
                CartOwner(account.id, None),
                lines=[RequestedLine(variant.id, 1)],
                deliveries=[deliver_to(HANGZHOU)],
                coupon_codes=[coupon.code or ""] if coupon else None,
            )
            requests.append((request, await plan_for(session, request, {SANDBOX: None})))
    return requests


async def test_the_last_one_is_sold_once(shop: Shop) -> None:
    requests = await create_requests(shop, stock={"MAIN": 1})

    outcomes = await asyncio.gather(
        *(place(shop, request, plan, f"O{i}") for i, (request, plan) in enumerate(requests)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, OutOfStock) for outcome in outcomes) == BUYERS - 1
    async with shop.database.reads() as session:
        level = (await session.scalars(select(StockLevel))).one()
        assert (level.on_hand, level.reserved) == (1, 1)
        assert await session.scalar(select(func.count()).select_from(Order)) == 1


async def test_a_coupon_for_three_is_used_three_times(shop: Shop, session: AsyncSession) -> None:
    coupon = await create_coupon(session, usage_limit=3)
    await session.commit()
    requests = await create_requests(shop, stock={"MAIN": 100}, coupon=coupon)

    outcomes = await asyncio.gather(
        *(place(shop, request, plan, f"O{i}") for i, (request, plan) in enumerate(requests)),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
    assert sum(isinstance(outcome, Order) for outcome in outcomes) == 3
    assert {refusal.code for refusal in refused} == {ErrorCode.COUPON_REFUSED}
    assert await session.scalar(select(Promotion.used)) == 3
    await session.commit()


async def test_the_same_key_at_the_same_moment_makes_one_order(shop: Shop) -> None:
    [(request, plan), *_] = await create_requests(shop, stock={"MAIN": 100})

    orders = await asyncio.gather(*(place(shop, request, plan, f"O{i}") for i in range(8)))

    assert len({order.id for order in orders}) == 1
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.sum(StockLevel.reserved))) == 1
        assert await session.scalar(select(func.count()).where(Event.subject == Subject.ORDER)) == 1


async def create_full_cart(shop: Shop) -> tuple[Account, Variant]:
    async with shop.database.writes.begin() as session:
        account = await create_account(session)
        variant = await variant_of(session, await create_product(session))
        await create_cart(session, account, lines={variant: 1})
    return account, variant


async def test_one_cart_is_ordered_once_whatever_the_keys(shop: Shop) -> None:
    account, _ = await create_full_cart(shop)
    request = OrderRequest(CartOwner(account.id, None), deliveries=[deliver_to(HANGZHOU)])
    async with shop.database.reads() as session:
        plans = [await plan_for(session, request, {SANDBOX: None}) for _ in range(4)]

    outcomes = await asyncio.gather(
        *(place(shop, request, plan, f"O{i}") for i, plan in enumerate(plans)),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
    assert [refusal.code for refusal in refused] == [ErrorCode.EMPTY] * 3
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Order)) == 1
        assert await session.scalar(select(func.count()).select_from(CartLine)) == 0


async def create_started_order(shop: Shop) -> Order:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        [payment] = await payments_of(session, order)
        await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))
    return order


@pytest.mark.parametrize("attempt", range(4))
async def test_a_payment_and_a_cancellation_at_once_end_in_one_of_two_ways(shop: Shop, attempt: int) -> None:
    order = await create_started_order(shop)
    payment = await payment_of(shop, order)

    async def capture() -> None:
        async with shop.database.writes.begin() as session:
            await capture_payment(session, payment.id, cause=Cause(NOW))

    async def cancel() -> None:
        async with shop.database.writes.begin() as session:
            await cancel_order(session, order.id, reason="late", cause=Cause(NOW))

    both = [capture(), cancel()]
    await asyncio.gather(*(both if attempt % 2 else reversed(both)))

    after = await reload_order(shop, order)
    async with shop.database.reads() as session:
        captured = await session.scalar(select(func.count()).where(Posting.kind == PostingKind.CAPTURED))
    assert (after.status, captured) == (OrderStatus.CANCELLED, 1)
    assert after.payment_status is OrderPaymentStatus.PAID


async def test_a_payment_and_the_end_of_its_time_at_once_end_in_one_of_two_ways(shop: Shop) -> None:
    order = await create_started_order(shop)
    payment = await payment_of(shop, order)

    async def capture() -> None:
        async with shop.database.writes.begin() as session:
            await capture_payment(session, payment.id, cause=Cause(NOW))

    async def close() -> int:
        async with shop.database.writes.begin() as session:
            return await cancel_overdue_orders(session, [order.id], cause=Cause(NOW + PAY_WITHIN))

    _, closed = await asyncio.gather(capture(), close())

    after = await reload_order(shop, order)
    async with shop.database.reads() as session:
        refunds = await session.scalar(select(func.count()).select_from(Refund))
    assert (after.status, closed, refunds) in [
        (OrderStatus.CONFIRMED, 0, 0),
        (OrderStatus.CANCELLED, 1, 1),
    ]


async def create_due_orders(shop: Shop, count: int) -> list[int]:
    """Orders of different variants, whose time to pay is over at NOW + PAY_WITHIN."""
    async with shop.database.writes.begin() as session:
        return [(await create_order(session, lines=[(await a_variant(session), 2)])).id for _ in range(count)]


async def cancel_overdue(shop: Shop, ids: Sequence[int]) -> int:
    async with shop.database.writes.begin() as session:
        return await cancel_overdue_orders(session, ids, cause=Cause(NOW + PAY_WITHIN))


async def test_two_workers_that_find_the_same_orders_cancel_each_once(shop: Shop) -> None:
    ids = await create_due_orders(shop, 6)

    closed = await asyncio.gather(
        cancel_overdue(shop, ids), cancel_overdue(shop, ids), cancel_overdue(shop, ids[3:])
    )

    async with shop.database.reads() as session:
        ended = await session.scalars(select(Event.subject_id).where(Event.name == "order.cancelled"))
        assert sorted(ended) == ids
        assert await session.scalar(select(func.sum(StockLevel.reserved))) == 0
    assert sum(closed) == 6


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_worker_does_not_wait_for_orders_that_another_is_busy_with(
    shop: Shop, session: AsyncSession
) -> None:
    ids = await create_due_orders(shop, 4)

    assert await cancel_overdue_orders(session, ids[:2], cause=Cause(NOW + PAY_WITHIN)) == 2
    assert await cancel_overdue(shop, ids) == 2
    await session.commit()
    assert await cancel_overdue(shop, ids) == 0


@pytest.mark.parametrize("count", [2, 20])
async def test_many_orders_are_cancelled_in_as_many_statements_as_few(
    shop: Shop, session: AsyncSession, count: int
) -> None:
    coupon = await create_coupon(session, usage_limit=30, usage_limit_per_buyer=1)
    ids = [
        (
            await create_order(
                session,
                lines=[(await a_variant(session), 1), (await a_variant(session), 2)],
                coupon_code=coupon.code,
            )
        ).id
        for _ in range(count)
    ]
    await session.commit()

    with count_statements(shop) as counted:
        assert await cancel_overdue(shop, ids) == count

    assert counted.total == 14, counted.texts
    assert await session.scalar(select(Promotion.used)) == 0
    await session.commit()


async def test_two_notices_at_once_capture_once(shop: Shop) -> None:
    order = await create_started_order(shop)
    payment = await payment_of(shop, order)

    async def capture() -> None:
        async with shop.database.writes.begin() as session:
            await capture_payment(session, payment.id, cause=Cause(NOW))

    await asyncio.gather(*(capture() for _ in range(8)))

    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).where(Posting.kind == PostingKind.CAPTURED)) == 1
        names = await session.scalars(select(Event.name).where(Event.subject == Subject.ORDER))
        assert Counter(names)["payment.captured"] == 1


async def test_two_couriers_collect_the_cash_once(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, payments={CASH: None})
    [parcel] = await dispatch(session, order)
    await arrive(session, parcel)
    await session.commit()
    cash = await payment_of(shop, order, CASH)

    async def collect() -> None:
        async with shop.database.writes.begin() as session:
            await collect_cash(session, cash.id, cash.total, cause=Cause(NOW, None))

    outcomes = await asyncio.gather(*(collect() for _ in range(4)), return_exceptions=True)

    assert sum(isinstance(outcome, WrongState) for outcome in outcomes) == 3


async def test_refunds_at_once_never_promise_more_than_was_paid(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    await session.commit()

    async def refund() -> None:
        async with shop.database.writes.begin() as session:
            locked = await lock_order(session, order.id)
            await request_refund(session, locked, Money(3_000, locked.currency), reason="x", cause=Cause(NOW))

    outcomes = await asyncio.gather(*(refund() for _ in range(6)), return_exceptions=True)

    assert sum(outcome is None for outcome in outcomes) == 3
    assert (await payment_of(shop, order)).refunded_amount == 9_000
    await run_until_idle(shop)
