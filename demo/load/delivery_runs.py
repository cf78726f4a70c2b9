"""Steps of demo orders that the shop's own courier brings, and whose cash they collect."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from sqlalchemy import select

from demo.load.scenario_run import ScenarioRun
from domain.cause import Cause
from domain.delivery_run import PlannedStop, StopReport, complete_stop, plan_delivery_run, start_delivery_run
from domain.payment import collect_cash, hand_in_cash
from models import (
    Account,
    DeliveryRun,
    DeliveryRunStop,
    Money,
    Payment,
    Role,
    Shipment,
    StopOutcome,
)

LEG = timedelta(minutes=12)
MISSING = 10_00
"""What was missing when cash was counted, in minor units."""


async def bring_by_courier(run: ScenarioRun) -> None:
    """The courier brings the parcel on a run of its own and has the cash in hand."""
    shop, receipt_after = run.shop, run.shop.settings.deadlines.receipt_confirmed_after
    async with shop.database.writes.begin() as session:
        couriers = select(Account.id).where(Account.role == Role.COURIER).order_by(Account.id)
        courier_id = (await session.scalars(couriers)).first() or 0
        shipment = (await session.scalars(select(Shipment).where(Shipment.order_id == run.order_id))).one()
        planned = Cause(shop.clock(), run.fixtures.manager_id)
        delivery_run = await plan_delivery_run(
            session,
            courier_id=courier_id,
            warehouse_id=shipment.warehouse_id,
            vehicle="电动三轮车",
            stops=[PlannedStop(shipment.id, LEG)],
            cause=planned,
        )
        left = Cause(shop.clock() + LEG, courier_id)
        await start_delivery_run(session, delivery_run.id, cause=left, receipt_after=receipt_after)
        stop = select(DeliveryRunStop.id).where(DeliveryRunStop.delivery_run_id == delivery_run.id)
        arrived = Cause(left.now + LEG, courier_id)
        await complete_stop(
            session,
            (await session.scalars(stop)).one(),
            StopOutcome.DELIVERED,
            report=StopReport(proof="本人签收"),
            cause=arrived,
            receipt_after=receipt_after,
        )
        payment = (await session.scalars(select(Payment).where(Payment.order_id == run.order_id))).one()
        await collect_cash(session, payment.id, payment.total, courier_id=courier_id, cause=arrived)


async def count_less(run: ScenarioRun) -> None:
    """A manager counts less than was collected; nobody has found out why."""
    shop = run.shop
    async with shop.database.writes.begin() as session:
        brought = (
            select(DeliveryRun.id, Payment)
            .join(DeliveryRunStop, DeliveryRunStop.delivery_run_id == DeliveryRun.id)
            .join(Shipment, Shipment.id == DeliveryRunStop.shipment_id)
            .join(Payment, Payment.order_id == Shipment.order_id)
            .where(Shipment.order_id == run.order_id)
        )
        delivery_run_id, payment = (await session.execute(brought)).one()
        await hand_in_cash(
            session,
            delivery_run_id,
            payment.total - Money(MISSING, payment.currency),
            reason="少一张十元，正在查",
            key=f"demo {run.order_id}",
            cause=Cause(shop.clock() + 5 * LEG, run.fixtures.manager_id),
        )


RUN_STEPS: Mapping[str, Callable[[ScenarioRun], Awaitable[None]]] = {
    "bring_by_courier": bring_by_courier,
    "count_less": count_less,
}
