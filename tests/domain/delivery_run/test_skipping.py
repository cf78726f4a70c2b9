"""A run goes on without the parcels that cannot leave, and a courier drives one run at a time."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import start_delivery_run
from domain.errors import NotFound, WrongState
from domain.order import cancel_order, hold_order, release_order
from domain.payment import collect_cash
from domain.shipment import unpack_shipment
from events.shop import Shop
from models import (
    OWN_COURIERS,
    DeliveryRun,
    DeliveryRunStatus,
    Event,
    Order,
    Payment,
    PaymentStatus,
    Role,
    Shipment,
    StopOutcome,
    Subject,
)
from tests.domain.delivery_run.driving import S, finish, packed_parcels, start, stops_of
from tests.factories.account import create_account
from tests.factories.delivery_run import create_delivery_run
from tests.factories.order import CASH, a_variant, create_order, pack, payments_of
from tests.factories.shipment import NOW, RECEIPT_AFTER, event_names, send, track, tracking_fact


async def order_of(session: AsyncSession, parcel: Shipment) -> Order:
    return await session.get_one(Order, parcel.order_id)


async def cancel(session: AsyncSession, parcel: Shipment) -> None:
    order = await order_of(session, parcel)
    await cancel_order(session, order.id, reason="No more.", cause=Cause(NOW, order.account_id))


async def test_a_run_goes_on_without_cancelled_and_held_orders(shop: Shop, session: AsyncSession) -> None:
    taken, cancelled, held = await packed_parcels(session, 3)
    run = await create_delivery_run(session, [cancelled, taken, held])
    await cancel(session, cancelled)
    order = await order_of(session, held)
    await hold_order(session, order.id, reason="Odd.", cause=Cause(NOW))

    first, second, third = await start(session, run)

    assert run.started_at == NOW
    assert [stop.skipped for stop in (first, second, third)] == [True, False, True]
    assert [stop.outcome for stop in (first, second, third)] == [
        StopOutcome.FAILED,
        None,
        StopOutcome.FAILED,
    ]
    assert third.note == f"Order {order.number} is held: nothing of it may leave."
    assert (taken.status, held.status, held.dispatched_at) == (S.OUT_FOR_DELIVERY, S.PENDING, None)
    names = await event_names(session, Subject.DELIVERY_RUN, run.id)
    assert names == ["delivery_run.planned", *2 * ["delivery_run.stop_skipped"], "delivery_run.started"]
    await release_order(session, order.id, cause=Cause(NOW))
    await unpack_shipment(session, held.id, cause=Cause(NOW))
    await finish(session, run, second)
    assert run.status is DeliveryRunStatus.COMPLETED
    await session.commit()


async def test_what_cannot_leave_is_skipped_when_a_run_is_planned(shop: Shop, session: AsyncSession) -> None:
    taken, cancelled, returned = await packed_parcels(session, 3)
    await cancel(session, cancelled)
    await send(session, returned, carrier=OWN_COURIERS)
    await track(session, returned, tracking_fact(S.RETURNED))

    run = await create_delivery_run(session, [cancelled, taken, returned])

    stops = await stops_of(session, run)
    assert [stop.skipped for stop in stops] == [True, False, True]
    assert stops[2].note == f"Shipment {returned.number} has reached its end."
    skipped = await session.scalars(select(Event).where(Event.name == "delivery_run.stop_skipped"))
    assert {event.payload["shipment_id"] for event in skipped} == {cancelled.id, returned.id}
    await session.commit()


async def test_a_run_of_nothing_that_may_leave_is_refused(shop: Shop, session: AsyncSession) -> None:
    [cancelled] = await packed_parcels(session, 1)
    await cancel(session, cancelled)
    with pytest.raises(WrongState, match="nothing of it may leave"):
        await create_delivery_run(session, [cancelled])
    assert (await session.scalars(select(DeliveryRun))).all() == []
    await session.commit()


async def test_a_courier_drives_one_run_at_a_time(shop: Shop, session: AsyncSession) -> None:
    courier = await create_account(session, role=Role.COURIER)
    runs = [
        await create_delivery_run(session, [parcel], courier=courier)
        for parcel in await packed_parcels(session, 3)
    ]
    await session.commit()

    async def leave(run: DeliveryRun) -> None:
        async with shop.database.writes.begin() as session:
            await start_delivery_run(
                session, run.id, cause=Cause(NOW, courier.id), receipt_after=RECEIPT_AFTER
            )

    outcomes = await asyncio.gather(*(leave(run) for run in runs), return_exceptions=True)

    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, WrongState) for outcome in outcomes) == 2
    active = select(DeliveryRun).where(DeliveryRun.status == DeliveryRunStatus.ACTIVE)
    assert len((await session.scalars(active.execution_options(populate_existing=True))).all()) == 1
    await session.commit()


async def test_cash_is_collected_by_the_courier_who_has_brought_it_once(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, lines=[(await a_variant(session), 1)], payments={CASH: None})
    [parcel] = await pack(session, order)
    run = await create_delivery_run(session, [parcel])
    other = await create_account(session, role=Role.COURIER)
    [stop] = await start(session, run)
    [cash] = await payments_of(session, order)

    async def collect(session: AsyncSession, courier_id: int | None) -> None:
        await collect_cash(
            session,
            cash.id,
            order.money(9_900),
            shipment_id=parcel.id,
            courier_id=courier_id,
            cause=Cause(NOW, courier_id),
        )

    with pytest.raises(WrongState, match="arrived"):
        await collect(session, run.courier_id)
    await finish(session, run, stop, now=NOW + timedelta(hours=1))
    with pytest.raises(NotFound):
        await collect(session, other.id)
    with pytest.raises(WrongState, match="courier"):
        await collect(session, None)
    await session.commit()

    async def collect_at_once() -> None:
        async with shop.database.writes.begin() as session:
            await collect(session, run.courier_id)

    outcomes = await asyncio.gather(*(collect_at_once() for _ in range(4)), return_exceptions=True)

    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, WrongState) for outcome in outcomes) == 3
    paid = await session.get_one(Payment, cash.id, populate_existing=True)
    assert (paid.status, paid.captured_amount) == (PaymentStatus.CAPTURED, 9_900)
    await session.commit()
