"""A delivery goes to another address: the short form of an edit, which settles the fee."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import PostalAddress
from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.order_editing.address import change_address
from domain.aftersales.order_editing.changes import LineAddition, OrderChanges
from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.shipment import ParcelToPack, dispatch_shipment, pack_shipments
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    CurrencyCode,
    Delivery,
    Order,
    OrderEditStatus,
    OrderStatus,
    PaymentMethod,
    PromotionKind,
    PromotionUse,
    Refund,
)
from tests.domain.test_order_edit import only_edit
from tests.factories.aftersales import create_ticket, order_lines_of
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    NOW,
    RECEIPT_AFTER,
    SANDBOX,
    a_variant,
    arrive,
    create_order,
    deliver_to,
    parcels_to_pack,
    payments_of,
)
from tests.factories.order_edit import edit
from tests.factories.promotion import create_promotion
from tests.factories.shipment import delivery_of

pytestmark = pytest.mark.usefixtures("audit_at_end")

CNY = CurrencyCode.CNY
CHEAP = {CNY: 5_000}
"""Less than what is sent for nothing: 6.00 to Hangzhou, 8.00 to Chengdu."""


async def send_to(session: AsyncSession, order: Order, address: PostalAddress) -> Delivery:
    return await change(session, order, (await delivery_of(session, order)).id, address)


async def change(session: AsyncSession, order: Order, delivery_id: int, address: PostalAddress) -> Delivery:
    cause = Cause(NOW, order.account_id)
    return await change_address(session, delivery_id, address, receipt_after=RECEIPT_AFTER, cause=cause)


async def order_to(session: AsyncSession, address: PostalAddress, **options: Any) -> Order:
    """An order of one thing for 50.00."""
    lines = [(await a_variant(session, prices=CHEAP), 1)]
    return await create_order(session, lines=lines, deliveries=[deliver_to(address)], **options)


async def amounts_of(session: AsyncSession, order: Order) -> list[int]:
    return [each.amount for each in await payments_of(session, order)]


async def test_what_an_address_costs_less_is_refunded(shop: Shop, session: AsyncSession) -> None:
    order = await order_to(session, CHENGDU, status=OrderStatus.CONFIRMED)
    delivery = await send_to(session, order, HANGZHOU)
    [refund] = await session.scalars(select(Refund))
    await session.commit()

    assert (delivery.city, delivery.fee_amount, order.total.minor) == ("杭州市", 600, 5_600)
    assert (refund.amount, refund.order_id) == (200, order.id)


async def test_what_an_address_costs_less_is_not_due_any_more(shop: Shop, session: AsyncSession) -> None:
    order = await order_to(session, CHENGDU, payments={CASH: None})
    await send_to(session, order, HANGZHOU)
    amounts = await amounts_of(session, order)
    await session.commit()

    assert (amounts, order.total.minor, order.status) == ([5_600], 5_600, OrderStatus.CONFIRMED)


@pytest.mark.parametrize("method", [SANDBOX, CASH], ids=["to be paid", "in cash"])
async def test_what_an_address_costs_more_is_added_to_what_is_unpaid(
    shop: Shop, session: AsyncSession, method: PaymentMethod
) -> None:
    order = await order_to(session, HANGZHOU, payments={method: None})
    delivery = await send_to(session, order, CHENGDU)
    amounts = await amounts_of(session, order)
    await session.commit()

    assert (delivery.city, delivery.fee_amount) == ("成都市", 800)
    assert (amounts, order.total.minor) == ([5_800], 5_800)


async def test_an_address_that_costs_more_needs_an_edit_where_all_is_paid(
    shop: Shop, session: AsyncSession
) -> None:
    more = await a_variant(session, prices=CHEAP)
    order = await order_to(session, HANGZHOU, status=OrderStatus.CONFIRMED)
    await edit(session, order, OrderChanges(additions=[LineAddition(more.id, 1)]), method=SANDBOX)
    version = order.version
    with pytest.raises(DomainError, match=r"costs 2\.00 CNY more") as refused:
        async with session.begin_nested():
            await send_to(session, order, CHENGDU)
    await session.refresh(order)
    delivery, waiting = await delivery_of(session, order), await only_edit(session)
    await session.refresh(delivery)
    unchanged = (delivery.city, order.version, waiting.status)
    await edit(session, order, OrderChanges(addresses={delivery.id: CHENGDU}), method=SANDBOX, key="edit-2")
    amounts = await amounts_of(session, order)
    await session.commit()

    assert (refused.value.code, refused.value.field) == (ErrorCode.NOT_DELIVERABLE, ("address",))
    assert unchanged == ("杭州市", version, OrderEditStatus.AWAITING_PAYMENT)
    assert amounts[-1] == 200


async def test_goods_cost_what_they_cost_where_only_their_address_changes(
    shop: Shop, session: AsyncSession
) -> None:
    """The other one of a gift was cancelled, with which it was sent for nothing."""
    first, second = await a_variant(session, prices=CHEAP), await a_variant(session, prices=CHEAP)
    await create_promotion(session, PromotionKind.BUY_N_GET_M, title="1 + 1", buy=1, get=1)
    order = await create_order(
        session,
        lines=[(first, 1), (second, 1)],
        status=OrderStatus.CONFIRMED,
    )
    line, _ = await order_lines_of(session, order)
    cause = Cause(NOW, order.account_id)
    await cancel_lines(
        session, order.id, [ClaimedUnits(line.id, 1)], reason="One.", receipt_after=RECEIPT_AFTER, cause=cause
    )
    with pytest.raises(DomainError, match=r"costs 2\.00 CNY more"):
        async with session.begin_nested():
            await send_to(session, order, CHENGDU)
    await session.refresh(order)
    await send_to(session, order, replace(HANGZHOU, line1="文三路 200 号"))
    refunds = [each.amount for each in await session.scalars(select(Refund).order_by(Refund.id))]
    [use] = await session.scalars(select(PromotionUse).execution_options(populate_existing=True))
    await session.commit()

    assert (order.total.minor, refunds) == (5_000, [2_500])
    assert use.released_at is None


async def test_a_fee_that_a_promotion_pays_is_paid_by_it_at_another_address_too(
    shop: Shop, session: AsyncSession
) -> None:
    await create_promotion(session, PromotionKind.FREE_SHIPPING, title="Sent for nothing", cap_amount=700)
    order = await order_to(session, HANGZHOU, payments={CASH: None})
    before = order.total.minor
    delivery = await send_to(session, order, CHENGDU)
    amounts = await amounts_of(session, order)
    await session.commit()

    assert (before, order.total.minor, amounts) == (5_000, 5_100, [5_100])
    assert (delivery.fee_amount, delivery.discount_amount) == (800, 700)


async def test_a_claim_comes_before_an_address_that_costs_something_else(
    shop: Shop, session: AsyncSession
) -> None:
    near, far = await a_variant(session, prices=CHEAP), await a_variant(session, prices=CHEAP)
    order = await create_order(
        session,
        lines=[(near, 1), (far, 1)],
        deliveries=[deliver_to(HANGZHOU, [(near, 1)]), deliver_to(CHENGDU, [(far, 1)])],
        status=OrderStatus.CONFIRMED,
    )
    (first, lines), (second, _) = await parcels_to_pack(session, order)
    [parcel] = await pack_shipments(session, first, [ParcelToPack(lines)], numbers=["P1"], cause=Cause(NOW))
    await dispatch_shipment(
        session, parcel.id, carrier=SIMULATED_CARRIER, tracking_number="SIM-1", cause=Cause(NOW)
    )
    await arrive(session, parcel)
    await create_ticket(session, order=order)
    elsewhere = replace(CHENGDU, line1="红星路 9 号")
    with pytest.raises(DomainError, match="it comes first"):
        async with session.begin_nested():
            await change(session, order, second, HANGZHOU)
    await session.refresh(order)
    delivery = await change(session, order, second, elsewhere)
    await session.commit()

    assert (order.total.minor, delivery.line1) == (11_400, "红星路 9 号")
