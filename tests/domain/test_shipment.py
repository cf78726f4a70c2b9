"""Dispatching parcels, and the fulfilment status of orders."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Taken, WrongState
from domain.order import cancel_order, lock_order
from domain.shipment import (
    FINAL,
    TRANSITIONS,
    PackedParcel,
    ParcelLine,
    ParcelToPack,
    fulfilment_of,
    pack_shipments,
)
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    FulfilmentStatus,
    MovementKind,
    Order,
    OrderStatus,
    ShipmentStatus,
    StockLevel,
    StockMovement,
    Subject,
)
from tests.factories.order import create_order, events_of
from tests.factories.shipment import (
    NOW,
    confirmed_order,
    create_replacement,
    event_names,
    line_of,
    order_events,
    pack,
    send,
    track,
    tracking_fact,
)

HOUR = timedelta(hours=1)
S = ShipmentStatus
F = FulfilmentStatus


def packed(units: int) -> PackedParcel:
    return PackedParcel(units, None, S.PENDING)


def parcel(units: int, status: ShipmentStatus) -> PackedParcel:
    return PackedParcel(units, NOW, status)


@pytest.mark.parametrize(
    ("parcels", "status"),
    [
        ([], F.UNFULFILLED),
        ([packed(1)], F.PACKING),
        ([packed(5)], F.PACKING),
        ([parcel(2, S.PENDING)], F.PARTIALLY_SHIPPED),
        ([parcel(2, S.IN_TRANSIT), packed(3)], F.PARTIALLY_SHIPPED),
        ([parcel(2, S.RETURNED), packed(3)], F.PARTIALLY_SHIPPED),
        ([parcel(5, S.PENDING)], F.SHIPPED),
        ([parcel(2, S.ON_HOLD), parcel(3, S.DELIVERY_FAILED)], F.SHIPPED),
        ([parcel(2, S.RETURNED), parcel(3, S.IN_TRANSIT)], F.SHIPPED),
        ([parcel(2, S.DELIVERED)], F.PARTIALLY_DELIVERED),
        ([parcel(2, S.DELIVERED), packed(3)], F.PARTIALLY_DELIVERED),
        ([parcel(2, S.DELIVERED), parcel(3, S.OUT_FOR_DELIVERY)], F.PARTIALLY_DELIVERED),
        ([parcel(5, S.DELIVERED)], F.DELIVERED),
        ([parcel(2, S.DELIVERED), parcel(3, S.DELIVERED)], F.DELIVERED),
        ([parcel(2, S.DELIVERED), parcel(3, S.RETURNED)], F.DELIVERED),
        ([parcel(2, S.RETURNED), parcel(3, S.RETURNED)], F.RETURNED),
    ],
)
def test_the_fulfilment_status_of_an_order_follows_from_its_parcels(
    parcels: list[PackedParcel], status: FulfilmentStatus
) -> None:
    assert fulfilment_of(5, parcels) is status


@pytest.mark.parametrize("before", ShipmentStatus)
@pytest.mark.parametrize("after", ShipmentStatus)
def test_a_shipment_takes_any_status_but_pending_until_a_final_one(
    before: ShipmentStatus, after: ShipmentStatus
) -> None:
    allowed = before not in {S.DELIVERED, S.RETURNED} and after not in {S.PENDING, before}

    assert (after in TRANSITIONS[before]) is allowed
    assert (before in FINAL) is (not TRANSITIONS[before])


async def level_of(session: AsyncSession, order: Order) -> tuple[int, int]:
    """On hand and reserved of what an order's first line takes."""
    line = await line_of(session, order)
    level = (
        await session.scalars(
            select(StockLevel)
            .where(StockLevel.warehouse_id == line.warehouse_id)
            .order_by(StockLevel.variant_id.desc())
            .limit(1)
            .execution_options(populate_existing=True)
        )
    ).one()
    return level.on_hand, level.reserved


