"""Planning and cancelling a delivery run, and what a courier may not leave with."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import (
    POSITION_EVENT_INTERVAL,
    STOPS_LIMIT,
    TRANSITIONS,
    PlannedStop,
    cancel_delivery_run,
    plan_delivery_run,
)
from domain.errors import DomainError, LimitReached, WrongState
from domain.order import cancel_order
from domain.shipment import unpack_shipment
from events.shop import Shop
from models import (
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Event,
    Order,
    Role,
    Shipment,
    StopOutcome,
    Subject,
)
from tests.domain.delivery_run.driving import R, S, finish, packed_parcels, report, start, stops_of
from tests.factories.account import create_account
from tests.factories.delivery_run import LEG_TIME, create_delivery_run
from tests.factories.shipment import NOW, create_shipment, send, track, tracking_fact
from tests.factories.stock import create_warehouse

FOLLOWS = {
    R.DRAFT: {R.PLANNED, R.CANCELLED},
    R.PLANNED: {R.ACTIVE, R.CANCELLED},
    R.ACTIVE: {R.COMPLETED},
    R.COMPLETED: set(),
    R.CANCELLED: set(),
}


@pytest.mark.parametrize("before", DeliveryRunStatus)
@pytest.mark.parametrize("after", DeliveryRunStatus)
def test_a_run_is_driven_once_or_cancelled_before(
    before: DeliveryRunStatus, after: DeliveryRunStatus
) -> None:
    assert (after in TRANSITIONS[before]) is (after in FOLLOWS[before])


async def test_the_parcels_of_a_cancelled_run_can_be_planned_again(shop: Shop, session: AsyncSession) -> None:
    parcels = await packed_parcels(session, 2)
    run = await create_delivery_run(session, parcels)

    await cancel_delivery_run(session, run.id, cause=Cause(NOW))

    assert (run.status, run.ended_at) == (R.CANCELLED, NOW)
    assert await stops_of(session, run) == []
    assert (await create_delivery_run(session, parcels)).status is R.PLANNED
    await session.commit()


async def test_a_parcel_waits_on_one_run_at_a_time(shop: Shop, session: AsyncSession) -> None:
    [parcel] = await packed_parcels(session, 1)
    await create_delivery_run(session, [parcel])

    with pytest.raises(WrongState, match=f"Shipment {parcel.number} is already planned on a run"):
        await create_delivery_run(session, [parcel])
    with pytest.raises(WrongState, match="planned on a run"):
        await send(session, parcel)
    with pytest.raises(WrongState, match="planned on a run"):
        await unpack_shipment(session, parcel.id, cause=Cause(NOW))

    assert len((await session.scalars(select(DeliveryRunStop))).all()) == 1
    assert parcel.dispatched_at is None
    await session.commit()


async def test_only_what_can_go_with_our_couriers_is_planned(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        elsewhere = await create_warehouse(session)
        [parcel] = await packed_parcels(session, 1)
        foreign = await create_shipment(session)
        delivered = await create_shipment(session)
        await track(session, delivered, tracking_fact(S.DELIVERED))
        courier = await create_account(session, role=Role.COURIER)
        clerk = await create_account(session, role=Role.WAREHOUSE)
        gone = await create_account(session, role=Role.COURIER, disabled=True)
        missing = parcel.id + 1_000

        async def refusal(
            *shipment_ids: int, courier_id: int = courier.id, warehouse_id: int = parcel.warehouse_id
        ) -> str:
            stops = [PlannedStop(shipment_id, LEG_TIME) for shipment_id in shipment_ids]
            with pytest.raises(DomainError) as refused:
                await plan_delivery_run(
                    session,
                    courier_id=courier_id,
                    warehouse_id=warehouse_id,
                    vehicle="",
                    stops=stops,
                    cause=Cause(NOW),
                )
            return str(refused.value)

        assert await refusal(foreign.id) == f"Shipment {foreign.number} is with another carrier."
        assert await refusal(delivered.id) == f"Shipment {delivered.number} has reached its end."
        assert (
            await refusal(parcel.id, warehouse_id=elsewhere.id)
            == f"Shipment {parcel.number} lies in another warehouse."
        )
        assert await refusal(parcel.id, missing) == "There is no such shipment."
        assert await refusal(parcel.id, warehouse_id=10_000) == "There is no such warehouse."
        assert await refusal(parcel.id, courier_id=clerk.id) == "There is no such courier."
        assert await refusal(parcel.id, courier_id=gone.id) == "There is no such courier."
        assert await refusal() == "Name at least one shipment."
        assert await refusal(parcel.id, parcel.id) == "A run brings each shipment once."
        assert (await session.scalars(select(DeliveryRun))).all() == []


async def test_the_number_of_stops_of_a_run_has_a_limit(shop: Shop, session: AsyncSession) -> None:
    [parcel] = await packed_parcels(session, 1)
    courier = await create_account(session, role=Role.COURIER)

    with pytest.raises(LimitReached):
        await plan_delivery_run(
            session,
            courier_id=courier.id,
            warehouse_id=parcel.warehouse_id,
            vehicle="",
            stops=[PlannedStop(number, LEG_TIME) for number in range(STOPS_LIMIT + 1)],
            cause=Cause(NOW),
        )
    await session.commit()


async def test_a_courier_does_not_leave_with_a_parcel_of_a_cancelled_order(
    shop: Shop, session: AsyncSession
) -> None:
    [parcel] = await packed_parcels(session, 1)
    run = await create_delivery_run(session, [parcel])
    order = await session.get_one(Order, parcel.order_id)
    await cancel_order(session, order.id, reason="No more.", cause=Cause(NOW, order.account_id))
    await session.commit()

    async with shop.database.writes() as session:
        with pytest.raises(WrongState, match="None of its parcels can be taken along"):
            await start(session, run)
        await session.rollback()

    async with shop.database.reads() as session:
        assert (await session.get_one(DeliveryRun, run.id)).status is R.PLANNED


async def test_courier_and_clerk_work_on_the_same_parcels_at_once(shop: Shop, session: AsyncSession) -> None:
    parcels = await packed_parcels(session, 3)
    run = await create_delivery_run(session, parcels)
    stops = await start(session, run)
    await session.commit()

    async def move(step: int) -> None:
        async with shop.database.writes.begin() as session:
            await report(session, run, now=NOW + step * POSITION_EVENT_INTERVAL)

    async def complete(stop: DeliveryRunStop) -> None:
        async with shop.database.writes.begin() as session:
            await finish(session, run, stop)

    async def hold(parcel: Shipment) -> None:
        async with shop.database.writes.begin() as session:
            await track(session, parcel, tracking_fact(S.ON_HOLD, after=LEG_TIME))

    await asyncio.gather(
        *(move(step) for step in range(4)), *map(complete, stops[:2]), *map(hold, reversed(parcels))
    )

    async with shop.database.reads() as session:
        for parcel in parcels:
            rows = select(Event.version).where(
                Event.subject == Subject.SHIPMENT, Event.subject_id == parcel.id
            )
            versions = sorted(await session.scalars(rows))
            assert versions == list(range(1, len(versions) + 1))
        assert [stop.outcome for stop in await stops_of(session, run)] == [
            StopOutcome.DELIVERED,
            StopOutcome.DELIVERED,
            None,
        ]
