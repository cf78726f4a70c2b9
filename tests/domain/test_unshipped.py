"""What needs no shipping: no address, no fee, no parcel; delivered when it is paid."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.rules import ClaimedUnits, TicketObstacle
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import Invalid, WrongState
from domain.order import cancel_order, confirm_receipt, hold_order, lock_order, quote_order, release_order
from domain.shipment import correct_shipment, deliver_unshipped, dispatch_shipment
from domain.shipment.stored_marks import mark_unsent_orders
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    CurrencyCode,
    Delivery,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderStatus,
    Shipment,
    ShipmentStatus,
    ShippingMethod,
    StockLevel,
    TicketReason,
    TicketType,
    Variant,
)
from tests.factories.account import create_account
from tests.factories.aftersales import create_ticket
from tests.factories.order import (
    CASH,
    HANGZHOU,
    NOW,
    RECEIPT_AFTER,
    SANDBOX,
    a_variant,
    create_order,
    deliver,
    deliver_to,
    pack,
    pay,
    request_for,
)
from tests.observe import run_until_idle

CAUSE = Cause(NOW)


async def voucher(session: AsyncSession, **options: object) -> Variant:
    return await a_variant(session, title="Voucher", requires_shipping=False, **options)


async def reload(session: AsyncSession, order: Order) -> Order:
    return await lock_order(session, order.id)


async def test_an_order_of_what_needs_no_shipping_has_no_address_and_no_fee(
    shop: Shop, session: AsyncSession
) -> None:
    request = request_for(await create_account(session), [(await voucher(session), 2)], deliveries=[])

    quote = await quote_order(session, request, now=NOW)

    assert quote.problems == []
    assert (quote.deliveries, quote.shipping.minor, quote.total.minor) == ([], 0, 19_800)


async def test_its_delivery_is_not_taken_back(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, lines=[(await voucher(session), 1)], deliveries=[])
    await pay(session, order)
    await deliver_unshipped(session, order.id, cause=CAUSE, receipt_after=RECEIPT_AFTER)
    parcel = (await session.scalars(select(Shipment))).one()

    with pytest.raises(WrongState, match="no shipping"):
        await correct_shipment(session, parcel.id, reason="No.", cause=CAUSE)

    assert (parcel.status, order.fulfilment_status) == (ShipmentStatus.DELIVERED, FulfilmentStatus.DELIVERED)
    await session.commit()


async def test_it_is_delivered_when_it_is_paid(shop: Shop, session: AsyncSession) -> None:
    card = await voucher(session, stock={"MAIN": 3})
    order = await create_order(session, lines=[(card, 2)], deliveries=[])
    assert order.fulfilment_status is FulfilmentStatus.UNFULFILLED
    await pay(session, order)
    await session.commit()

    await run_until_idle(shop)

    order = await reload(session, order)
    assert (order.status, order.fulfilment_status) == (OrderStatus.CONFIRMED, FulfilmentStatus.DELIVERED)
    assert order.delivered_at is not None
    assert order.receipt_due_at is not None
    level = await session.get_one(StockLevel, (card.id, 1), populate_existing=True)
    assert (level.on_hand, level.reserved) == (1, 0)
    await session.commit()


async def test_it_is_delivered_once_however_often_it_is_asked(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, lines=[(await voucher(session), 1)], deliveries=[])
    assert await deliver_unshipped(session, order.id, cause=CAUSE, receipt_after=RECEIPT_AFTER) == []
    assert list(await session.scalars(select(Shipment.id))) == []
    await pay(session, order)
    for _ in range(2):
        await deliver_unshipped(session, order.id, cause=CAUSE, receipt_after=RECEIPT_AFTER)

    assert len(list(await session.scalars(select(Shipment.id)))) == 1
    await confirm_receipt(session, order.id, cause=CAUSE)
    assert (await reload(session, order)).status is OrderStatus.COMPLETED
    await session.commit()


async def test_a_held_order_delivers_nothing_until_it_is_released(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, lines=[(await voucher(session), 1)], deliveries=[])
    await hold_order(session, order.id, reason="Strange.", cause=CAUSE)
    await pay(session, order)
    await session.commit()
    await run_until_idle(shop)
    assert (await reload(session, order)).fulfilment_status is FulfilmentStatus.UNFULFILLED

    await release_order(session, order.id, cause=CAUSE)
    await session.commit()
    await run_until_idle(shop)

    assert (await reload(session, order)).fulfilment_status is FulfilmentStatus.DELIVERED
    await session.commit()


async def test_of_a_mixed_order_only_what_is_sent_has_weight_and_fee(
    shop: Shop, session: AsyncSession
) -> None:
    cheap = {CurrencyCode.CNY: 1_000}
    tea = await a_variant(session, weight_grams=900, prices=cheap)
    card = await voucher(session, weight_grams=5_000)
    account = await create_account(session)
    unmixed = await quote_order(session, request_for(account, [(tea, 1)]), now=NOW)

    mixed = await quote_order(session, request_for(account, [(tea, 1), (card, 1)]), now=NOW)
    named = await quote_order(
        session,
        request_for(account, [(tea, 1), (card, 1)], deliveries=[deliver_to(HANGZHOU, [(tea, 1), (card, 1)])]),
        now=NOW,
    )

    assert unmixed.shipping.minor > 0
    assert mixed.shipping == named.shipping == unmixed.shipping
    assert [dict(delivery.quantities) for delivery in mixed.deliveries] == [{0: 1}]
    assert mixed.problems == named.problems == []


async def test_a_mixed_order_is_partly_delivered_and_what_is_left_can_be_cancelled(
    shop: Shop, session: AsyncSession
) -> None:
    tea, card = await a_variant(session), await voucher(session)
    order = await create_order(session, lines=[(tea, 1), (card, 1)])
    await pay(session, order)
    await session.commit()
    await run_until_idle(shop)
    assert (await reload(session, order)).fulfilment_status is FulfilmentStatus.PARTIALLY_DELIVERED

    with pytest.raises(WrongState):
        await cancel_order(session, order.id, reason="No.", cause=CAUSE)
    line = (
        await session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id, OrderLine.variant_id == tea.id)
        )
    ).one()
    await cancel_lines(
        session,
        order.id,
        [ClaimedUnits(line.id, 1)],
        reason="No.",
        receipt_after=RECEIPT_AFTER,
        cause=CAUSE,
    )

    order = await reload(session, order)
    assert (order.status, order.fulfilment_status) == (OrderStatus.CONFIRMED, FulfilmentStatus.DELIVERED)
    await session.commit()


async def test_a_mixed_order_is_being_prepared_until_its_parcel_leaves(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, lines=[(await a_variant(session), 2), (await voucher(session), 1)])
    await pay(session, order)
    await deliver_unshipped(session, order.id, cause=CAUSE, receipt_after=RECEIPT_AFTER)
    shown = [order.display_status]
    await pack(session, order)
    shown.append(order.display_status)
    await session.commit()
    before = await audit_books(session)
    await mark_as_the_last_release(session)
    stored = [each.rule for each in await audit_books(session)]
    last = await mark_unsent_orders(session, 0)
    assert (last, await mark_unsent_orders(session, order.id)) == (order.id, None)
    after = await audit_books(session)
    await session.commit()
    order = await reload(session, order)
    [parcel] = await session.scalars(select(Shipment).where(Shipment.status == ShipmentStatus.PENDING))
    await dispatch_shipment(
        session, parcel.id, carrier=SIMULATED_CARRIER, tracking_number="SIM-1", cause=CAUSE
    )
    shown.append(order.display_status)
    await session.commit()

    assert [each.value for each in shown] == ["PREPARING", "PREPARING", "ON_THE_WAY"]
    assert order.fulfilment_status is FulfilmentStatus.PARTIALLY_DELIVERED
    assert (before, stored, after) == ([], ["sent as the parcels say"], [])


async def mark_as_the_last_release(session: AsyncSession) -> None:
    await session.execute(update(Order).values(nothing_sent=False))
    await session.commit()


async def test_a_mixed_order_is_delivered_when_its_parcel_is_too(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, lines=[(await a_variant(session), 1), (await voucher(session), 1)])
    await pay(session, order)
    await deliver(session, order)
    assert (await reload(session, order)).fulfilment_status is FulfilmentStatus.PARTIALLY_DELIVERED
    await deliver_unshipped(session, order.id, cause=CAUSE, receipt_after=RECEIPT_AFTER)
    assert (await reload(session, order)).fulfilment_status is FulfilmentStatus.DELIVERED
    methods = await session.scalars(
        select(Delivery.method).where(Delivery.order_id == order.id).order_by(Delivery.position)
    )
    assert list(methods) == [ShippingMethod.STANDARD, ShippingMethod.NONE]
    await session.commit()


@pytest.mark.parametrize(
    ("with_tea", "cash", "message"),
    [
        (False, 9_900, "Nothing of this order comes to a door, where it could be paid"),
        (True, 10_000, "must be paid in advance"),
    ],
)
async def test_nothing_is_paid_at_a_door_that_it_does_not_come_to(
    shop: Shop, session: AsyncSession, with_tea: bool, cash: int, message: str
) -> None:
    lines = [(await voucher(session), 1)] + ([(await a_variant(session), 1)] if with_tea else [])

    with pytest.raises(Invalid, match=message):
        await create_order(session, lines=lines, payments={CASH: cash, SANDBOX: None})

    assert list(await session.scalars(select(Order.id))) == []


async def test_a_claim_on_it_is_a_refund_and_no_goods_come_back(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, lines=[(await voucher(session), 1)], deliveries=[])
    await pay(session, order)
    await deliver_unshipped(session, order.id, cause=CAUSE, receipt_after=RECEIPT_AFTER)

    with pytest.raises(Exception, match="was not sent and cannot come back") as refused:
        await create_ticket(
            session, order=order, type=TicketType.RETURN_REFUND, reason=TicketReason.QUALITY_FAULT
        )
    assert getattr(refused.value, "obstacle", None) is TicketObstacle.NOT_RETURNABLE
    ticket = await create_ticket(
        session, order=order, type=TicketType.REFUND_ONLY, reason=TicketReason.QUALITY_FAULT
    )
    assert ticket.refund_amount == 9_900
    await session.commit()


async def test_it_is_cancelled_before_it_is_paid_and_not_afterwards(
    shop: Shop, session: AsyncSession
) -> None:
    card = await voucher(session, stock={"MAIN": 3})
    unpaid = await create_order(session, lines=[(card, 1)], deliveries=[])
    await cancel_order(session, unpaid.id, reason="No.", cause=CAUSE)
    level = await session.get_one(StockLevel, (card.id, 1), populate_existing=True)
    assert (level.on_hand, level.reserved) == (3, 0)
    paid = await create_order(session, lines=[(card, 1)], deliveries=[])
    await pay(session, paid)
    await deliver_unshipped(session, paid.id, cause=CAUSE, receipt_after=RECEIPT_AFTER)
    with pytest.raises(WrongState):
        await cancel_order(session, paid.id, reason="No.", cause=CAUSE)
    await session.commit()


async def test_a_line_that_is_sent_still_needs_an_address(shop: Shop, session: AsyncSession) -> None:
    lines = [(await voucher(session), 1), (await a_variant(session), 1)]

    with pytest.raises(Invalid, match="Say where it goes"):
        await create_order(session, lines=lines, deliveries=[])
