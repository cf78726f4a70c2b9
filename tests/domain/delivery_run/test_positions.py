"""Which positions of couriers are believed, and how they are forgotten."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.delivery_run import forget_positions, select_runs_with_old_positions
from domain.delivery_run.position import ImplausiblePosition
from domain.delivery_run.stored_positions import forget_stored_positions
from events.shop import Shop
from models import CourierPosition, DeliveryRun, Shipment, TrackingEvent
from tests.domain.delivery_run.driving import finish, packed_parcels, report, start, stops_of
from tests.factories.delivery_run import create_delivery_run
from tests.factories.shipment import NOW

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
THERE = (30.01, 120.02)
"""Near the first stop; the depot and all stops are in the same province."""
BEIJING = (39.9, 116.4)


async def run_under_way(session: AsyncSession) -> tuple[DeliveryRun, list[Shipment]]:
    parcels = await packed_parcels(session, 2)
    run = await create_delivery_run(session, parcels)
    await start(session, run)
    return run, parcels


async def be_at(session: AsyncSession, run: DeliveryRun, place: tuple[float, float], minutes: int) -> None:
    await report(session, run, latitude=place[0], longitude=place[1], now=NOW + minutes * MINUTE)


@pytest.mark.parametrize("wrong", [(0.0, 0.0), BEIJING])
async def test_a_first_position_far_from_everywhere_the_run_goes_is_shown_to_nobody(
    shop: Shop, session: AsyncSession, wrong: tuple[float, float]
) -> None:
    run, _ = await run_under_way(session)

    await be_at(session, run, wrong, 0)

    assert (run.position, run.announced_at) == (None, None)
    assert (await session.scalars(select(CourierPosition))).all() == []
    await be_at(session, run, THERE, 1)
    assert (run.latitude, run.longitude, run.doubted_at) == (*THERE, None)
    await session.commit()


async def test_two_positions_far_away_that_agree_are_believed_until_one_is_near(
    shop: Shop, session: AsyncSession
) -> None:
    run, _ = await run_under_way(session)
    await be_at(session, run, BEIJING, 0)
    await be_at(session, run, (0.0, 0.0), 1)  # does not agree
    assert run.position is None

    await be_at(session, run, (0.0, 0.001), 2)
    assert (run.latitude, run.longitude) == (0.0, 0.001)
    with pytest.raises(ImplausiblePosition):
        await be_at(session, run, BEIJING, 3)
    await be_at(session, run, THERE, 3)

    assert (run.latitude, run.longitude) == THERE
    with pytest.raises(ImplausiblePosition):
        await be_at(session, run, (0.0, 0.0), 4)
    assert (run.latitude, run.longitude) == THERE
    await session.commit()


async def test_what_is_forgotten_of_a_run_is_forgotten_beside_its_parcels_and_of_what_was_doubted(
    shop: Shop, session: AsyncSession
) -> None:
    run, parcels = await run_under_way(session)
    [first, second] = await stops_of(session, run)
    await be_at(session, run, THERE, 0)
    await finish(session, run, first, now=NOW)
    await be_at(session, run, THERE, 60)
    await finish(session, run, second, now=NOW + 90 * MINUTE)
    other, _ = await run_under_way(session)
    await be_at(session, other, BEIJING, 0)
    await session.flush()

    async def latitudes() -> list[float | None]:
        """The latitudes of what was tracked at the two doors."""
        rows = select(TrackingEvent.latitude).where(
            TrackingEvent.shipment_id.in_([parcel.id for parcel in parcels]),
            TrackingEvent.code.endswith("-DELIVERED"),
        )
        return list(await session.scalars(rows.order_by(TrackingEvent.id)))

    due = select_runs_with_old_positions
    assert (await session.scalars(due(NOW - MINUTE))).all() == []
    assert (await session.scalars(due(NOW))).all() == [run.id, other.id]
    assert await latitudes() == [30.01, 30.01]
    await forget_positions(session, run.id, before=NOW + MINUTE)
    assert (await latitudes(), run.latitude) == ([None, 30.01], 30.01)
    await forget_positions(session, run.id, before=NOW + 60 * MINUTE)  # the last event is of later
    await forget_positions(session, other.id, before=NOW)

    assert (await latitudes(), run.position) == ([None, None], None)
    assert (other.doubted_position, other.position) == (None, None)
    assert (await session.scalars(due(NOW + DAY))).all() == []
    assert await audit_books(session) == []
    await session.commit()


async def test_what_was_tracked_before_is_forgotten_where_its_run_knows_no_position(
    shop: Shop, session: AsyncSession
) -> None:
    old, [parcel, _] = await run_under_way(session)
    young, [other, _] = await run_under_way(session)
    await be_at(session, young, THERE, 0)
    is_of_runs = TrackingEvent.shipment_id.in_([parcel.id, other.id])
    await session.execute(update(TrackingEvent).where(is_of_runs).values(latitude=30.0, longitude=120.0))
    carried = select(TrackingEvent.id).where(is_of_runs).order_by(TrackingEvent.id)
    ids = (await session.scalars(carried)).all()

    assert await forget_stored_positions(session, 0) == ids[-1]
    assert await forget_stored_positions(session, ids[-1]) is None

    rows = await session.execute(
        select(TrackingEvent.shipment_id, TrackingEvent.latitude).where(is_of_runs).order_by(TrackingEvent.id)
    )
    assert [tuple(row) for row in rows] == [(parcel.id, None), (other.id, 30.0)]
    assert old.position is None
    await session.commit()
