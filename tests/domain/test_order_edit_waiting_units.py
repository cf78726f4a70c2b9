"""What an edit adds that needs no shipping, or is not there yet."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.changes import LineAddition, LineChange, OrderChanges
from domain.cause import Cause
from domain.payment import capture_payment
from events.shop import Shop
from models import Backorder, Order, OrderLine, OrderStatus, ShipmentLine, Variant
from tests.factories.aftersales import order_lines_of
from tests.factories.order import CASH, NOW, SANDBOX, a_variant, create_order, payments_of
from tests.factories.order_edit import edit
from tests.factories.stock import receive
from tests.observe import run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")


async def pay_last(session: AsyncSession, order: Order) -> None:
    *_, payment = await payments_of(session, order)
    await capture_payment(session, payment.id, cause=Cause(NOW))


async def handed_over(shop: Shop, order: Order, variant: Variant) -> int:
    async with shop.database.reads() as session:
        units = await session.scalar(
            select(func.sum(ShipmentLine.quantity))
            .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
            .where(OrderLine.order_id == order.id, OrderLine.variant_id == variant.id)
        )
    return int(units or 0)


async def backordered(session: AsyncSession, order: Order) -> int:
    units = await session.scalar(select(func.sum(Backorder.quantity)).where(Backorder.order_id == order.id))
    return int(units or 0)


async def test_what_needs_no_shipping_is_handed_over_when_the_edit_that_adds_it_is_paid(
    shop: Shop, session: AsyncSession
) -> None:
    tea, card = await a_variant(session), await a_variant(session, requires_shipping=False)
    waits = await a_variant(session, requires_shipping=False, sells_when_out=True, stock={"MAIN": 0})
    order = await create_order(session, lines=[(tea, 1), (waits, 1)], status=OrderStatus.CONFIRMED)
    await session.commit()
    await run_until_idle(shop)
    await edit(session, order, OrderChanges(additions=[LineAddition(card.id, 2)]), method=SANDBOX)
    await session.commit()
    before = await handed_over(shop, order, card)
    await pay_last(session, order)
    await session.commit()
    await run_until_idle(shop)

    assert (before, await handed_over(shop, order, card)) == (0, 2)
    assert await handed_over(shop, order, waits) == 0


async def test_units_that_an_edit_adds_beyond_the_stock_wait_for_it(
    shop: Shop, session: AsyncSession
) -> None:
    tea = await a_variant(session, sells_when_out=True, stock={"MAIN": 3})
    order = await create_order(session, lines=[(tea, 1)], payments={CASH: None})
    [line] = await order_lines_of(session, order)
    await edit(session, order, OrderChanges(lines=[LineChange(line.id, 5)]))
    waiting = await backordered(session, order)
    await receive(session, tea, 2)
    await session.commit()
    await run_until_idle(shop)
    filled = await backordered(session, order)
    await session.commit()

    assert (waiting, filled) == (2, 0)


async def test_units_of_a_paid_edit_that_are_not_there_wait_from_its_payment_on(
    shop: Shop, session: AsyncSession
) -> None:
    tea = await a_variant(session)
    rare = await a_variant(session, sells_when_out=True, stock={"MAIN": 1})
    order = await create_order(session, lines=[(tea, 1)], status=OrderStatus.CONFIRMED)
    await edit(session, order, OrderChanges(additions=[LineAddition(rare.id, 3)]), method=SANDBOX)
    before = await backordered(session, order)
    await pay_last(session, order)
    await session.commit()
    await run_until_idle(shop)
    after = await backordered(session, order)
    await session.commit()

    assert (before, after) == (0, 2)
