"""Driving a delivery run: stops, positions and times."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import POSITION_EVENT_INTERVAL, complete_stop, start_delivery_run
from domain.delivery_run.arrivals import ARRIVAL_CHANGES_BY
from domain.errors import Invalid, NotFound, WrongState
from events.shop import Shop
from models import (
    OWN_COURIERS,
    Event,
    FulfilmentStatus,
    Order,
    Role,
    Shipment,
    StopOutcome,
    Subject,
    TrackingEvent,
)
from tests.domain.delivery_run.driving import R, S, finish, packed_parcels, report, start, stops_of
from tests.factories.account import create_account
from tests.factories.delivery_run import LEG_TIME, create_delivery_run
from tests.factories.shipment import NOW, RECEIPT_AFTER, event_names
from tests.given import current_status
from tests.observe import count_statements

HOUR = timedelta(hours=1)


async def test_a_planned_run_has_an_estimated_time_for_each_stop(shop: Shop, session: AsyncSession) -> None:
    parcels = await packed_parcels(session, 3)

    run = await create_delivery_run(session, parcels)

    stops = await stops_of(session, run)
    assert (run.status, run.version, run.vehicle) == (R.PLANNED, 1, "bicycle")
    assert [stop.shipment_id for stop in stops] == [parcel.id for parcel in parcels]
    assert [stop.estimated_at for stop in stops] == [
        NOW + LEG_TIME,
        NOW + 2 * LEG_TIME,
        NOW + 3 * LEG_TIME,
    ]
    await session.commit()


async def test_starting_a_run_sends_its_parcels_out(shop: Shop, session: AsyncSession) -> None:
    parcels = await packed_parcels(session, 2)
    run = await create_delivery_run(session, parcels)

    stops = await start(session, run, now=NOW + HOUR)

    assert (run.status, run.started_at) == (R.ACTIVE, NOW + HOUR)
    assert [stop.estimated_at for stop in stops] == [NOW + HOUR + LEG_TIME, NOW + HOUR + 2 * LEG_TIME]
    for parcel in parcels:
        assert (parcel.status, parcel.carrier) == (S.OUT_FOR_DELIVERY, OWN_COURIERS)
        assert (parcel.tracking_number, parcel.dispatched_at) == (parcel.number, NOW + HOUR)
        assert parcel.poll_at is None
        order = await session.get_one(Order, parcel.order_id)
        assert order.fulfilment_status is FulfilmentStatus.SHIPPED
    await session.commit()


async def test_each_completed_stop_moves_the_times_of_those_after_it(
    shop: Shop, session: AsyncSession
) -> None:
    parcels = await packed_parcels(session, 3)
    run = await create_delivery_run(session, parcels)
    stops = await start(session, run)
    late = NOW + 3 * LEG_TIME

    await finish(session, run, stops[0], note="Left with the porter.", proof="Mr Zhao", now=late)

    first, second, third = await stops_of(session, run)
    assert (first.outcome, first.completed_at) == (StopOutcome.DELIVERED, late)
    assert (first.note, first.proof) == ("Left with the porter.", "Mr Zhao")
    assert [second.estimated_at, third.estimated_at] == [late + LEG_TIME, late + 2 * LEG_TIME]
    assert (parcels[0].status, parcels[0].delivered_at) == (S.DELIVERED, late)
    order = await session.get_one(Order, parcels[0].order_id)
    assert (order.fulfilment_status, order.receipt_due_at) == (
        FulfilmentStatus.DELIVERED,
        late + RECEIPT_AFTER,
    )
    rescheduled = select(Event.payload).where(
        Event.subject_id == parcels[2].id, Event.name == "shipment.rescheduled"
    )
    payload = (await session.scalars(rescheduled)).one()
    assert (payload["stops_ahead"], payload["estimated_at"]) == (1, (late + 2 * LEG_TIME).isoformat())
    assert run.status is R.ACTIVE
    await session.commit()


async def test_the_last_stop_ends_the_run(shop: Shop, session: AsyncSession) -> None:
    run = await create_delivery_run(session, await packed_parcels(session, 1))
    [stop] = await start(session, run)

    await finish(session, run, stop, now=NOW + HOUR)

    assert (run.status, run.ended_at) == (R.COMPLETED, NOW + HOUR)
    assert await event_names(session, Subject.DELIVERY_RUN, run.id) == [
        "delivery_run.planned",
        "delivery_run.started",
        "delivery_run.stop_completed",
        "delivery_run.completed",
    ]
    await session.commit()


async def test_an_undelivered_parcel_can_go_out_on_another_run(shop: Shop, session: AsyncSession) -> None:
    [parcel] = await packed_parcels(session, 1)
    run = await create_delivery_run(session, [parcel])
    [stop] = await start(session, run)
    await finish(session, run, stop, StopOutcome.FAILED, now=NOW + LEG_TIME)
    assert current_status(parcel) is S.DELIVERY_FAILED

    again = await create_delivery_run(session, [parcel], now=NOW + HOUR)
    await start(session, again, now=NOW + HOUR)

    assert current_status(parcel) is S.OUT_FOR_DELIVERY
    assert parcel.dispatched_at == NOW
    statuses = select(TrackingEvent.status).where(TrackingEvent.shipment_id == parcel.id)
    assert list(await session.scalars(statuses.order_by(TrackingEvent.occurred_at))) == [
        S.OUT_FOR_DELIVERY,
        S.DELIVERY_FAILED,
        S.OUT_FOR_DELIVERY,
    ]
    await session.commit()


async def test_a_stop_is_completed_once(shop: Shop, session: AsyncSession) -> None:
    run = await create_delivery_run(session, await packed_parcels(session, 2))
    stops = await start(session, run)
    await finish(session, run, stops[0])
    version = run.version

    with pytest.raises(WrongState, match="This stop is already done"):
        await finish(session, run, stops[0], StopOutcome.FAILED)

    assert (await stops_of(session, run))[0].outcome is StopOutcome.DELIVERED
    assert run.version == version
    await session.commit()


async def test_no_stop_is_completed_before_the_courier_leaves(shop: Shop, session: AsyncSession) -> None:
    [parcel] = await packed_parcels(session, 1)
    run = await create_delivery_run(session, [parcel])
    [stop] = await stops_of(session, run)

    with pytest.raises(WrongState, match="The courier has not left yet"):
        await finish(session, run, stop)
    with pytest.raises(WrongState, match="The courier is not on the road"):
        await report(session, run)

    assert (parcel.status, run.latitude) == (S.PENDING, None)
    await session.commit()


async def test_another_couriers_run_does_not_exist(shop: Shop, session: AsyncSession) -> None:
    other = await create_account(session, role=Role.COURIER)
    run = await create_delivery_run(session, await packed_parcels(session, 1))
    [stop] = await stops_of(session, run)

    with pytest.raises(NotFound):
        await start_delivery_run(session, run.id, cause=Cause(NOW, other.id), receipt_after=RECEIPT_AFTER)
    with pytest.raises(NotFound):
        await report(session, run, courier=other)
    with pytest.raises(NotFound):
        await complete_stop(
            session,
            stop.id,
            StopOutcome.DELIVERED,
            cause=Cause(NOW, other.id),
            receipt_after=RECEIPT_AFTER,
        )

    assert (run.status, run.version) == (R.PLANNED, 1)
    await session.commit()


async def test_the_latest_position_is_kept_and_announced_every_ten_seconds(
    shop: Shop, session: AsyncSession
) -> None:
    parcels = await packed_parcels(session, 5)
    run = await create_delivery_run(session, parcels)
    await start(session, run)

    await report(session, run, latitude=30.1)
    await report(session, run, latitude=30.101, now=NOW + POSITION_EVENT_INTERVAL / 2)

    assert (run.latitude, run.position_at) == (30.101, NOW + POSITION_EVENT_INTERVAL / 2)
    assert (await event_names(session, Subject.DELIVERY_RUN, run.id)).count("delivery_run.moved") == 1
    await report(session, run, latitude=30.102, now=NOW + POSITION_EVENT_INTERVAL)
    assert (await event_names(session, Subject.DELIVERY_RUN, run.id)).count("delivery_run.moved") == 2
    moves = [
        (await event_names(session, Subject.SHIPMENT, parcel.id)).count("shipment.moved")
        for parcel in parcels
    ]
    assert moves == [2, 2, 2, 0, 0]
    await session.commit()


async def test_a_position_moves_the_times_of_all_who_wait_where_they_are_no_longer_right(
    shop: Shop, session: AsyncSession
) -> None:
    parcels = await packed_parcels(session, 5)
    run = await create_delivery_run(session, parcels)
    stops = await start(session, run)
    assert [each.eta_at for each in parcels] == [stop.estimated_at for stop in stops]
    nearby = 30.0 - 0.0215  # 2.4 km from the first stop: ten minutes by bicycle, as planned

    await report(session, run, latitude=nearby, longitude=120.0, now=NOW + POSITION_EVENT_INTERVAL)
    assert await rescheduled(session, parcels) == [0] * 5
    await report(session, run, latitude=nearby, longitude=120.0, now=NOW + ARRIVAL_CHANGES_BY)
    assert await rescheduled(session, parcels) == [1] * 5
    await report(session, run, latitude=nearby, longitude=120.0, now=NOW + 1.9 * ARRIVAL_CHANGES_BY)
    assert await rescheduled(session, parcels) == [1] * 5

    expected = [NOW + ARRIVAL_CHANGES_BY + position * LEG_TIME for position in range(1, 6)]
    for parcel, stop, moment in zip(parcels, await stops_of(session, run), expected, strict=True):
        assert abs(stop.estimated_at - moment) < timedelta(seconds=30)
        assert parcel.eta is not None
        assert parcel.eta.earliest_at < stop.estimated_at == parcel.eta.expected_at < parcel.eta.latest_at
    await session.commit()


async def test_a_position_costs_as_many_statements_however_many_wait(
    shop: Shop, session: AsyncSession
) -> None:
    async def cost(many: int) -> int:
        run = await create_delivery_run(session, await packed_parcels(session, many))
        await start(session, run)
        await session.commit()
        with count_statements(shop) as counted:
            async with shop.database.writes.begin() as write:
                await report(write, run, latitude=30.5, longitude=120.0, now=NOW + POSITION_EVENT_INTERVAL)
        return counted.total

    assert await cost(4) == await cost(12)


async def rescheduled(session: AsyncSession, parcels: Sequence[Shipment]) -> list[int]:
    """How often the customer of each parcel was told a new time."""
    names = [await event_names(session, Subject.SHIPMENT, parcel.id) for parcel in parcels]
    return [each.count("shipment.rescheduled") for each in names]


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (-91, 0), (0, 181), (float("nan"), 0)])
async def test_a_position_outside_the_map_is_refused(
    shop: Shop, session: AsyncSession, latitude: float, longitude: float
) -> None:
    run = await create_delivery_run(session, await packed_parcels(session, 1))
    await start(session, run)

    with pytest.raises(Invalid):
        await report(session, run, latitude=latitude, longitude=longitude)

    assert run.position is None
    await session.commit()
