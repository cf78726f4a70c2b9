"""What carriers are asked to collect at the door is together what an order has to pay there."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import WrongState
from domain.shipment import ParcelToPack, dispatch_shipment, pack_shipments
from events.shop import Shop
from gateways.carrier.protocol import BookedWaybill
from models import SIMULATED_CARRIER, Carrier, Payment, Shipment, ShippingMethod, Waybill
from tests.events.test_waybills import book, book_together, carrier_of_several
from tests.factories.carrier import ScriptedCarrier, connect_carrier
from tests.factories.order import CASH, HANGZHOU, a_variant, create_order, deliver_to, parcels_to_pack, pay
from tests.observe import run_until_idle

UNIT, FEE = 9_900, 1_400


async def parcels_with_a_fee(session: AsyncSession, shop: Shop, *units: int) -> Sequence[Shipment]:
    """Packed parcels of one delivery that is to be paid in cash, by a carrier that takes it."""
    variant, quantity = await a_variant(session, stock={"MAIN": 10}), sum(units)
    deliveries = [deliver_to(HANGZHOU, [(variant, quantity)], method=ShippingMethod.EXPRESS)]
    order = await create_order(
        session,
        lines=[(variant, quantity)],
        deliveries=deliveries,
        payments={CASH: None},
        now=shop.clock(),
    )
    await pay(session, order, now=shop.clock())
    [(delivery_id, [waiting])] = await parcels_to_pack(session, order)
    parcels = await pack_shipments(
        session,
        delivery_id,
        [ParcelToPack([replace(waiting, quantity=each)]) for each in units],
        numbers=[f"C{position}" for position in range(len(units))],
        cause=Cause(shop.clock()),
    )
    await session.execute(update(Carrier).values(takes_cash=True))
    await session.commit()
    return parcels


def cash_asked(carrier: ScriptedCarrier) -> list[int]:
    return [each.cash.minor if each.cash else 0 for each in carrier.bookings]


async def leave(shop: Shop, shipment: Shipment, number: str) -> int | None:
    async with shop.database.writes.begin() as write:
        sent = await dispatch_shipment(
            write, shipment.id, carrier=SIMULATED_CARRIER, tracking_number=number, cause=Cause(shop.clock())
        )
        return sent.cash_amount


async def reduce_cash(shop: Shop, shipment: Shipment, amount: int) -> None:
    async with shop.database.writes.begin() as write:
        payment = update(Payment).where(Payment.order_id == shipment.order_id)
        await write.execute(payment.values(amount=Payment.amount - amount))


@pytest.mark.parametrize("leaves_first", [0, 1])
async def test_the_fee_is_asked_for_once_where_all_parcels_are_booked_before_one_leaves(
    shop: Shop, session: AsyncSession, leaves_first: int
) -> None:
    parcels = await parcels_with_a_fee(session, shop, 1, 2)
    carrier = ScriptedCarrier([BookedWaybill("N0"), BookedWaybill("N1")])
    connect_carrier(shop, carrier)
    for parcel in parcels:
        await book(shop, parcel, SIMULATED_CARRIER)
    assert cash_asked(carrier) == [UNIT + FEE, 2 * UNIT]

    fixed = {}
    for position in (leaves_first, 1 - leaves_first):
        fixed[position] = await leave(shop, parcels[position], f"N{position}")

    assert fixed == {0: UNIT + FEE, 1: 2 * UNIT}
    assert await audit_books(session) == []


async def test_the_fee_is_asked_for_once_where_parcels_are_booked_at_the_same_moment(
    shop: Shop, session: AsyncSession
) -> None:
    parcels = await parcels_with_a_fee(session, shop, 1, 1, 1)
    carrier = ScriptedCarrier([BookedWaybill(f"N{number}") for number in range(3)])
    connect_carrier(shop, carrier)

    await asyncio.gather(*(book(shop, parcel, SIMULATED_CARRIER) for parcel in parcels))

    assert sorted(cash_asked(carrier)) == [UNIT, UNIT, UNIT + FEE]


async def test_parcels_that_go_together_bring_what_their_waybill_asks_for_whoever_leaves_before(
    shop: Shop, session: AsyncSession
) -> None:
    first, second, third = await parcels_with_a_fee(session, shop, 1, 1, 1)
    carrier = carrier_of_several(BookedWaybill("M", ["M-1"]), BookedWaybill("N"))
    connect_carrier(shop, carrier)
    await book_together(shop, [first, second], SIMULATED_CARRIER)
    await book(shop, third, SIMULATED_CARRIER)
    assert cash_asked(carrier) == [2 * UNIT + FEE, UNIT]

    assert await leave(shop, third, "N") == UNIT
    brought = [await leave(shop, first, "M"), await leave(shop, second, "M-1")]

    assert sum(each or 0 for each in brought) == 2 * UNIT + FEE
    assert await audit_books(session) == []


async def test_a_parcel_does_not_leave_with_a_waybill_that_asks_for_other_cash_and_is_booked_again(
    shop: Shop, session: AsyncSession
) -> None:
    [parcel] = await parcels_with_a_fee(session, shop, 3)
    carrier = ScriptedCarrier([BookedWaybill("N0"), BookedWaybill("N1")])
    connect_carrier(shop, carrier)
    await book(shop, parcel, SIMULATED_CARRIER)
    assert (await book(shop, parcel, SIMULATED_CARRIER)).number == "N0"
    await reduce_cash(shop, parcel, 100)

    with pytest.raises(WrongState, match="has changed since this waybill was booked"):
        await leave(shop, parcel, "N0")
    again = await book(shop, parcel, SIMULATED_CARRIER)
    await run_until_idle(shop)

    assert again.number == "N1"
    assert (cash_asked(carrier), carrier.cancelled) == ([3 * UNIT + FEE, 3 * UNIT + FEE - 100], ["N0"])
    assert await leave(shop, parcel, "N1") == 3 * UNIT + FEE - 100


async def test_asking_what_is_to_be_collected_fixes_nothing(shop: Shop, session: AsyncSession) -> None:
    parcels = await parcels_with_a_fee(session, shop, 1, 2)
    connect_carrier(shop, ScriptedCarrier([BookedWaybill("N0"), BookedWaybill("N1")]))
    for parcel in parcels:
        await book(shop, parcel, SIMULATED_CARRIER)

    async with shop.database.reads() as read:
        fixed = (await read.scalars(select(Shipment.cash_amount))).all()
        asked = (await read.scalars(select(Waybill.cash_amount).order_by(Waybill.id))).all()
    assert (fixed, asked) == ([None, None], [UNIT + FEE, 2 * UNIT])
