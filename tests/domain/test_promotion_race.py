"""Promotions that many orders use at the same moment, in concurrent transactions."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import CartOwner
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import (
    BatchItem,
    OrderRequest,
    PaymentPlan,
    RequestedLine,
    SoldMeanwhile,
    cancel_order,
    cancel_overdue_orders,
    place_order,
)
from domain.promotion import PromotionUsedUp
from events.shop import Shop
from models import Account, Order, Promotion, PromotionBuyer, PromotionUse, Variant
from tests.factories.account import create_account
from tests.factories.cart import create_coupon
from tests.factories.order import (
    HANGZHOU,
    NOW,
    SANDBOX,
    TERMS,
    a_variant,
    create_order,
    deliver_to,
    plan_for,
)
from tests.factories.promotion import create_flash_sale

pytestmark = pytest.mark.usefixtures("audit_at_end")

Outcome = Order | BaseException
TEN_MINUTES = timedelta(minutes=10)


def request_of(account: Account, variant: Variant, code: str | None = None) -> OrderRequest:
    return OrderRequest(
        CartOwner(account.id, None),
        lines=[RequestedLine(variant.id, 1)],
        deliveries=[deliver_to(HANGZHOU)],
        coupon_codes=[code] if code else None,
    )


async def place_with_retry(shop: Shop, request: OrderRequest, plan: PaymentPlan, number: str) -> Order:
    """Place an order as the order queue does: once more when somebody was quicker."""
    for attempt in range(2):
        try:
            async with shop.database.writes.begin() as session:
                item = BatchItem(request, plan, number)
                return await place_order(session, item, TERMS, cause=Cause(NOW))
        except (SoldMeanwhile, PromotionUsedUp):
            if attempt:
                raise
    raise AssertionError


async def place_all_at_once(
    shop: Shop, requests: Sequence[tuple[OrderRequest, PaymentPlan]]
) -> list[Outcome]:
    return list(
        await asyncio.gather(
            *(place_with_retry(shop, request, plan, f"O{i}") for i, (request, plan) in enumerate(requests)),
            return_exceptions=True,
        )
    )


def orders(outcomes: Sequence[Outcome]) -> list[Order]:
    return [outcome for outcome in outcomes if isinstance(outcome, Order)]


def refusals(outcomes: Sequence[Outcome]) -> list[ErrorCode]:
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Order)]
    assert all(isinstance(outcome, DomainError) for outcome in refused), refused
    return [outcome.code for outcome in refused if isinstance(outcome, DomainError)]


async def test_the_last_use_of_a_code_goes_to_one_of_eight(shop: Shop, session: AsyncSession) -> None:
    await create_coupon(session, code="LAST", usage_limit=1)
    variant = await a_variant(session)
    requests = []
    for _ in range(8):
        request = request_of(await create_account(session), variant, "LAST")
        requests.append((request, await plan_for(session, request, {SANDBOX: None})))
    await session.commit()

    outcomes = await place_all_at_once(shop, requests)

    assert len(orders(outcomes)) == 1
    assert set(refusals(outcomes)) == {ErrorCode.COUPON_REFUSED}
    assert await session.scalar(select(Promotion.used)) == 1
    assert await session.scalar(select(func.count()).select_from(PromotionUse)) == 1
    await session.commit()


async def test_one_customer_with_many_devices_uses_a_code_once(shop: Shop, session: AsyncSession) -> None:
    await create_coupon(session, code="ONCE", usage_limit_per_buyer=1)
    account, variant = await create_account(session), await a_variant(session)
    requests = []
    for _ in range(4):
        request = request_of(account, variant, "ONCE")
        requests.append((request, await plan_for(session, request, {SANDBOX: None})))
    await session.commit()

    outcomes = await place_all_at_once(shop, requests)

    assert len(orders(outcomes)) == 1
    assert set(refusals(outcomes)) == {ErrorCode.COUPON_REFUSED}
    assert await session.scalar(select(PromotionBuyer.uses)) == 1
    await session.commit()


async def test_a_flash_sale_of_ten_units_sells_ten_at_its_price(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session, stock={"MAIN": 100})
    sale = await create_flash_sale(session, variant, price=4_900, share=10)
    requests = []
    for _ in range(30):
        request = request_of(await create_account(session), variant)
        requests.append((request, await plan_for(session, request, {SANDBOX: None})))
    await session.commit()

    outcomes = await place_all_at_once(shop, requests)

    assert len(orders(outcomes)) == 10
    assert set(refusals(outcomes)) == {ErrorCode.AMOUNT_MISMATCH}
    assert await session.scalar(select(Promotion.sold).where(Promotion.id == sale.id)) == 10
    assert await session.scalar(select(func.sum(PromotionUse.flash_units))) == 10
    assert set(await session.scalars(select(Order.subtotal_amount - Order.discount_amount))) == {4_900}
    await session.commit()


async def test_a_flash_sale_order_is_cancelled_after_ten_minutes_and_its_units_are_released(
    shop: Shop,
    session: AsyncSession,
) -> None:
    account, variant = await create_account(session), await a_variant(session)
    await create_flash_sale(session, variant, price=4_900, share=1, per_buyer=1)
    order = await create_order(session, account=account, lines=[(variant, 1)])
    assert order.payment_due_at == NOW + TEN_MINUTES
    assert await session.scalar(select(Promotion.sold)) == 1
    assert await cancel_overdue_orders(session, [order.id], cause=Cause(NOW + TEN_MINUTES))
    await session.commit()

    assert await session.scalar(select(Promotion.sold)) == 0
    had = (await session.execute(select(PromotionBuyer.uses, PromotionBuyer.flash_units))).one()
    assert tuple(had) == (0, 0)
    again = await create_order(session, account=account, lines=[(variant, 1)])
    assert again.discount_amount == 5_000
    await session.commit()


async def test_a_coupon_of_a_cancelled_order_can_be_used_again_and_only_once(
    shop: Shop, session: AsyncSession
) -> None:
    account, variant = await create_account(session), await a_variant(session)
    await create_coupon(session, code="ONCE", usage_limit=1, usage_limit_per_buyer=1)
    given: dict[str, object] = {"account": account, "lines": [(variant, 1)], "coupon_code": "ONCE"}
    first = await create_order(session, **given)  # type: ignore[arg-type]
    await cancel_order(session, first.id, reason="Too late.", cause=Cause(NOW, account.id))
    second = await create_order(session, **given)  # type: ignore[arg-type]

    assert (first.discount_amount, second.discount_amount) == (990, 990)
    assert await session.scalar(select(Promotion.used)) == 1
    released = await session.execute(
        select(PromotionUse.order_id).where(PromotionUse.released_at.is_not(None))
    )
    assert list(released.scalars()) == [first.id]
    await session.commit()
