"""Collecting at a shop: from its stock only, by a code, for cash, until a deadline."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import PlannedStop, plan_delivery_run
from domain.errors import Invalid, NotFound, OutOfStock, WrongState
from domain.order import AmountMismatch, RequestedLine, cancel_order, lock_order
from domain.pickup import end_overdue_pickup
from domain.removal import RemovalOutcome
from domain.shipment import check_dispatchable
from domain.stock import remove_warehouse
from events.shop import Shop
from models import (
    CurrencyCode,
    Delivery,
    DeliveryRun,
    DeliveryRunStop,
    FulfilmentStatus,
    Order,
    OrderDisplayStatus,
    OrderPaymentStatus,
    OrderStatus,
    PickupStatus,
    Refund,
    Role,
    Shipment,
    ShipmentStatus,
    StockLevel,
    Variant,
)
from tests.factories.account import create_account
from tests.factories.order import (
    CASH,
    COLLECT_WITHIN,
    HANGZHOU,
    NOW,
    RECEIPT_AFTER,
    a_variant,
    create_order,
    deliver_to,
    pack,
    pay,
)
from tests.factories.pickup import (
    collect_at,
    create_collected_order,
    create_pickup_place,
    hand_over,
    make_ready,
    pickup_of,
)
from tests.factories.stock import create_warehouse
from tests.observe import run_until_idle

CAUSE = Cause(NOW)


async def level_at(session: AsyncSession, variant: Variant, warehouse_id: int) -> tuple[int, int]:
    level = await session.get_one(StockLevel, (variant.id, warehouse_id), populate_existing=True)
    return level.on_hand, level.reserved


async def test_what_is_collected_comes_from_its_place_only_and_costs_no_fee(
    shop: Shop, session: AsyncSession
) -> None:
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"MAIN": 5, "SHOP": 1}, prices={CurrencyCode.CNY: 1_000})

    order, delivery = await create_collected_order(session, tea, place)

    assert (order.total_amount, order.shipping_amount) == (1_000, 0)
    assert (delivery.city, delivery.line1) == (place.city, place.line1)
    assert await level_at(session, tea, place.id) == (1, 1)
    with pytest.raises(OutOfStock):
        await create_order(session, lines=[(tea, 1)], deliveries=[collect_at(place)])
    await session.commit()


async def test_only_a_place_that_offers_it_is_chosen_and_without_an_address(
    shop: Shop, session: AsyncSession
) -> None:
    other = await create_warehouse(session, code="OTHER")
    tea = await a_variant(session, stock={"OTHER": 5})
    with pytest.raises(NotFound):
        await create_order(session, lines=[(tea, 1)], deliveries=[collect_at(other)])
    place = await create_pickup_place(session)
    both = replace(collect_at(place), postal=HANGZHOU)
    with pytest.raises(Invalid, match="What is collected"):
        await create_order(session, lines=[(tea, 1)], deliveries=[both])
    homeless = replace(deliver_to(HANGZHOU), pickup_warehouse_id=place.id)
    with pytest.raises(Invalid, match="Only PICKUP has a place"):
        await create_order(session, lines=[(tea, 1)], deliveries=[homeless])


async def test_the_customer_collects_by_the_code(shop: Shop, session: AsyncSession) -> None:
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 2})
    order, delivery = await create_collected_order(session, tea, place)
    pickup = await make_ready(session, delivery)
    assert pickup.due_at == NOW + COLLECT_WITHIN
    assert (await lock_order(session, order.id)).display_status is OrderDisplayStatus.READY_FOR_PICKUP
    [shipment] = await session.scalars(select(Shipment).where(Shipment.delivery_id == delivery.id))
    assert shipment.status is ShipmentStatus.READY_FOR_PICKUP
    with pytest.raises(WrongState):
        check_dispatchable(shipment, order, delivery)
    with pytest.raises(WrongState):
        await hand_over(session, delivery, place.id + 1)

    assert await hand_over(session, delivery, place.id, right=False) is None
    collected = await hand_over(session, delivery, place.id)

    assert collected is not None
    assert (collected.status, collected.failed_tries) == (PickupStatus.COLLECTED, 1)
    order = await lock_order(session, order.id)
    assert order.fulfilment_status is FulfilmentStatus.DELIVERED
    assert order.display_status is OrderDisplayStatus.DELIVERED
    assert order.receipt_due_at == NOW + RECEIPT_AFTER
    assert await level_at(session, tea, place.id) == (1, 0)
    with pytest.raises(WrongState):
        await hand_over(session, delivery, place.id)
    await session.commit()


async def test_cash_is_collected_at_the_counter_exactly(shop: Shop, session: AsyncSession) -> None:
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 2})
    order, delivery = await create_collected_order(session, tea, place, payments={CASH: None})
    await make_ready(session, delivery)

    with pytest.raises(AmountMismatch):
        await hand_over(session, delivery, place.id)
    await hand_over(session, delivery, place.id, cash=9_900)

    assert (await lock_order(session, order.id)).payment_status is OrderPaymentStatus.PAID
    await session.commit()


async def test_what_is_not_collected_in_time_goes_back_and_the_money_too(
    shop: Shop, session: AsyncSession
) -> None:
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 2})
    order, delivery = await create_collected_order(session, tea, place)
    await make_ready(session, delivery)
    early, late = Cause(NOW + COLLECT_WITHIN / 2), Cause(NOW + COLLECT_WITHIN)
    assert not await end_overdue_pickup(session, delivery.id, receipt_after=RECEIPT_AFTER, cause=early)
    assert await end_overdue_pickup(session, delivery.id, receipt_after=RECEIPT_AFTER, cause=late)
    assert not await end_overdue_pickup(session, delivery.id, receipt_after=RECEIPT_AFTER, cause=late)
    await session.commit()
    await run_until_idle(shop)

    order = await lock_order(session, order.id)
    assert order.status is OrderStatus.CANCELLED
    assert await level_at(session, tea, place.id) == (2, 0)
    assert [refund.amount for refund in await session.scalars(select(Refund))] == [9_900]
    await session.commit()


async def test_of_an_order_with_a_parcel_only_what_is_not_collected_ends(
    shop: Shop, session: AsyncSession
) -> None:
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 2, "MAIN": 2})
    jug = await a_variant(session, stock={"MAIN": 2})
    order = await create_order(
        session,
        lines=[(tea, 2), (jug, 1)],
        deliveries=[
            deliver_to(HANGZHOU, [(tea, 1), (jug, 1)]),
            replace(collect_at(place), lines=[RequestedLine(tea.id, 1)]),
        ],
    )
    await pay(session, order)
    await pack(session, order)
    delivery = (
        await session.scalars(select(Delivery).where(Delivery.order_id == order.id, Delivery.position == 2))
    ).one()
    await make_ready(session, delivery)

    late = Cause(NOW + COLLECT_WITHIN)
    assert await end_overdue_pickup(session, delivery.id, receipt_after=RECEIPT_AFTER, cause=late)

    order = await lock_order(session, order.id)
    assert order.status is OrderStatus.CONFIRMED
    assert [refund.amount for refund in await session.scalars(select(Refund))] == [9_900]
    assert await level_at(session, tea, place.id) == (2, 0)
    await session.commit()


async def test_the_customer_cancels_the_order_before_collecting(shop: Shop, session: AsyncSession) -> None:
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 2})
    order, delivery = await create_collected_order(session, tea, place)
    await make_ready(session, delivery)

    await cancel_order(session, order.id, reason="No.", cause=CAUSE)
    await session.commit()
    await run_until_idle(shop)

    assert (await pickup_of(session, delivery)).status is PickupStatus.ENDED
    assert list(await session.scalars(select(Shipment.id))) == []
    assert await level_at(session, tea, place.id) == (2, 0)
    assert (await session.get_one(Order, order.id)).status is OrderStatus.CANCELLED
    await session.commit()


async def test_what_waits_at_a_place_that_has_closed_is_still_handed_over(
    shop: Shop, session: AsyncSession
) -> None:
    await create_warehouse(session, code="MAIN")
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 1})
    order, delivery = await create_collected_order(session, tea, place)
    await make_ready(session, delivery)
    place.active = place.allows_pickup = False
    await session.flush()
    with pytest.raises(WrongState, match="1 units in this warehouse"):
        await remove_warehouse(session, place.id, now=NOW)

    await hand_over(session, delivery, place.id)

    assert (await lock_order(session, order.id)).fulfilment_status is FulfilmentStatus.DELIVERED
    assert await level_at(session, tea, place.id) == (0, 0)
    _, outcome = await remove_warehouse(session, place.id, now=NOW)
    assert outcome is RemovalOutcome.ARCHIVED
    await session.commit()


async def test_a_run_of_couriers_leaves_out_what_is_collected(shop: Shop, session: AsyncSession) -> None:
    place = await create_pickup_place(session)
    tea = await a_variant(session, stock={"SHOP": 5})
    _, delivery = await create_collected_order(session, tea, place)
    sent = await create_order(session, lines=[(tea, 1)])
    await pay(session, sent)
    [parcel] = await pack(session, sent)
    await make_ready(session, delivery)
    [collected] = await session.scalars(select(Shipment).where(Shipment.delivery_id == delivery.id))
    courier = await create_account(session, role=Role.COURIER)

    async def plan(*shipment_ids: int) -> DeliveryRun:
        stops = [PlannedStop(shipment_id, timedelta(minutes=5)) for shipment_id in shipment_ids]
        return await plan_delivery_run(
            session, courier_id=courier.id, warehouse_id=place.id, vehicle="", stops=stops, cause=CAUSE
        )

    with pytest.raises(WrongState, match="is collected by its customer"):
        await plan(collected.id)
    run = await plan(collected.id, parcel.id)

    skipped = await session.scalars(
        select(DeliveryRunStop.skipped)
        .where(DeliveryRunStop.delivery_run_id == run.id)
        .order_by(DeliveryRunStop.position)
    )
    assert list(skipped) == [True, False]
    await hand_over(session, delivery, place.id)
    await session.commit()
