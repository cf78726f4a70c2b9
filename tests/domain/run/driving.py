"""A run, its stops, and how they are driven."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.run import complete_stop, report_position, start_run
from models import Account, DeliveryRun, RunStatus, RunStop, Shipment, ShipmentStatus, StopOutcome
from tests.factories.shipment import NOW, RECEIPT_AFTER, confirmed_order, pack

S = ShipmentStatus
R = RunStatus


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
