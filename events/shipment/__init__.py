"""Shipments: carriers are called about them, and what nobody ends in time ends by itself."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.undelivered import end_overdue_shipment, select_overdue_shipments
from domain.cause import Cause
from domain.events import OrderCancelled, OrderEdited, OrderHeld, OrderLinesCancelled
from domain.shipment.carrier_calls import delete_old_calls, select_old_calls
from domain.shipment.open_parcels import (
    cancel_forgotten_parcel,
    end_open_parcels_of_order,
    select_forgotten_parcels,
)
from domain.shipment.unhandled import delete_old_report, select_old_reports
from domain.shipment.waves import drop_order_from_waves
from domain.shipment.waybills import cancel_waybills_of_order
from events.types import Resources, Timer
from models import WaveDropReason


async def end_overdue(resources: Resources, shipment_id: int) -> None:
    """End a parcel that came back or was lost, when nobody has in time."""
    now, deadlines = resources.clock(), resources.settings.deadlines
    async with resources.database.writes.begin() as session:
        await end_overdue_shipment(
            session,
            shipment_id,
            waited_since=now - deadlines.undelivered_ended_after,
            receipt_after=deadlines.receipt_confirmed_after,
            cause=Cause(now),
        )


async def cancel_waybills(session: AsyncSession, event: OrderCancelled, resources: Resources) -> None:
    """Cancel the waybills of what of a cancelled order was packed and has not left."""
    await cancel_waybills_of_order(session, event.order.id, now=resources.clock())


OrderChange = OrderCancelled | OrderEdited | OrderHeld | OrderLinesCancelled


async def drop_from_packing(session: AsyncSession, event: OrderChange, resources: Resources) -> None:
    """What is picked and scanned for an order drops out, since the order has changed or may not leave."""
    reason, now = DROP_REASONS[type(event)], resources.clock()
    await drop_order_from_waves(session, event.order.id, reason, now=now)
    await end_open_parcels_of_order(session, event.order.id, reason, now=now)


async def give_up_parcel(resources: Resources, open_parcel_id: int) -> None:
    """Give up an open parcel with which nobody goes on."""
    now = resources.clock()
    async with resources.database.writes.begin() as session:
        await cancel_forgotten_parcel(
            session,
            open_parcel_id,
            touched_before=now - resources.settings.packing.open_parcel_lifetime,
            cause=Cause(now),
        )


async def delete_report(resources: Resources, report_id: int) -> None:
    """Delete what could not be followed and has not come again for long."""
    async with resources.database.writes.begin() as session:
        await delete_old_report(session, report_id, now=resources.clock())


async def delete_calls(resources: Resources, ids: Sequence[int]) -> int:
    """Delete the record of calls to carriers that nobody needs any more."""
    now = resources.clock()
    async with resources.database.writes.begin() as session:
        await delete_old_calls(session, ids, now=now)
    return len(ids)


async def delete_call(resources: Resources, call_id: int) -> None:
    await delete_calls(resources, [call_id])


DROP_REASONS: Mapping[type[OrderChange], WaveDropReason] = {
    OrderCancelled: WaveDropReason.ORDER_CANCELLED,
    OrderEdited: WaveDropReason.ORDER_CHANGED,
    OrderHeld: WaveDropReason.ORDER_HELD,
    OrderLinesCancelled: WaveDropReason.ORDER_CHANGED,
}
FORGOTTEN_PARCELS = Timer(
    "open_parcels.forgotten",
    due=select_forgotten_parcels,
    act=give_up_parcel,
    age=lambda settings: settings.packing.open_parcel_lifetime,
)
OLD_CALLS = Timer("carrier_calls.old", due=select_old_calls, act=delete_call, act_on_group=delete_calls)
OLD_REPORTS = Timer("unhandled_reports.old", due=select_old_reports, act=delete_report)
UNDELIVERED_SHIPMENTS = Timer(
    "shipment.undelivered",
    due=select_overdue_shipments,
    act=end_overdue,
    age=lambda settings: settings.deadlines.undelivered_ended_after,
)
