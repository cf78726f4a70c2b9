"""What an edit costs where part of the order has ended, or a variant stands on two lines."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.changes import LineAddition, OrderChanges
from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from events.shop import Shop
from models import Promotion, PromotionKind, PromotionUse, ShipmentStatus
from tests.domain.test_order_edit import only_edit
from tests.domain.test_order_edit_address import CHEAP
from tests.domain.test_order_lifecycle import cancel
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    NOW,
    RECEIPT_AFTER,
    SANDBOX,
    a_variant,
    create_order,
    deliver_to,
    pay,
)
from tests.factories.order_edit import edit
from tests.factories.promotion import create_flash_sale, create_promotion
from tests.factories.shipment import pack, send, track, tracking_fact

pytestmark = pytest.mark.usefixtures("audit_at_end")


async def test_the_fee_of_a_lost_parcel_is_no_part_of_an_edit(shop: Shop, session: AsyncSession) -> None:
    """Sent for nothing from 150.00 on: 100.00 more, and the fee of 8.00 that is still charged."""
    near, far, more = [await a_variant(session, prices=CHEAP) for _ in range(3)]
    await create_promotion(session, PromotionKind.FREE_SHIPPING, title="Free", minimum_amount=15_000)
    order = await create_order(
        session,
        lines=[(near, 1), (far, 1)],
        deliveries=[deliver_to(HANGZHOU, [(near, 1)]), deliver_to(CHENGDU, [(far, 1)])],
        payments={SANDBOX: None},
    )
    await pay(session, order)
    [parcel] = await pack(session, order)
    await send(session, parcel)
    await track(session, parcel, tracking_fact(ShipmentStatus.EXPIRED))
    await end_shipment(session, parcel.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    assert order.cancelled_shipping_amount == 600

    await edit(session, order, OrderChanges(additions=[LineAddition(more.id, 2)]), method=SANDBOX)
    waiting = await only_edit(session)
    await session.commit()

    assert waiting.amount == 2 * 5_000 - 800


async def test_flash_sale_units_on_two_lines_are_released_as_units_of_one_variant(
    shop: Shop, session: AsyncSession
) -> None:
    tea = await a_variant(session)
    sale = await create_flash_sale(session, tea, price=4_900, share=9)
    order = await create_order(session, lines=[(tea, 2)], payments={CASH: None})
    await edit(session, order, OrderChanges(additions=[LineAddition(tea.id, 2)]))
    use = (await session.scalars(select(PromotionUse))).one()
    before = use.flash_units

    await cancel(session, order, 2)

    await session.refresh(use)
    sold = await session.scalar(select(Promotion.sold).where(Promotion.id == sale.id))
    await session.commit()
    assert (before, use.flash_units, use.released_at, sold) == (4, 2, None, 2)
