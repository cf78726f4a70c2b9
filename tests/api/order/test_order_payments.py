"""How many payments an order may have, and by when it is paid."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.order import OrderTerms
from events.shop import Shop
from models import Order, PaymentMethod
from tests.api.order.documents import ADDRESS, PLACE, create_variant
from tests.clients import Client, Clients
from tests.factories.promotion import create_flash_sale
from tests.given import cny, id_of, refusals


async def place(customer: Client, variant: Any, payments: list[tuple[str, str]]) -> dict[str, Any]:
    return await customer.do(
        PLACE,
        lines=[{"variantId": id_of(variant), "quantity": 1}],
        deliveries=[{"address": {"postal": ADDRESS}}],
        payments=[{"method": method, "amount": cny(amount)} for method, amount in payments],
        idempotencyKey="k",
    )


async def due_times(session: AsyncSession) -> list[Any]:
    return list(await session.scalars(select(Order.payment_due_at).order_by(Order.id)))


@pytest.mark.settings(payments_per_order=3)
async def test_an_order_has_as_many_payments_as_the_setting_says(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, tea = await clients.customer(), await create_variant(shop)

    four = await place(customer, tea, [("SANDBOX", "24.75")] * 4)
    three = await place(customer, tea, [("SANDBOX", "33.00")] * 3)

    assert (refusals(four), four["order"]) == ([("LIMIT_REACHED", "payments")], None)
    assert [each["total"]["amount"] for each in three["order"]["payments"]] == ["33.00"] * 3
    assert await session.scalar(select(func.count(Order.id))) == 1


async def test_an_order_has_thirty_payments_and_none_of_nothing(clients: Clients, shop: Shop) -> None:
    customer, tea = await clients.customer(), await create_variant(shop)

    nothing = await place(customer, tea, [("SANDBOX", "99.00"), ("SANDBOX", "0.00")])
    thirty = await place(customer, tea, [("SANDBOX", "3.30")] * 30)

    assert refusals(nothing) == [("INVALID", "payments.1.amount")]
    assert len(thirty["order"]["payments"]) == 30


@pytest.mark.settings(sandbox_order_closes_after=1200)
async def test_an_order_is_paid_within_the_time_of_its_methods(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, tea, cup = await clients.customer(), await create_variant(shop), await create_variant(shop)
    await create_flash_sale(session, cup, price=9_000, share=9)
    await session.commit()

    for variant, price in ((tea, "99.00"), (cup, "90.00")):
        placed = await customer.do(
            PLACE,
            lines=[{"variantId": id_of(variant), "quantity": 1}],
            deliveries=[{"address": {"postal": ADDRESS}}],
            payments=[{"method": "SANDBOX", "amount": cny(price)}],
            idempotencyKey=str(variant.id),
        )
        assert placed["userErrors"] == []

    twenty, ten = shop.clock() + timedelta(minutes=20), shop.clock() + timedelta(minutes=10)
    assert await due_times(session) == [twenty, ten]


def test_the_shortest_time_of_all_methods_counts_and_cash_has_none() -> None:
    half_hour, hour, quarter = timedelta(minutes=30), timedelta(hours=1), timedelta(minutes=15)
    terms = OrderTerms(
        frozenset(), half_hour, method_pay_within={PaymentMethod.ALIPAY: hour, PaymentMethod.CARD: quarter}
    )
    alipay, card, wechat = PaymentMethod.ALIPAY, PaymentMethod.CARD, PaymentMethod.WECHAT_PAY
    cash = PaymentMethod.CASH_ON_DELIVERY

    assert terms.time_to_pay([alipay]) == hour
    assert terms.time_to_pay([alipay, cash]) == hour
    assert terms.time_to_pay([alipay, wechat]) == half_hour
    assert terms.time_to_pay([alipay, wechat, card]) == quarter
    assert terms.time_to_pay([alipay], in_flash_sale=True) == timedelta(minutes=10)
    assert terms.time_to_pay([cash], in_flash_sale=True) is None
