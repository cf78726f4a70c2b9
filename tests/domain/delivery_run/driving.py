"""How a delivery run is started, driven and reported on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import StopReport, complete_stop, report_courier_position, start_delivery_run
from models import (
    Account,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    Position,
    Shipment,
    ShipmentStatus,
    StopOutcome,
)
from tests.factories.shipment import NOW, RECEIPT_AFTER, confirmed_order, pack

S = ShipmentStatus
R = DeliveryRunStatus


async def packed_parcels(session: AsyncSession, count: int) -> list[Shipment]:
    """Packed parcels of as many orders."""
    return [(await pack(session, await confirmed_order(session)))[0] for _ in range(count)]


async def stops_of(session: AsyncSession, run: DeliveryRun) -> list[DeliveryRunStop]:
    rows = (
        select(DeliveryRunStop)
        .where(DeliveryRunStop.delivery_run_id == run.id)
        .order_by(DeliveryRunStop.position)
    )
    return list(await session.scalars(rows.execution_options(populate_existing=True)))


async def start(session: AsyncSession, run: DeliveryRun, *, now: datetime = NOW) -> list[DeliveryRunStop]:
    cause = Cause(now, run.courier_id)
    await start_delivery_run(session, run.id, cause=cause, receipt_after=RECEIPT_AFTER)
    return await stops_of(session, run)


async def finish(
    session: AsyncSession,
    run: DeliveryRun,
    stop: DeliveryRunStop,
    outcome: StopOutcome = StopOutcome.DELIVERED,
    *,
    note: str = "",
    proof: str = "",
    now: datetime = NOW,
) -> DeliveryRunStop:
    return await complete_stop(
        session,
        stop.id,
        outcome,
        report=StopReport(note=note, proof=proof),
        cause=Cause(now, run.courier_id),
        receipt_after=RECEIPT_AFTER,
    )


async def report(
    session: AsyncSession,
    run: DeliveryRun,
    *,
    courier: Account | None = None,
    latitude: float = 30.25,
    longitude: float = 120.17,
    now: datetime = NOW,
) -> None:
    await report_courier_position(
        session,
        run.id,
        Position(latitude, longitude, now),
        cause=Cause(now, courier.id if courier else run.courier_id),
    )
