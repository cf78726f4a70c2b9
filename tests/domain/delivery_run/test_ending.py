"""How stops and runs end beside what others report, and what is told where they do not."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import (
    PlannedStop,
    PlanOrigin,
    RunDraft,
    assign_courier,
    mark_stalled,
    select_stalled_runs,
    write_drafts,
)
from domain.errors import WrongState
from domain.shipment import TrackingFact, add_tracking_events
from events.shop import Shop
from models import (
    DeliveryRun,
    DistanceSource,
    RouteSolver,
    Shipment,
    ShipmentEnding,
    ShipmentStatus,
    StopOutcome,
    Subject,
)
from settings.business import LocaleSettings
from tests.domain.delivery_run.driving import R, finish, packed_parcels, report, start, stops_of
from tests.factories.delivery_run import create_delivery_run
from tests.factories.shipment import NOW, RECEIPT_AFTER, event_names
from tests.factories.vehicle import create_courier, create_vehicle

pytestmark = pytest.mark.usefixtures("audit_at_end")

ZONE = LocaleSettings().zone
LEG, HOUR, SECOND = timedelta(minutes=10), timedelta(hours=1), timedelta(seconds=1)
ORIGIN = PlanOrigin(RouteSolver.BUILT_IN, DistanceSource.STRAIGHT_LINES)
S = ShipmentStatus


async def plan_for_vehicle(session: AsyncSession, parcels: list[Shipment]) -> DeliveryRun:
    """A run of a vehicle that should be back in an hour, with a courier."""
    van = await create_vehicle(session, parcels[0].warehouse_id)
    courier = await create_courier(session)
    stops = [PlannedStop(each.id, LEG, 30.2, 120.1, version=each.version) for each in parcels]
    draft = RunDraft(van.id, stops, NOW, NOW + HOUR, 1_000)
    [run] = (await write_drafts(session, [draft], ORIGIN, lifetime=HOUR, cause=Cause(NOW))).runs
    return await assign_courier(session, run.id, courier.account_id, zone=ZONE, cause=Cause(NOW))


async def note(session: AsyncSession, shipment: Shipment, status: ShipmentStatus) -> None:
    """The staff report a status of a parcel on the road."""
    fact = TrackingFact(status=status, code="STAFF", description="Seen.", occurred_at=NOW)
    await add_tracking_events(session, shipment, [fact], cause=Cause(NOW), receipt_after=RECEIPT_AFTER)


@pytest.mark.parametrize("status", [S.DELIVERED, S.RETURNING, S.RETURNED])
async def test_a_parcel_that_comes_no_more_is_not_expected_again_by_its_run(
    shop: Shop, session: AsyncSession, status: S
) -> None:
    gone, later, other = await packed_parcels(session, 3)
    run = await create_delivery_run(session, [other, gone, later])
    first, *_ = await start(session, run)
    await note(session, gone, status)

    await report(session, run, latitude=30.9, longitude=120.0, now=NOW + LEG)
    await finish(session, run, first, now=NOW + HOUR)

    assert (gone.eta_earliest_at, gone.eta_at, gone.eta_latest_at) == (None, None, None)
    recorded = await event_names(session, Subject.SHIPMENT, gone.id)
    assert not {"shipment.moved", "shipment.rescheduled"} & set(recorded)
    recorded = await event_names(session, Subject.SHIPMENT, later.id)
    assert (recorded.count("shipment.moved"), recorded.count("shipment.rescheduled")) == (1, 2)
    await session.commit()


@pytest.mark.parametrize(
    ("noted", "refused", "taken"),
    [
        (S.DELIVERED, StopOutcome.FAILED, StopOutcome.DELIVERED),
        (S.RETURNED, StopOutcome.DELIVERED, StopOutcome.FAILED),
    ],
)
async def test_a_stop_ends_as_its_parcel_of_which_staff_have_reported(
    shop: Shop, session: AsyncSession, noted: S, refused: StopOutcome, taken: StopOutcome
) -> None:
    [parcel] = await packed_parcels(session, 1)
    run = await create_delivery_run(session, [parcel])
    [stop] = await start(session, run)
    await note(session, parcel, noted)

    with pytest.raises(WrongState) as refusal:
        await finish(session, run, stop, refused, proof="Li", now=NOW + SECOND)

    assert refusal.value.field == ("outcome",)
    assert (stop.outcome, stop.proof, run.status, parcel.status) == (None, "", R.ACTIVE, noted)
    await finish(session, run, stop, taken, now=NOW + SECOND)
    assert (stop.outcome, run.status, parcel.status) == (taken, R.COMPLETED, noted)
    await session.commit()


async def test_a_parcel_that_was_refunded_is_handed_over_to_nobody(shop: Shop, session: AsyncSession) -> None:
    [parcel] = await packed_parcels(session, 1)
    run = await create_delivery_run(session, [parcel])
    [stop] = await start(session, run)
    parcel.ended_at, parcel.ending = NOW, ShipmentEnding.WITHDRAWN

    with pytest.raises(WrongState, match="ended"):
        await finish(session, run, stop, StopOutcome.DELIVERED)

    await finish(session, run, stop, StopOutcome.FAILED)
    assert (stop.outcome, run.status) == (StopOutcome.FAILED, R.COMPLETED)
    await session.rollback()  # how an order goes on without a parcel is told elsewhere


async def test_a_run_that_is_given_to_somebody_else_is_no_task_any_more(
    shop: Shop, session: AsyncSession
) -> None:
    run = await plan_for_vehicle(session, await packed_parcels(session, 1))
    other = await create_courier(session)
    later = NOW + HOUR
    await mark_stalled(session, run.id, before=later, cause=Cause(NOW))
    noted = run.stalled_at

    await assign_courier(session, run.id, other.account_id, zone=ZONE, cause=Cause(NOW))

    assert (noted, run.stalled_at, run.courier_id) == (NOW, None, other.account_id)
    await session.commit()


async def test_a_run_whose_courier_drives_about_and_stops_nowhere_is_noted(
    shop: Shop, session: AsyncSession
) -> None:
    run = await plan_for_vehicle(session, await packed_parcels(session, 2))
    [first, second] = await start(session, run)
    await finish(session, run, first, now=NOW + LEG)
    for minutes in range(0, 180, 30):
        await report(session, run, latitude=30.2, longitude=120.1, now=NOW + timedelta(minutes=minutes))
    await session.flush()

    async def is_noted(before: timedelta) -> bool:
        return run.id in (await session.scalars(select_stalled_runs(NOW + before))).all()

    assert second.estimated_at > NOW + 2 * HOUR  # as long as a device reports, the next stop is ahead
    assert [await is_noted(HOUR - SECOND), await is_noted(HOUR)] == [False, True]
    assert [stop.outcome for stop in await stops_of(session, run)] == [StopOutcome.DELIVERED, None]
    await session.commit()
