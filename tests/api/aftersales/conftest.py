"""A case: a customer, an agent, and an order of three teapots."""

import pytest

from events.shop import Shop
from models import OrderStatus, PaymentStatus, Role, SandboxCharge
from tests.api.aftersales.documents import TicketCase
from tests.clients import Clients
from tests.factories.aftersales import order_lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order, payments_of
from tests.observe import run_until_idle


@pytest.fixture
async def case(clients: Clients, shop: Shop) -> TicketCase:
    customer, agent = await clients.customer(), await clients.staff(Role.SUPPORT)
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
                    reference=payment.attempt_reference,
                    order_number=order.number,
                    currency=payment.currency,
                    amount=payment.amount,
                    refunded_amount=0,
                    status=PaymentStatus.CAPTURED,
                )
            )
        line = (await order_lines_of(session, order))[0]
    await run_until_idle(shop)
    return TicketCase(customer, agent, order, line)
