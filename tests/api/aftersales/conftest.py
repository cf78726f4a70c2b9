"""A case: a customer, an agent, and an order of three teapots."""

import pytest

from events.shop import Shop
from models import OrderStatus, PaymentStatus, Role, SandboxCharge
from tests.api.aftersales.asking import Case
from tests.factories.aftersales import lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order, payments_of
from tests.front import Front
from tests.observe import settle


@pytest.fixture
async def case(front: Front, shop: Shop) -> Case:
    customer, agent = await front.customer(), await front.staff(Role.SUPPORT)
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, title="Teapot"))
        order = await create_order(
            session,
            account=customer.account,
            status=OrderStatus.COMPLETED,
            lines=[(variant, 3)],
            now=shop.clock(),
        )
        for payment in await payments_of(session, order):
            session.add(
                SandboxCharge(
                    reference=payment.reference,
                    order_number=order.number,
                    currency=payment.currency,
                    amount=payment.amount,
                    refunded_amount=0,
                    status=PaymentStatus.CAPTURED,
                )
            )
        line = (await lines_of(session, order))[0]
    await settle(shop)
    return Case(customer, agent, order, line)
