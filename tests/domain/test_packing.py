"""Packing deliveries into parcels, and unpacking."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, DomainError, Invalid, LimitReached, NotFound, WrongState
from domain.shipment import (
    ParcelLine,
    ParcelToPack,
    pack_shipments,
    unpack_shipment,
)
from domain.shipment.packing import PARCELS_LIMIT
from events.shop import Shop
from models import (
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    OrderStatus,
    ParcelSize,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    Subject,
)
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import CHENGDU, HANGZHOU, create_order, deliver_to
from tests.factories.shipment import (
    NOW,
    confirmed_order,
    create_shipment,
    delivery_of,
    event_names,
    line_of,
    order_events,
    pack,
    send,
)

HOUR = timedelta(hours=1)
S = ShipmentStatus
F = FulfilmentStatus


async def test_a_delivery_is_packed_into_several_parcels_at_once(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session, quantity=3)
    line = await line_of(session, order)
    contents = [
        ParcelToPack([ParcelLine(line.id, 2)], weight_grams=1_250, size=ParcelSize(300, 200, 100)),
        ParcelToPack([ParcelLine(line.id, 1)]),
    ]

    first, second = await pack_shipments(
        session, line.delivery_id, contents, numbers=["P1", "P2"], cause=Cause(NOW, order.account_id)
    )

    await session.refresh(line)
    assert (first.number, second.number) == ("P1", "P2")
    assert (first.weight_grams, second.weight_grams) == (1_250, 500)
    assert (first.size, second.size) == (ParcelSize(300, 200, 100), None)
    assert (first.status, first.version) == (S.PENDING, 1)
    assert line.packed == 3
    assert order.fulfilment_status is F.PACKING
    assert await order_events(session, order) == ["order.packing"]
    assert await event_names(session, Subject.SHIPMENT, first.id) == ["shipment.packed"]
    await session.commit()


async def test_no_more_is_packed_than_is_left(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session, quantity=3)
    await pack(session, order, 2)
    await session.commit()

    async with shop.database.writes() as session:
        with pytest.raises(Conflict) as refused:
            await pack(session, order, 1, 1)
        await session.rollback()

    assert str(refused.value) == "Oolong tea is packed."
    assert refused.value.field == ("parcels", 1, "lines", 0, "quantity")
    async with shop.database.reads() as session:
        assert (await line_of(session, order)).packed == 2
        assert len((await session.scalars(select(Shipment))).all()) == 1


async def test_two_clerks_never_pack_the_same_unit(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session, quantity=3)
    await session.commit()

    async def clerk() -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await pack(session, order, 2)
        except Conflict:
            return False
        return True

    done = await asyncio.gather(*(clerk() for _ in range(6)))

    assert done.count(True) == 1
    async with shop.database.reads() as session:
        assert (await line_of(session, order)).packed == 2
        assert len((await session.scalars(select(Shipment))).all()) == 1


async def test_only_a_confirmed_order_is_packed(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.PENDING)

    with pytest.raises(WrongState, match=f"Order {order.number} is pending: nothing of it may leave."):
        await pack(session, order)

    assert order.fulfilment_status is F.UNFULFILLED
    assert (await line_of(session, order)).packed == 0
    await session.commit()


@pytest.mark.parametrize(
    ("content", "refusal", "field"),
    [
        ([], Invalid, ("parcels", 0, "lines")),
        ([(0, 0)], Invalid, ("parcels", 0, "lines", 0, "quantity")),
        ([(0, -1)], Invalid, ("parcels", 0, "lines", 0, "quantity")),
        ([(0, 1), (0, 1)], Invalid, ("parcels", 0, "lines")),
        ([(1_000, 1)], NotFound, ("parcels", 0, "lines", 0, "delivery_line_id")),
    ],
)
async def test_a_parcel_holds_units_of_its_delivery(
    shop: Shop,
    session: AsyncSession,
    content: list[tuple[int, int]],
    refusal: type[DomainError],
    field: tuple[str | int, ...],
) -> None:
    order = await confirmed_order(session)
    line = await line_of(session, order)
    picked = [ParcelLine(line.id + offset, quantity) for offset, quantity in content]

    with pytest.raises(refusal) as refused:
        await pack_shipments(
            session, line.delivery_id, [ParcelToPack(picked)], numbers=["P1"], cause=Cause(NOW)
        )

    assert refused.value.field == field
    assert (await line_of(session, order)).packed == 0
    await session.commit()


async def test_a_parcel_is_packed_in_one_warehouse(shop: Shop, session: AsyncSession) -> None:
    north = await variant_of(session, await create_product(session, stock={"NORTH": 5}))
    south = await variant_of(session, await create_product(session, stock={"SOUTH": 5}))
    order = await create_order(session, status=OrderStatus.CONFIRMED, lines=[(north, 1), (south, 1)])
    delivery = await delivery_of(session, order)
    lines = await session.scalars(select(DeliveryLine).where(DeliveryLine.delivery_id == delivery.id))
    both = ParcelToPack([ParcelLine(line.id, 1) for line in lines])

    with pytest.raises(Invalid, match="A parcel is packed in one warehouse"):
        await pack_shipments(session, delivery.id, [both], numbers=["P1"], cause=Cause(NOW))
    await session.commit()


@pytest.mark.parametrize(
    ("parcel", "field"),
    [
        (ParcelToPack([], weight_grams=0), ("parcels", 0, "weight_grams")),
        (ParcelToPack([], weight_grams=1_000_001), ("parcels", 0, "weight_grams")),
        (ParcelToPack([], size=ParcelSize(0, 1, 1)), ("parcels", 0, "size")),
        (ParcelToPack([], size=ParcelSize(1, 1, 10_001)), ("parcels", 0, "size")),
    ],
)
async def test_weight_and_size_of_a_parcel_have_limits(
    shop: Shop, session: AsyncSession, parcel: ParcelToPack, field: tuple[str | int, ...]
) -> None:
    order = await confirmed_order(session)
    delivery, line = await delivery_of(session, order), await line_of(session, order)
    full = replace(parcel, lines=[ParcelLine(line.id, 1)])

    with pytest.raises(Invalid) as refused:
        await pack_shipments(session, delivery.id, [full], numbers=["P1"], cause=Cause(NOW))

    assert refused.value.field == field
    await session.commit()


async def test_the_number_of_parcels_packed_at_once_has_limits(shop: Shop, session: AsyncSession) -> None:
    delivery = await delivery_of(session, await confirmed_order(session))
    many = [ParcelToPack([])] * (PARCELS_LIMIT + 1)

    with pytest.raises(Invalid, match="at least one parcel"):
        await pack_shipments(session, delivery.id, [], numbers=[], cause=Cause(NOW))
    with pytest.raises(LimitReached):
        await pack_shipments(session, delivery.id, many, numbers=[""] * len(many), cause=Cause(NOW))
    with pytest.raises(NotFound):
        await pack_shipments(session, delivery.id + 1, [], numbers=[], cause=Cause(NOW))
    await session.commit()


async def test_the_lines_of_an_unpacked_parcel_can_be_packed_again(shop: Shop, session: AsyncSession) -> None:
    order = await confirmed_order(session)
    [shipment] = await pack(session, order)

    delivery = await unpack_shipment(session, shipment.id, cause=Cause(NOW, order.account_id))

    assert delivery.order_id == order.id
    assert (await line_of(session, order)).packed == 0
    assert (await session.scalars(select(ShipmentLine))).all() == []
    assert order.fulfilment_status is F.UNFULFILLED
    assert await order_events(session, order) == ["order.packing", "order.unfulfilled"]
    assert await event_names(session, Subject.SHIPMENT, shipment.id) == [
        "shipment.packed",
        "shipment.unpacked",
    ]
    [again] = await pack(session, order)
    assert again.id > shipment.id
    await session.commit()


async def test_a_dispatched_parcel_cannot_be_unpacked(shop: Shop, session: AsyncSession) -> None:
    shipment = await create_shipment(session)

    with pytest.raises(WrongState, match="This shipment has already left"):
        await unpack_shipment(session, shipment.id, cause=Cause(NOW))
    await session.commit()


async def test_deliveries_to_two_addresses_are_packed_apart(shop: Shop, session: AsyncSession) -> None:
    variant = await variant_of(session, await create_product(session))
    there = [deliver_to(HANGZHOU, [(variant, 1)]), deliver_to(CHENGDU, [(variant, 2)])]
    order = await create_order(session, status=OrderStatus.CONFIRMED, lines=[(variant, 3)], deliveries=there)
    first = await line_of(session, order)
    other = await session.scalar(
        select(Delivery.id).where(Delivery.order_id == order.id, Delivery.id != first.delivery_id)
    )
    assert other is not None

    with pytest.raises(NotFound):
        await pack_shipments(
            session, other, [ParcelToPack([ParcelLine(first.id, 1)])], numbers=["P1"], cause=Cause(NOW)
        )
    [shipment] = await pack(session, order)
    await send(session, shipment)

    assert order.fulfilment_status is F.PARTIALLY_SHIPPED
    await session.commit()
