"""Shipments: carriers are called about them, and what nobody ends in time ends by itself."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.undelivered import end_overdue_shipment, select_overdue_shipments
from domain.cause import Cause
from domain.events import OrderCancelled
from domain.shipment.unhandled import delete_old_report, select_old_reports
from domain.shipment.waybills import cancel_waybills_of_order
from events.types import Resources, Timer


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


async def delete_report(resources: Resources, report_id: int) -> None:
    """Delete what could not be followed and has not come again for long."""
    async with resources.database.writes.begin() as session:
        await delete_old_report(session, report_id, now=resources.clock())


OLD_REPORTS = Timer("unhandled_reports.old", due=select_old_reports, act=delete_report)
UNDELIVERED_SHIPMENTS = Timer(
    "shipment.undelivered",
    due=select_overdue_shipments,
    act=end_overdue,
    age=lambda settings: settings.deadlines.undelivered_ended_after,
)
