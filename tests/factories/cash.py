"""Delivery runs whose couriers have collected cash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.delivery_run import complete_stop, start_delivery_run
from domain.payment import collect_cash
from domain.shipment import ParcelLine, ParcelToPack, pack_shipments
from models import Account, CurrencyCode, DeliveryRun, DeliveryRunStop, Order, Payment, Shipment, StopOutcome
from tests.factories.delivery_run import create_delivery_run
from tests.factories.order import CASH, a_variant, create_order
from tests.factories.shipment import NOW, RECEIPT_AFTER, line_of

PRICE = 9_900
"""What each order of a run costs at the door, in minor units."""

NUMBERS = count(1)


@dataclass(frozen=True)
class CashRun:
    """A run that has ended, and its orders; each was paid in cash or still is to be."""

    run: DeliveryRun
    orders: Sequence[Order]
    payments: Sequence[Payment]
    shipments: Sequence[Shipment]


async def drive_cash_run(
    session: AsyncSession,
    courier: Account,
    *currencies: CurrencyCode,
    collected: bool = True,
    now: datetime = NOW,
) -> CashRun:
    """A courier brings one order in each of these currencies, and collects the cash unless told otherwise."""
    orders = []
    for currency in currencies or [CurrencyCode.CNY]:
        variant = await a_variant(session, prices={currency: PRICE})
        orders.append(
            await create_order(
                session, lines=[(variant, 1)], currency=currency, payments={CASH: None}, now=now
            )
        )
    shipments = [await pack_order(session, order, now=now) for order in orders]
    run = await create_delivery_run(session, shipments, courier=courier, now=now)
    cause = Cause(now, courier.id)
    await start_delivery_run(session, run.id, cause=cause, receipt_after=RECEIPT_AFTER)
    stops = await session.scalars(select(DeliveryRunStop.id).where(DeliveryRunStop.delivery_run_id == run.id))
    for stop_id in stops.all():
        await complete_stop(
            session,
            stop_id,
            StopOutcome.DELIVERED,
            cause=cause,
            receipt_after=RECEIPT_AFTER,
        )
    payments = [
        (await session.scalars(select(Payment).where(Payment.order_id == order.id))).one() for order in orders
    ]
    if collected:
        for payment in payments:
            await collect_cash(session, payment.id, payment.total, courier_id=courier.id, cause=cause)
    return CashRun(run, orders, payments, shipments)


async def pack_order(session: AsyncSession, order: Order, *, now: datetime) -> Shipment:
    """One parcel with all of an order's only line; its number is none of other factories."""
    line = await line_of(session, order)
    parcel = ParcelToPack([ParcelLine(line.id, line.quantity)])
    numbers = [f"C{next(NUMBERS):08}"]
    [shipment] = await pack_shipments(session, line.delivery_id, [parcel], numbers=numbers, cause=Cause(now))
    return shipment
