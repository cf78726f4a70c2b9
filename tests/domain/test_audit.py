"""The audit finds every book somebody has tampered with, and nothing where nobody has."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit
from events.shop import Shop
from models import (
    Delivery,
    LedgerEntry,
    Offer,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentMethod,
    StockLevel,
)
from tests.factories.cart import create_coupon
from tests.factories.order import create_order, pay

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

Tamper = Callable[[], Any]


def more(column: Any) -> Tamper:
    return lambda: update(column.class_).values({column: column + 1})


TAMPERED: dict[str, Tamper] = {
    "a posting balances": lambda: (
        update(LedgerEntry).where(LedgerEntry.amount > 0).values(amount=LedgerEntry.amount + 1)
    ),
    "captured as posted": lambda: update(Payment).values(captured_amount=Payment.captured_amount - 1),
    "goods are the lines": more(OrderLine.unit_amount),
    "shipping is the fees": more(Delivery.fee_amount),
    "total is the payments": more(Payment.amount),
    "versions without a gap": more(Order.version),
    "on hand as moved": more(StockLevel.on_hand),
    "damaged as moved": more(StockLevel.damaged),
    "reserved as moved": lambda: update(StockLevel).values(reserved=StockLevel.reserved + 1),
    "offers used as counted": lambda: update(Offer).values(used=Offer.used + 1),
    "payment status as the books say": lambda: update(Order).values(payment_status=OrderPaymentStatus.UNPAID),
}


async def an_order(session: AsyncSession) -> Order:
    await create_coupon(session, code="SPRING", usage_limit=10)
    order = await create_order(
        session, payments={PaymentMethod.SANDBOX: None}, coupon_code="SPRING", status=OrderStatus.PENDING
    )
    await pay(session, order)
    return order


async def test_books_nobody_touched_agree(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await an_order(session)
        assert await audit(session) == []


@pytest.mark.parametrize("rule", TAMPERED)
async def test_a_tampered_book_is_named(shop: Shop, rule: str) -> None:
    async with shop.database.writes.begin() as session:
        await an_order(session)
        await session.execute(TAMPERED[rule]().execution_options(synchronize_session=False))

        found = {each.rule for each in await audit(session)}

    assert rule in found
