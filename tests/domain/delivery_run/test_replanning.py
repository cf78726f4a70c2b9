"""What is left of a run is planned anew; positions are believed, thinned and forgotten; proofs are kept."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import (
    PlannedStop,
    PlanOrigin,
    RunDraft,
    StopReport,
    WrittenDrafts,
    complete_stop,
    drop_parcels_of_order,
    forget_positions,
    write_drafts,
)
from domain.delivery_run.position import ImplausiblePosition
from domain.errors import Invalid, NotFound
from events.delivery_run.replanning import replan_run
from events.shop import Shop
from models import (
    CourierPosition,
    DeliveryProof,
    DeliveryRun,
    DeliveryRunStatus,
    DistanceSource,
    Order,
    OrderStatus,
    RouteSolver,
    Shipment,
    StopOutcome,
    UnplannedReason,
)
from tests.domain.delivery_run.driving import finish, packed_parcels, report, start, stops_of
from tests.factories.account import create_account
from tests.factories.aftersales import create_media
from tests.factories.delivery_run import create_delivery_run
from tests.factories.shipment import NOW, RECEIPT_AFTER
from tests.factories.vehicle import create_vehicle

ORIGIN = PlanOrigin(RouteSolver.PYVRP, DistanceSource.STRAIGHT_LINES)
LEG = timedelta(minutes=10)


async def test_a_stop_that_fails_has_the_rest_planned_anew_but_the_next_one(
    shop: Shop, session: AsyncSession
) -> None:
    run = await create_delivery_run(session, await packed_parcels(session, 5))
    before = await start(session, run)
    for stop, latitude in zip(before, (30.0, 30.1, 30.5, 30.2, 30.3), strict=True):
        stop.latitude, stop.longitude = latitude, 120.0
    await finish(session, run, before[0], StopOutcome.FAILED)
    await session.commit()
    assert run.replan_due_at == NOW

    await replan_run(shop, run.id)

    after = await stops_of(session, run)
    again = await session.get_one(DeliveryRun, run.id, populate_existing=True)
    assert [stop.id for stop in after] == [before[at].id for at in (0, 1, 3, 4, 2)]
    assert [stop.position for stop in after] == [1, 2, 3, 4, 5]
    assert (again.replan_due_at, again.solver) == (None, RouteSolver.PYVRP)
    times = [stop.estimated_at for stop in after[1:]]
    assert times == sorted(times)


async def test_a_cancelled_order_leaves_a_run_that_has_not_left(shop: Shop, session: AsyncSession) -> None:
    parcels = await packed_parcels(session, 2)
    run = await create_delivery_run(session, parcels)
    for parcel, status in zip(parcels, (DeliveryRunStatus.PLANNED, DeliveryRunStatus.CANCELLED), strict=True):
        order = await session.get_one(Order, parcel.order_id)
        order.status = OrderStatus.CANCELLED
        await session.flush()
        await drop_parcels_of_order(session, parcel.order_id, cause=Cause(NOW))
        assert run.status is status
    await session.rollback()


async def draft_of(session: AsyncSession, parcel: Shipment) -> RunDraft:
    van = await create_vehicle(session, parcel.warehouse_id)
    stop = PlannedStop(parcel.id, LEG, 30.2, 120.1, version=parcel.version)
    return RunDraft(van.id, [stop], NOW, NOW + LEG, 1_000)


async def test_two_plans_at_once_put_a_parcel_on_one_run(shop: Shop, session: AsyncSession) -> None:
    [parcel] = await packed_parcels(session, 1)
    drafts = [await draft_of(session, parcel) for _ in range(4)]
    await session.commit()

    async def write(draft: RunDraft) -> WrittenDrafts:
        async with shop.database.writes.begin() as own:
            return await write_drafts(own, [draft], ORIGIN, lifetime=LEG, cause=Cause(NOW))

    written = await asyncio.gather(*map(write, drafts))

    assert sorted(len(each.runs) for each in written) == [0, 0, 0, 1]
    reasons = [each.dropped[0].reason for each in written if each.dropped]
    assert reasons == [UnplannedReason.ALREADY_PLANNED] * 3


async def test_a_parcel_that_has_changed_since_it_was_read_is_left_out(
    shop: Shop, session: AsyncSession
) -> None:
    [parcel] = await packed_parcels(session, 1)
    draft = await draft_of(session, parcel)
    parcel.version += 1
    await session.flush()

    written = await write_drafts(session, [draft], ORIGIN, lifetime=LEG, cause=Cause(NOW))

    assert ([*written.runs], written.dropped[0].reason) == ([], UnplannedReason.CHANGED_MEANWHILE)
    await session.commit()


async def test_nobody_drives_at_five_thousand_kilometres_an_hour(shop: Shop, session: AsyncSession) -> None:
    run = await create_delivery_run(session, await packed_parcels(session, 1))
    await start(session, run)
    await report(session, run, latitude=30.0)

    with pytest.raises(ImplausiblePosition):
        await report(session, run, latitude=31.0, now=NOW + timedelta(seconds=80))  # 111 km
    assert (run.latitude, run.position_at) == (30.0, NOW)
    await report(session, run, latitude=29.0, now=NOW - timedelta(seconds=30))  # older: nothing changes
    await report(session, run, latitude=30.0, now=NOW)  # the same again

    assert (run.latitude, run.position_at) == (30.0, NOW)
    await session.commit()


async def test_positions_are_thinned_and_forgotten_after_a_day(shop: Shop, session: AsyncSession) -> None:
    run = await create_delivery_run(session, await packed_parcels(session, 1))
    await start(session, run)
    for second in range(0, 121, 2):
        await report(session, run, latitude=30.0 + second / 10_000, now=NOW + timedelta(seconds=second))
    await session.flush()
    kept = await session.scalar(select(func.count(CourierPosition.id)))

    await forget_positions(session, run.id, before=NOW + timedelta(seconds=60))
    half = await session.scalar(select(func.count(CourierPosition.id)))
    last = run.position_at
    await forget_positions(session, run.id, before=NOW + timedelta(days=1))

    assert (kept, half, last) == (5, 2, NOW + timedelta(seconds=120))
    assert await session.scalar(select(func.count(CourierPosition.id))) == 0
    assert (run.latitude, run.longitude, run.position_at) == (None, None, None)
    await session.commit()


async def test_a_proof_is_a_picture_of_the_runs_courier_for_one_stop(
    shop: Shop, session: AsyncSession
) -> None:
    run = await create_delivery_run(session, await packed_parcels(session, 2))
    first, second = await start(session, run)
    own = await create_media(session, uploader_id=run.courier_id)
    foreign = await create_media(session, uploader_id=(await create_account(session)).id)

    async def complete(stop_id: int, picture: int) -> None:
        await complete_stop(
            session,
            stop_id,
            StopOutcome.DELIVERED,
            report=StopReport(signature_id=picture),
            cause=Cause(NOW, run.courier_id),
            receipt_after=RECEIPT_AFTER,
        )

    with pytest.raises(NotFound):
        await complete(first.id, foreign.id)
    await complete(first.id, own.id)
    with pytest.raises(Invalid):
        await complete(second.id, own.id)

    proofs = (await session.scalars(select(DeliveryProof))).all()
    assert [(each.delivery_run_stop_id, each.signature_id) for each in proofs] == [(first.id, own.id)]
    assert (await session.get_one(DeliveryRun, run.id)).status is DeliveryRunStatus.ACTIVE
    await session.commit()
