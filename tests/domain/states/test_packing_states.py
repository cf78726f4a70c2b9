"""What may happen to a wave and to an open parcel in each of their states."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment import ParcelToPack, pack_shipments
from domain.shipment.open_parcels import (
    Scan,
    cancel_forgotten_parcel,
    cancel_open_parcel,
    end_open_parcels_of_order,
    scan_into_parcel,
)
from domain.shipment.waves import cancel_wave, drop_order_from_waves
from events.shop import Shop
from models import OpenParcel, OpenParcelStatus, Order, Variant, Wave, WaveDropReason, WavePart, WaveStatus
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.packing import create_open_parcel, create_wave
from tests.factories.shipment import NOW, confirmed_order, pack

EAN = "6901234567892"
CAUSE = Cause(NOW)


async def wave_in_state(session: AsyncSession, state: str) -> Wave:
    wave = await create_wave(session, await confirmed_order(session))
    if state == WaveStatus.COMPLETED:
        await pack_wave(session, wave)
    if state == WaveStatus.CANCELLED:
        await give_up_wave(session, wave)
    await session.refresh(wave)
    return wave


async def order_of_wave(session: AsyncSession, wave: Wave) -> Order:
    part = (await session.scalars(select(WavePart).where(WavePart.wave_id == wave.id))).one()
    return await session.get_one(Order, part.order_id)


async def pack_wave(session: AsyncSession, wave: Wave) -> None:
    await pack(session, await order_of_wave(session, wave))


async def drop_wave(session: AsyncSession, wave: Wave) -> None:
    order = await order_of_wave(session, wave)
    await drop_order_from_waves(session, order.id, WaveDropReason.ORDER_CANCELLED, now=NOW)


async def give_up_wave(session: AsyncSession, wave: Wave) -> None:
    await cancel_wave(session, wave.id, cause=CAUSE)


WAVE: Mapping[str, Command] = {
    "everything is packed": pack_wave,
    "the order is cancelled": drop_wave,
    "staff give it up": give_up_wave,
}


async def parcel_in_state(session: AsyncSession, state: str) -> OpenParcel:
    parcel = await create_open_parcel(session, await confirmed_order(session))
    variants = await session.scalars(select(Variant))
    for variant in variants:
        variant.barcode = EAN
    await scan(session, parcel)
    if state == OpenParcelStatus.PACKED:
        await close(session, parcel)
    if state == OpenParcelStatus.CANCELLED:
        await give_up(session, parcel)
    return parcel


async def scan(session: AsyncSession, parcel: OpenParcel) -> None:
    await scan_into_parcel(session, parcel.id, Scan(EAN), cause=CAUSE)


async def close(session: AsyncSession, parcel: OpenParcel) -> None:
    contents = [ParcelToPack([], open_parcel_id=parcel.id)]
    numbers = [f"CLOSED-{parcel.id}"]
    await pack_shipments(session, parcel.delivery_id, contents, numbers=numbers, cause=CAUSE)


async def give_up(session: AsyncSession, parcel: OpenParcel) -> None:
    await cancel_open_parcel(session, parcel.id, cause=CAUSE)


async def hold(session: AsyncSession, parcel: OpenParcel) -> None:
    await end_open_parcels_of_order(session, parcel.order_id, WaveDropReason.ORDER_HELD, now=NOW)


async def forget(session: AsyncSession, parcel: OpenParcel) -> None:
    late = NOW + timedelta(hours=2)
    await cancel_forgotten_parcel(session, parcel.id, touched_before=NOW, cause=Cause(late))


PARCEL: Mapping[str, Command] = {
    "another unit is scanned": scan,
    "it is packed": close,
    "staff give it up": give_up,
    "the order is held": hold,
    "nobody goes on with it": forget,
}


@pytest.mark.parametrize("state", documented_outcomes("Waves"))
async def test_what_may_happen_to_a_wave(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Waves", state, wave_in_state, WAVE)


@pytest.mark.parametrize("state", documented_outcomes("Open parcels"))
async def test_what_may_happen_to_an_open_parcel(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Open parcels", state, parcel_in_state, PARCEL)
