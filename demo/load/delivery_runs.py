"""Steps of demo orders that the shop's own courier brings, and whose cash they collect."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Select, select

from demo.load.scenario_run import ScenarioRun
from domain.cause import Cause
from domain.delivery_run import (
    PlannedStop,
    StopReport,
    StopTerms,
    complete_stop,
    plan_delivery_run,
    report_courier_position,
    start_delivery_run,
)
from domain.payment import collect_cash, hand_in_cash
from events.shop import Shop
from models import (
    Account,
    Delivery,
    DeliveryRun,
    DeliveryRunStop,
    Money,
    Payment,
    Position,
    Role,
    Shipment,
    StopOutcome,
)

LEG = timedelta(minutes=12)
WINDOW = timedelta(hours=1)
ROUND_STOPS = 7
LOCKED_PLACE = 4
ROUND_SO_FAR = (
    (StopOutcome.DELIVERED, StopReport(proof="本人签收")),
    (StopOutcome.FAILED, StopReport(note="家中无人，电话未接")),
    (StopOutcome.DELIVERED, StopReport(proof="前台代收")),
)
COURIER_AT = (31.2215, 121.4362)
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


async def start_round(run: ScenarioRun) -> None:
    """A courier is on a round: some parcels are handed over, one recipient was out, the rest is ahead."""
    shop, receipt_after = run.shop, run.shop.settings.deadlines.receipt_confirmed_after
    async with shop.database.writes.begin() as session:
        couriers = select(Account.id).where(Account.role == Role.COURIER).order_by(Account.id.desc())
        courier_id = (await session.scalars(couriers)).first() or 0
        parcels = [
            (shipment, delivery) for shipment, delivery in await session.execute(select_round(run.order_id))
        ]
        planned = await plan_delivery_run(
            session,
            courier_id=courier_id,
            warehouse_id=parcels[0][0].warehouse_id,
            vehicle="电动货车",
            stops=[
                stop_of(shop, place, shipment, delivery) for place, (shipment, delivery) in enumerate(parcels)
            ],
            cause=Cause(shop.clock(), run.fixtures.manager_id),
        )
        left = Cause(shop.clock(), courier_id)
        await start_delivery_run(session, planned.id, cause=left, receipt_after=receipt_after)
        stops = select(DeliveryRunStop.id).where(DeliveryRunStop.delivery_run_id == planned.id)
        ids = (await session.scalars(stops.order_by(DeliveryRunStop.position))).all()
        for place, (outcome, report) in enumerate(ROUND_SO_FAR):
            arrived = Cause(shop.clock() + (place + 1) * LEG, courier_id)
            await complete_stop(
                session, ids[place], outcome, report=report, cause=arrived, receipt_after=receipt_after
            )
        now = run.shop_now().clock()
        await report_courier_position(
            session, planned.id, Position(*COURIER_AT, now), cause=Cause(now, courier_id)
        )


def select_round(last_order_id: int) -> Select[Shipment, Delivery]:
    """The parcels of the round: those of the orders before the last one, too."""
    return (
        select(Shipment, Delivery)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(Shipment.order_id <= last_order_id)
        .order_by(Shipment.order_id.desc())
        .limit(ROUND_STOPS)
    )


def stop_of(shop: Shop, place: int, shipment: Shipment, delivery: Delivery) -> PlannedStop:
    """A stop of the round; every second customer has a window, and the third stop is promised."""
    begins = shop.clock() + place * LEG
    terms = StopTerms(begins, begins + WINDOW) if place % 2 else StopTerms()
    return PlannedStop(
        shipment.id,
        LEG,
        delivery.latitude,
        delivery.longitude,
        terms=replace(terms, locked=place == LOCKED_PLACE),
    )


RUN_STEPS: Mapping[str, Callable[[ScenarioRun], Awaitable[None]]] = {
    "bring_by_courier": bring_by_courier,
    "count_less": count_less,
    "start_round": start_round,
}
