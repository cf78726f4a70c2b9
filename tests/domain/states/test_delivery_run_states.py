"""What may happen to a delivery run in each of its states."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import (
    NewLeg,
    PlannedStop,
    PlanOrigin,
    RunDraft,
    add_stop,
    assign_courier,
    cancel_delivery_run,
    complete_stop,
    count_locked,
    drop_parcels_of_order,
    end_delivery_run,
    end_draft,
    request_replan,
    start_delivery_run,
    write_drafts,
    write_new_order,
)
from events.shop import Shop
from models import (
    Account,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    DistanceSource,
    Order,
    OrderStatus,
    Role,
    RouteSolver,
    Shipment,
    StopOutcome,
)
from settings.business import LocaleSettings
from tests.domain.delivery_run.driving import finish, packed_parcels, report, start, stops_of
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.shipment import NOW, RECEIPT_AFTER
from tests.factories.vehicle import create_courier, create_vehicle

LIFETIME = timedelta(hours=2)
LEG = timedelta(minutes=10)
ORIGIN = PlanOrigin(RouteSolver.BUILT_IN, DistanceSource.STRAIGHT_LINES)
CAUSE = Cause(NOW)
UNKNOWN = 10_000
S = DeliveryRunStatus


async def run_in_state(session: AsyncSession, state: str) -> DeliveryRun:
    """A run of two parcels in this state, and a third parcel in the same warehouse."""
    parcels = await packed_parcels(session, 3)
    van = await create_vehicle(session, parcels[0].warehouse_id)
    await create_courier(session)
    stops = [PlannedStop(each.id, LEG, 30.2, 120.1, version=each.version) for each in parcels[:2]]
    draft = RunDraft(van.id, stops, NOW, NOW + 2 * LEG, 1_000)
    [run] = (await write_drafts(session, [draft], ORIGIN, lifetime=LIFETIME, cause=CAUSE)).runs
    if state != S.DRAFT:
        await assign(session, run)
    if state in {S.ACTIVE, S.COMPLETED}:
        await start(session, run)
    if state == S.COMPLETED:
        for stop in await stops_of(session, run):
            await finish(session, run, stop)
    if state == S.CANCELLED:
        await cancel(session, run)
    await session.flush()
    return run


async def courier_of(session: AsyncSession, run: DeliveryRun) -> int:
    """Who drives it, or would."""
    found = await session.scalar(select(Account.id).where(Account.role == Role.COURIER))
    return run.courier_id or found or 0


async def assign(session: AsyncSession, run: DeliveryRun) -> None:
    zone = LocaleSettings().zone
    await assign_courier(session, run.id, await courier_of(session, run), zone=zone, cause=CAUSE)


async def leave(session: AsyncSession, run: DeliveryRun) -> None:
    cause = Cause(NOW, await courier_of(session, run))
    await start_delivery_run(session, run.id, cause=cause, receipt_after=RECEIPT_AFTER)


async def move(session: AsyncSession, run: DeliveryRun) -> None:
    courier = await session.get_one(Account, await courier_of(session, run))
    await report(session, run, courier=courier)


async def hand_over(session: AsyncSession, run: DeliveryRun) -> None:
    cause = Cause(NOW, await courier_of(session, run))
    stop_ids = [stop.id for stop in await stops_of(session, run)] or [UNKNOWN]
    for stop_id in stop_ids:
        await complete_stop(session, stop_id, StopOutcome.DELIVERED, cause=cause, receipt_after=RECEIPT_AFTER)


async def join(session: AsyncSession, run: DeliveryRun) -> None:
    on_run = select(DeliveryRunStop.shipment_id).where(DeliveryRunStop.delivery_run_id == run.id)
    other = select(Shipment.id).where(Shipment.id.not_in(on_run)).order_by(Shipment.id.desc()).limit(1)
    stop = PlannedStop((await session.scalars(other)).one(), LEG, 30.3, 120.2)
    await add_stop(session, run.id, stop, cause=CAUSE, receipt_after=RECEIPT_AFTER)


async def replan(session: AsyncSession, run: DeliveryRun) -> None:
    await request_replan(session, run.id, cause=CAUSE)
    stops = await stops_of(session, run)
    legs = [NewLeg(stop.id, LEG, 1_000) for stop in reversed(stops[count_locked(run, stops) :])]
    await write_new_order(session, run.id, legs, ORIGIN, version=run.version, cause=CAUSE)


async def cancel(session: AsyncSession, run: DeliveryRun) -> None:
    await cancel_delivery_run(session, run.id, cause=CAUSE)


async def end_it(session: AsyncSession, run: DeliveryRun) -> None:
    await end_delivery_run(session, run.id, reason="x", cause=CAUSE, receipt_after=RECEIPT_AFTER)


async def cancel_orders(session: AsyncSession, run: DeliveryRun) -> None:
    for order in (await session.scalars(select(Order).order_by(Order.id))).all():
        order.status = OrderStatus.CANCELLED
        await session.flush()
        await drop_parcels_of_order(session, order.id, cause=CAUSE)


async def end_late(session: AsyncSession, run: DeliveryRun) -> None:
    await end_draft(session, run.id, cause=Cause(NOW + LIFETIME))


RUN: Mapping[str, Command] = {
    "it is given to a courier": assign,
    "its courier starts it": leave,
    "its courier reports a position": move,
    "all its parcels are handed over": hand_over,
    "another parcel joins it": join,
    "what is left is planned anew": replan,
    "staff cancel it": cancel,
    "staff end it": end_it,
    "its orders are cancelled": cancel_orders,
    "nobody takes the draft in time": end_late,
}


@pytest.mark.parametrize("state", documented_outcomes("Delivery runs"))
async def test_what_may_happen_to_a_delivery_run(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Delivery runs", state, run_in_state, RUN)


def test_every_status_of_a_run_has_a_column() -> None:
    assert set(documented_outcomes("Delivery runs")) == set(DeliveryRunStatus)
