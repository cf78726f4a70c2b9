"""Our own couriers: planned, driven stop by stop, seen by those who wait."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import DomainError, Invalid, LimitReached, NotFound, WrongState
from domain.order import cancel_order
from domain.run import (
    ANNOUNCED_EVERY,
    STOPS_LIMIT,
    TRANSITIONS,
    PlannedStop,
    cancel_run,
    complete_stop,
    plan_run,
    report_position,
    start_run,
)
from domain.shipment import unpack_shipment
from events.shop import Shop
from models import (
    Account,
    CarrierCode,
    DeliveryRun,
    Event,
    FulfilmentStatus,
    Order,
    Role,
    RunStatus,
    RunStop,
    Shipment,
    ShipmentStatus,
    StopOutcome,
    Subject,
    TrackingEvent,
)
from tests.factories.account import create_account
from tests.factories.shipment import (
    LEG,
    NOW,
    RECEIPT_AFTER,
    confirmed_order,
    create_run,
    create_shipment,
    events_of,
    pack,
    said,
    send,
    track,
)
from tests.factories.stock import create_warehouse

HOUR = timedelta(hours=1)
S = ShipmentStatus
R = RunStatus

FOLLOWS = {
    R.PLANNED: {R.ACTIVE, R.CANCELLED},
    R.ACTIVE: {R.COMPLETED},
    R.COMPLETED: set(),
    R.CANCELLED: set(),
}


@pytest.mark.parametrize("before", RunStatus)
@pytest.mark.parametrize("after", RunStatus)
def test_a_run_is_driven_once_or_called_off_before(before: RunStatus, after: RunStatus) -> None:
    assert (after in TRANSITIONS[before]) is (after in FOLLOWS[before])


async def packed_parcels(session: AsyncSession, count: int) -> list[Shipment]:
    """Parcels of as many orders, waiting to leave."""
    return [(await pack(session, await confirmed_order(session)))[0] for _ in range(count)]


async def stops_of(session: AsyncSession, run: DeliveryRun) -> list[RunStop]:
    rows = select(RunStop).where(RunStop.run_id == run.id).order_by(RunStop.position)
    return list(await session.scalars(rows.execution_options(populate_existing=True)))


async def leave(session: AsyncSession, run: DeliveryRun, *, now: datetime = NOW) -> list[RunStop]:
    await start_run(session, run.id, courier_id=run.courier_id, now=now, receipt_after=RECEIPT_AFTER)
    return await stops_of(session, run)


async def finish(
    session: AsyncSession,
    run: DeliveryRun,
    stop: RunStop,
    outcome: StopOutcome = StopOutcome.DELIVERED,
    *,
    note: str = "",
    proof: str = "",
    now: datetime = NOW,
) -> RunStop:
    return await complete_stop(
        session,
        stop.id,
        outcome,
        note=note,
        proof=proof,
        courier_id=run.courier_id,
        now=now,
        receipt_after=RECEIPT_AFTER,
    )


async def test_a_run_tells_when_it_will_be_at_each_door(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        parcels = await packed_parcels(session, 3)

        run = await create_run(session, parcels)

        stops = await stops_of(session, run)
        assert (run.status, run.version, run.vehicle) == (R.PLANNED, 1, "bicycle")
        assert [stop.shipment_id for stop in stops] == [parcel.id for parcel in parcels]
        assert [stop.estimated_at for stop in stops] == [NOW + LEG, NOW + 2 * LEG, NOW + 3 * LEG]


async def test_leaving_with_a_run_sends_its_parcels_out(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        parcels = await packed_parcels(session, 2)
        run = await create_run(session, parcels)

        stops = await leave(session, run, now=NOW + HOUR)

        assert (run.status, run.started_at) == (R.ACTIVE, NOW + HOUR)
        assert [stop.estimated_at for stop in stops] == [NOW + HOUR + LEG, NOW + HOUR + 2 * LEG]
        for parcel in parcels:
            assert (parcel.status, parcel.carrier) == (S.OUT_FOR_DELIVERY, CarrierCode.OWN)
            assert (parcel.tracking_number, parcel.dispatched_at) == (parcel.number, NOW + HOUR)
            assert parcel.poll_at is None
            order = await session.get_one(Order, parcel.order_id)
            assert order.fulfilment_status is FulfilmentStatus.SHIPPED


async def test_each_stop_done_moves_those_behind_it(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        parcels = await packed_parcels(session, 3)
        run = await create_run(session, parcels)
        stops = await leave(session, run)
        late = NOW + 3 * LEG

        await finish(session, run, stops[0], note="Left with the porter.", proof="Mr Zhao", now=late)

        first, second, third = await stops_of(session, run)
        assert (first.outcome, first.completed_at) == (StopOutcome.DELIVERED, late)
        assert (first.note, first.proof) == ("Left with the porter.", "Mr Zhao")
        assert [second.estimated_at, third.estimated_at] == [late + LEG, late + 2 * LEG]
        assert (parcels[0].status, parcels[0].delivered_at) == (S.DELIVERED, late)
        order = await session.get_one(Order, parcels[0].order_id)
        assert (order.fulfilment_status, order.receipt_due_at) == (
            FulfilmentStatus.DELIVERED,
            late + RECEIPT_AFTER,
        )
        told = select(Event.payload).where(
            Event.subject_id == parcels[2].id, Event.name == "shipment.rescheduled"
        )
        payload = (await session.scalars(told)).one()
        assert (payload["stops_ahead"], payload["estimated_at"]) == (1, (late + 2 * LEG).isoformat())
        assert run.status is R.ACTIVE


async def test_the_last_stop_ends_the_run(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        run = await create_run(session, await packed_parcels(session, 1))
        [stop] = await leave(session, run)

        await finish(session, run, stop, now=NOW + HOUR)

        assert (run.status, run.ended_at) == (R.COMPLETED, NOW + HOUR)
        assert await events_of(session, Subject.RUN, run.id) == [
            "run.planned",
            "run.started",
            "run.stop_completed",
            "run.completed",
        ]


async def test_a_parcel_nobody_took_goes_out_again_on_another_run(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        [parcel] = await packed_parcels(session, 1)
        run = await create_run(session, [parcel])
        [stop] = await leave(session, run)
        await finish(session, run, stop, StopOutcome.FAILED, now=NOW + LEG)
        assert where(parcel) is S.DELIVERY_FAILED

        again = await create_run(session, [parcel], now=NOW + HOUR)
        await leave(session, again, now=NOW + HOUR)

        assert where(parcel) is S.OUT_FOR_DELIVERY
        assert parcel.dispatched_at == NOW
        story = select(TrackingEvent.status).where(TrackingEvent.shipment_id == parcel.id)
        assert list(await session.scalars(story.order_by(TrackingEvent.occurred_at))) == [
            S.OUT_FOR_DELIVERY,
            S.DELIVERY_FAILED,
            S.OUT_FOR_DELIVERY,
        ]


def where(parcel: Shipment) -> ShipmentStatus:
    return parcel.status


async def test_a_stop_is_done_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        run = await create_run(session, await packed_parcels(session, 2))
        stops = await leave(session, run)
        await finish(session, run, stops[0])
        version = run.version

        with pytest.raises(WrongState, match="This stop is already done"):
            await finish(session, run, stops[0], StopOutcome.FAILED)

        assert (await stops_of(session, run))[0].outcome is StopOutcome.DELIVERED
        assert run.version == version


async def test_nothing_is_done_before_the_courier_leaves(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        [parcel] = await packed_parcels(session, 1)
        run = await create_run(session, [parcel])
        [stop] = await stops_of(session, run)

        with pytest.raises(WrongState, match="The courier has not left yet"):
            await finish(session, run, stop)
        with pytest.raises(WrongState, match="The courier is not on the road"):
            await report(session, run)

        assert (parcel.status, run.latitude) == (S.PENDING, None)


async def report(
    session: AsyncSession,
    run: DeliveryRun,
    *,
    courier: Account | None = None,
    latitude: float = 30.25,
    longitude: float = 120.17,
    now: datetime = NOW,
) -> None:
    await report_position(
        session,
        run.id,
        latitude=latitude,
        longitude=longitude,
        courier_id=courier.id if courier else run.courier_id,
        now=now,
    )


async def test_another_couriers_run_does_not_exist(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        other = await create_account(session, role=Role.COURIER)
        run = await create_run(session, await packed_parcels(session, 1))
        [stop] = await stops_of(session, run)

        with pytest.raises(NotFound):
            await start_run(session, run.id, courier_id=other.id, now=NOW, receipt_after=RECEIPT_AFTER)
        with pytest.raises(NotFound):
            await report(session, run, courier=other)
        with pytest.raises(NotFound):
            await complete_stop(
                session,
                stop.id,
                StopOutcome.DELIVERED,
                note="",
                proof="",
                courier_id=other.id,
                now=NOW,
                receipt_after=RECEIPT_AFTER,
            )

        assert (run.status, run.version) == (R.PLANNED, 1)


async def test_the_last_position_counts_and_watchers_hear_of_it_now_and_then(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        parcels = await packed_parcels(session, 5)
        run = await create_run(session, parcels)
        await leave(session, run)

        await report(session, run, latitude=30.1)
        await report(session, run, latitude=30.2, now=NOW + ANNOUNCED_EVERY / 2)

        assert (run.latitude, run.position_at) == (30.2, NOW + ANNOUNCED_EVERY / 2)
        assert (await events_of(session, Subject.RUN, run.id)).count("run.moved") == 1
        await report(session, run, latitude=30.3, now=NOW + ANNOUNCED_EVERY)
        assert (await events_of(session, Subject.RUN, run.id)).count("run.moved") == 2
        heard = [
            (await events_of(session, Subject.SHIPMENT, parcel.id)).count("shipment.moved")
            for parcel in parcels
        ]
        assert heard == [2, 2, 2, 0, 0]


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (-91, 0), (0, 181), (float("nan"), 0)])
async def test_a_position_is_on_the_map(shop: Shop, latitude: float, longitude: float) -> None:
    async with shop.database.writes.begin() as session:
        run = await create_run(session, await packed_parcels(session, 1))
        await leave(session, run)

        with pytest.raises(Invalid):
            await report(session, run, latitude=latitude, longitude=longitude)

        assert run.position is None


async def test_a_run_called_off_leaves_its_parcels_to_another(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        parcels = await packed_parcels(session, 2)
        run = await create_run(session, parcels)

        await cancel_run(session, run.id, now=NOW)

        assert (run.status, run.ended_at) == (R.CANCELLED, NOW)
        assert await stops_of(session, run) == []
        assert (await create_run(session, parcels)).status is R.PLANNED


async def test_a_parcel_waits_on_one_run_at_a_time(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        [parcel] = await packed_parcels(session, 1)
        await create_run(session, [parcel])

        with pytest.raises(WrongState, match=f"Shipment {parcel.number} is already planned on a run"):
            await create_run(session, [parcel])
        with pytest.raises(WrongState, match="planned on a run"):
            await send(session, parcel)
        with pytest.raises(WrongState, match="planned on a run"):
            await unpack_shipment(session, parcel.id, now=NOW)

        assert len((await session.scalars(select(RunStop))).all()) == 1
        assert parcel.dispatched_at is None


async def test_only_what_can_go_with_our_couriers_is_planned(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        elsewhere = await create_warehouse(session)
        [parcel] = await packed_parcels(session, 1)
        foreign = await create_shipment(session)
        done = await create_shipment(session)
        await track(session, done, said(S.DELIVERED))
        courier = await create_account(session, role=Role.COURIER)
        clerk = await create_account(session, role=Role.WAREHOUSE)
        gone = await create_account(session, role=Role.COURIER, disabled=True)
        missing = parcel.id + 1_000

        async def refusal(
            *shipment_ids: int, courier_id: int = courier.id, warehouse_id: int = parcel.warehouse_id
        ) -> str:
            stops = [PlannedStop(shipment_id, LEG) for shipment_id in shipment_ids]
            with pytest.raises(DomainError) as refused:
                await plan_run(
                    session,
                    courier_id=courier_id,
                    warehouse_id=warehouse_id,
                    vehicle="",
                    stops=stops,
                    now=NOW,
                )
            return str(refused.value)

        assert await refusal(foreign.id) == f"Shipment {foreign.number} is with another carrier."
        assert await refusal(done.id) == f"Shipment {done.number} has reached its end."
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


async def test_a_run_has_a_length_a_courier_can_drive(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        [parcel] = await packed_parcels(session, 1)
        courier = await create_account(session, role=Role.COURIER)

        with pytest.raises(LimitReached):
            await plan_run(
                session,
                courier_id=courier.id,
                warehouse_id=parcel.warehouse_id,
                vehicle="",
                stops=[PlannedStop(number, LEG) for number in range(STOPS_LIMIT + 1)],
                now=NOW,
            )


async def test_a_courier_does_not_leave_with_a_parcel_of_a_cancelled_order(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        [parcel] = await packed_parcels(session, 1)
        run = await create_run(session, [parcel])
        order = await session.get_one(Order, parcel.order_id)
        await cancel_order(session, order.id, reason="No more.", now=NOW, by=order.account_id)

    async with shop.database.writes() as session:
        with pytest.raises(WrongState, match="nothing of it may leave"):
            await leave(session, run)
        await session.rollback()

    async with shop.database.reads() as session:
        assert (await session.get_one(DeliveryRun, run.id)).status is R.PLANNED


async def test_courier_and_clerk_work_on_the_same_parcels_at_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        parcels = await packed_parcels(session, 3)
        run = await create_run(session, parcels)
        stops = await leave(session, run)

    async def move(step: int) -> None:
        async with shop.database.writes.begin() as session:
            await report(session, run, now=NOW + step * ANNOUNCED_EVERY)

    async def done(stop: RunStop) -> None:
        async with shop.database.writes.begin() as session:
            await finish(session, run, stop)

    async def noted(parcel: Shipment) -> None:
        async with shop.database.writes.begin() as session:
            await track(session, parcel, said(S.ON_HOLD, after=LEG))

    await asyncio.gather(
        *(move(step) for step in range(4)), *map(done, stops[:2]), *map(noted, reversed(parcels))
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
