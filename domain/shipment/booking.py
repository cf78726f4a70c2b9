"""Asking for a waybill: what is recorded before a carrier is called."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import lock_shipment
from domain.shipment.carriers import find_carrier
from domain.shipment.dispatch import check_dispatchable
from domain.shipment.waybills import ANSWER_EXPECTED_WITHIN, find_live_waybill, give_up
from models import CarrierChoice, CarrierCode, Delivery, Waybill, WaybillStatus


async def open_waybill(
    session: AsyncSession, shipment_id: int, carrier: CarrierCode, *, choice: CarrierChoice, cause: Cause
) -> Waybill:
    """The waybill of a packed parcel with a carrier: the live one, or a new one that is to be asked for.

    One that it has with another carrier is cancelled.
    """
    order, shipment = await lock_shipment(session, shipment_id)
    check_dispatchable(shipment, order, await session.get_one(Delivery, shipment.delivery_id))
    await find_carrier(session, carrier)
    live = await find_live_waybill(session, shipment_id)
    if live is not None and live.carrier == carrier:
        return live
    if live is not None:
        give_up(live, now=cause.now)
        await session.flush()
    before = await session.scalar(
        select(func.count(Waybill.id)).where(Waybill.reference.startswith(shipment.number, autoescape=True))
    )
    waybill = Waybill(
        shipment_id=shipment_id,
        carrier=carrier,
        reference=f"{shipment.number}-{before + 1}" if before else shipment.number,
        choice=choice,
        status=WaybillStatus.REQUESTED,
        children=[],
        requested_at=cause.now,
        call_at=cause.now + ANSWER_EXPECTED_WITHIN,
        calls=0,
    )
    session.add(waybill)
    await session.flush()
    return waybill
