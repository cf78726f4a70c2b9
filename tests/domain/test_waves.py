"""Waves: what one warehouse picks together, each delivery in one wave at a time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import Conflict, DomainError, Invalid, NotFound, WrongState
from domain.order import cancel_order
from domain.order.editing import hold_order
from domain.shipment import unpack_shipment
from domain.shipment.waves import WaveDraft, cancel_wave, next_cut_off, open_wave
from events.shop import Shop
from models import (
    CarrierCode,
    OrderStatus,
    PaymentMethod,
    Wave,
    WaveDropReason,
    WavePart,
    WavePartStatus,
    WaveStatus,
    WaveUnits,
)
from models.database import Database
from tests.factories.carrier import create_carrier
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import CHENGDU, HANGZHOU, create_order, deliver_to
from tests.factories.packing import SHANGHAI, create_wave
from tests.factories.shipment import NOW, confirmed_order, line_of, pack
from tests.observe import run_until_idle

W = WaveStatus
P = WavePartStatus


async def parts_of(session: AsyncSession, wave: Wave) -> list[WavePart]:
    found = select(WavePart).where(WavePart.wave_id == wave.id).order_by(WavePart.id)
    return list(await session.scalars(found.execution_options(populate_existing=True)))


async def status_of(session: AsyncSession, wave: Wave) -> WaveStatus:
    await session.refresh(wave)
    return wave.status


async def test_a_wave_takes_what_can_be_packed_and_nothing_else(session: AsyncSession) -> None:
    paid = await confirmed_order(session)
    held = await confirmed_order(session)
    await hold_order(session, held.id, reason="Fraud?", cause=Cause(NOW))
    unpaid = await create_order(session, status=OrderStatus.PENDING)
    packed = await confirmed_order(session)
    await pack(session, packed)

    wave = await create_wave(session, paid)

    parts = await parts_of(session, wave)
    assert [(part.order_id, part.status) for part in parts] == [(paid.id, P.PICKING)]
    units = await session.scalars(select(WaveUnits).where(WaveUnits.part_id == parts[0].id))
    assert [each.quantity for each in units] == [3]
    assert unpaid.id != paid.id
    await session.commit()


async def test_a_delivery_is_in_one_wave_at_a_time(session: AsyncSession) -> None:
    order = await confirmed_order(session)
    first = await create_wave(session, order)

    with pytest.raises(Conflict, match="There is nothing to pick there"):
        await create_wave(session, order)

    await cancel_wave(session, first.id, cause=Cause(NOW))
    await cancel_wave(session, first.id, cause=Cause(NOW))
    again = await create_wave(session, order)
    assert [part.status for part in await parts_of(session, first)] == [P.FREED]
    assert [part.order_id for part in await parts_of(session, again)] == [order.id]
    assert await status_of(session, first) is W.CANCELLED
    await session.commit()


async def test_waves_that_are_opened_at_once_share_no_delivery(shop: Shop, session: AsyncSession) -> None:
    orders = [await confirmed_order(session) for _ in range(6)]
    await session.commit()

    async def open_one() -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await create_wave(session, orders[0], limit=2)
        except Conflict:
            return False
        return True

    done = await asyncio.gather(*(open_one() for _ in range(6)))

    async with shop.database.reads() as session:
        parts = list(await session.scalars(select(WavePart)))
    assert done.count(True) >= 1
    assert len({part.delivery_id for part in parts}) == len(parts)
    assert len(parts) == min(2 * done.count(True), 6)


async def test_a_wave_is_completed_when_all_of_it_is_packed(session: AsyncSession) -> None:
    first, second = await confirmed_order(session), await confirmed_order(session)
    wave = await create_wave(session, first)

    await pack(session, first, 2)
    assert [part.status for part in await parts_of(session, wave)] == [P.PICKING, P.PICKING]
    await pack(session, first, 1)
    assert [part.status for part in await parts_of(session, wave)] == [P.PACKED, P.PICKING]
    assert await status_of(session, wave) is W.OPEN
    [parcel] = await pack(session, second)

    assert await status_of(session, wave) is W.COMPLETED
    with pytest.raises(WrongState):
        await cancel_wave(session, wave.id, cause=Cause(NOW))
    await unpack_shipment(session, parcel.id, cause=Cause(NOW))
    assert [part.order_id for part in await parts_of(session, await create_wave(session, second))] == [
        second.id
    ]
    await session.commit()


async def test_the_last_two_parts_that_are_packed_at_once_complete_their_wave(
    shop: Shop, session: AsyncSession
) -> None:
    orders = [await confirmed_order(session) for _ in range(4)]
    wave = await create_wave(session, orders[0])
    await session.commit()

    async def pack_one(number: int) -> None:
        async with shop.database.writes.begin() as session:
            await pack(session, orders[number])

    await asyncio.gather(*(pack_one(number) for number in range(4)))

    async with shop.database.reads() as session:
        assert (await session.get_one(Wave, wave.id)).status is W.COMPLETED


async def test_what_is_cancelled_or_held_meanwhile_drops_out_with_its_reason(
    shop: Shop, session: AsyncSession
) -> None:
    cancelled, held, kept = [await confirmed_order(session) for _ in range(3)]
    wave = await create_wave(session, kept)
    await cancel_order(
        session, cancelled.id, reason="Changed my mind.", cause=Cause(NOW, cancelled.account_id)
    )
    await hold_order(session, held.id, reason="Fraud?", cause=Cause(NOW))
    await session.commit()

    await run_until_idle(shop)

    async with shop.database.writes.begin() as session:
        parts = await parts_of(session, wave)
        assert [(part.status, part.reason) for part in parts] == [
            (P.DROPPED, WaveDropReason.ORDER_CANCELLED),
            (P.DROPPED, WaveDropReason.ORDER_HELD),
            (P.PICKING, None),
        ]
        await pack(session, kept)
    async with shop.database.reads() as session:
        assert (await session.get_one(Wave, wave.id)).status is W.COMPLETED


async def test_express_comes_first_then_the_oldest_order(session: AsyncSession) -> None:
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 10}))
    old = await create_order(
        session, status=OrderStatus.CONFIRMED, lines=[(variant, 1)], now=NOW - timedelta(1)
    )
    new = await create_order(session, status=OrderStatus.CONFIRMED, lines=[(variant, 1)])
    two = await create_order(
        session,
        status=OrderStatus.CONFIRMED,
        lines=[(variant, 2)],
        deliveries=[deliver_to(HANGZHOU, [(variant, 1)]), deliver_to(CHENGDU, [(variant, 1)])],
    )

    wave = await create_wave(session, old, limit=2)
    rest = await create_wave(session, old, placed_before=NOW + timedelta(1))

    assert [part.order_id for part in await parts_of(session, wave)] == [old.id, new.id]
    assert [part.order_id for part in await parts_of(session, rest)] == [two.id, two.id]
    await session.commit()


async def test_a_carrier_that_takes_no_cash_gets_no_orders_that_are_paid_at_the_door(
    session: AsyncSession,
) -> None:
    (await create_carrier(session, "YTO")).cut_offs = {"SUNDAY": 18 * 60}
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 10}))
    cash = await create_order(session, lines=[(variant, 1)], payments={PaymentMethod.CASH_ON_DELIVERY: None})
    assert cash.status is OrderStatus.CONFIRMED
    paid = await create_order(session, status=OrderStatus.CONFIRMED, lines=[(variant, 1)])

    wave = await create_wave(session, paid, carrier=CarrierCode("YTO"))

    assert [part.order_id for part in await parts_of(session, wave)] == [paid.id]
    assert wave.due_at == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    await session.commit()


async def test_a_carrier_comes_next_at_its_next_cut_off(session: AsyncSession) -> None:
    carrier = await create_carrier(session, "YTO")
    carrier.cut_offs = {"SUNDAY": 18 * 60, "TUESDAY": 9 * 60 + 30}
    sunday = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)

    assert next_cut_off(carrier, sunday, SHANGHAI) == datetime(2026, 3, 3, 1, 30, tzinfo=UTC)
    carrier.cut_offs = {}
    assert next_cut_off(carrier, sunday, SHANGHAI) is None
    await session.commit()


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"limit": 0}, Invalid),
        ({"limit": 51}, Invalid),
        ({"methods": []}, Invalid),
        ({"carrier": "X"}, NotFound),
    ],
)
async def test_a_wave_without_sense_is_refused(
    session: AsyncSession, terms: dict[str, object], refusal: type[DomainError]
) -> None:
    order = await confirmed_order(session)

    with pytest.raises(refusal):
        await create_wave(session, order, **terms)
    with pytest.raises(NotFound):
        await open_wave(session, WaveDraft(10**9), number="W1", limit=5, zone=SHANGHAI, cause=Cause(NOW))
    assert list(await session.scalars(select(Wave))) == []
    assert (await line_of(session, order)).packed == 0
    await session.commit()


async def test_a_crowd_that_opens_waves_shares_no_delivery(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        orders = [await confirmed_order(session) for _ in range(10)]

    async def open_one() -> int:
        try:
            async with crowd.writes.begin() as session:
                await create_wave(session, orders[0], limit=3)
        except Conflict:
            return 0
        return 1

    await asyncio.gather(*(open_one() for _ in range(12)))

    async with crowd.reads() as session:
        parts = list(await session.scalars(select(WavePart)))
    assert len({part.delivery_id for part in parts}) == len(parts) >= 3