async def test_dispatched_units_leave_the_stock(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session, quantity=3)
    first, second = await pack(session, order, 2, 1)
    assert await level_of(session, order) == (10, 3)

    await send(session, first, tracking_number="W1", poll_at=NOW + HOUR)

    assert await level_of(session, order) == (8, 1)
    assert (first.carrier, first.tracking_number) == (SIMULATED_CARRIER, "W1")
    assert (first.dispatched_at, first.poll_at, first.status) == (NOW, NOW + HOUR, S.PENDING)
    await send(session, second)
    assert await level_of(session, order) == (7, 0)
    assert order.fulfilment_status is F.SHIPPED
    assert await order_events(session, order) == [
        "order.packing",
        "order.partially_shipped",
        "order.shipped",
    ]
    assert await event_names(session, Subject.SHIPMENT, first.id) == [
        "shipment.packed",
        "shipment.dispatched",
    ]
    await session.commit()


async def test_units_that_were_not_reserved_do_not_leave_the_stock(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session, tracked=False)
    [shipment] = await pack(session, order)

    await send(session, shipment)

    shipped = select(StockMovement).where(StockMovement.kind == MovementKind.SHIPPED)
    assert (await session.scalars(shipped)).all() == []
    assert order.fulfilment_status is F.SHIPPED
    await session.commit()


async def test_a_parcel_is_dispatched_once(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session, quantity=3)
    [shipment] = await pack(session, order)
    await session.commit()

    async def clerk() -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await send(session, shipment)
        except WrongState:
            return False
        return True

    done = await asyncio.gather(*(clerk() for _ in range(4)))

    assert done.count(True) == 1
    async with shop.database.reads() as session:
        assert await level_of(session, order) == (7, 0)


async def test_a_parcel_of_a_cancelled_order_is_not_dispatched(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session)
    [shipment] = await pack(session, order)
    await cancel_order(session, order.id, reason="No more.", cause=Cause(NOW, order.account_id))

    with pytest.raises(WrongState, match="is cancelled: nothing of it may leave"):
        await send(session, shipment)

    assert (shipment.dispatched_at, shipment.carrier) == (None, None)
    assert await level_of(session, order) == (10, 0)
    await session.commit()


async def test_a_waybill_belongs_to_one_parcel(shop: Shop, session: AsyncSession) -> None:
    first, second = await pack(session, await confirmed_order(session), 1, 1)
    await send(session, first, tracking_number="W1")

    with pytest.raises(Taken) as refused:
        await send(session, second, tracking_number="W1")

    assert refused.value.field == ("tracking_number",)
    assert second.dispatched_at is None
    await session.commit()


async def test_a_replacement_is_delivered_without_changing_its_orders_fulfilment(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    replacement = await create_replacement(session, order)
    parcels = [ParcelToPack([ParcelLine(replacement.id, 1)])]

    [shipment] = await pack_shipments(
        session, replacement.delivery_id, parcels, numbers=["R1"], cause=Cause(NOW)
    )
    await send(session, shipment)
    await track(session, shipment, tracking_fact(S.DELIVERED))

    assert shipment.status is S.DELIVERED
    assert (order.status, order.fulfilment_status) == (OrderStatus.CONFIRMED, F.DELIVERED)
    assert (await events_of(session, order))[-1] == "order.reopened"
    await session.commit()


async def test_dispatching_and_cancelling_at_once_end_in_one_of_the_two(
    shop: Shop, session: AsyncSession
) -> None:
    order = await confirmed_order(session)
    [shipment] = await pack(session, order)
    await session.commit()

    async def leave() -> str:
        try:
            async with shop.database.writes.begin() as session:
                await send(session, shipment)
        except WrongState:
            return "stayed"
        return "left"

    async def cancel() -> str:
        try:
            async with shop.database.writes.begin() as session:
                await cancel_order(session, order.id, reason="No more.", cause=Cause(NOW, order.account_id))
        except WrongState:
            return "goes on"
        return "cancelled"

    ended = await asyncio.gather(leave(), cancel())

    status = (await lock_order(session, order.id)).status
    level = await level_of(session, order)
    await session.commit()
    assert (*ended, status, level) in {
        ("left", "goes on", OrderStatus.CONFIRMED, (7, 0)),
        ("stayed", "cancelled", OrderStatus.CANCELLED, (10, 0)),
    }
