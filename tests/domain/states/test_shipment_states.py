"""What may happen to a parcel, in every state it can be in."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.undelivered import end_overdue_shipment, end_shipment
from domain.cause import Cause
from domain.shipment import InspectedUnits, correct_shipment, inspect_shipment, send_again
from events.shop import Shop
from models import Shipment, ShipmentLine, ShipmentStatus
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.shipment import (
    NOW,
    RECEIPT_AFTER,
    confirmed_order,
    pack,
    send,
    track,
    tracking_fact,
)

WEEK = timedelta(days=7)
REACHED = {
    "DELIVERED": ShipmentStatus.DELIVERED,
    "RETURNED": ShipmentStatus.RETURNED,
    "INSPECTED": ShipmentStatus.RETURNED,
    "LOST": ShipmentStatus.EXPIRED,
    "ENDED": ShipmentStatus.RETURNED,
}


async def shipment_in_state(session: AsyncSession, state: str) -> Shipment:
    """A parcel brought to a state on the ordinary way."""
    [shipment] = await pack(session, await confirmed_order(session))
    if state == "PENDING":
        return shipment
    await send(session, shipment)
    await track(session, shipment, tracking_fact(ShipmentStatus.IN_TRANSIT))
    if state in REACHED:
        await track(session, shipment, tracking_fact(REACHED[state], after=timedelta(hours=1)))
    if state in {"INSPECTED", "ENDED"}:
        await inspect(session, shipment)
    if state == "ENDED":
        await end(session, shipment)
    return shipment


async def inspect(session: AsyncSession, shipment: Shipment) -> None:
    lines = select(ShipmentLine).where(ShipmentLine.shipment_id == shipment.id)
    line = (await session.scalars(lines)).one()
    units = InspectedUnits(line.order_line_id, line.quantity, 0, 0)
    await inspect_shipment(session, shipment.id, [units], cause=Cause(NOW))


async def end(session: AsyncSession, shipment: Shipment) -> None:
    await end_shipment(session, shipment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))


SHIPMENT: Mapping[str, Command] = {
    "the warehouse inspects it": inspect,
    "staff end it": end,
    "staff send it again": lambda session, it: send_again(session, it.id, cause=Cause(NOW)),
    "staff take back its last status": lambda session, it: correct_shipment(
        session, it.id, reason="No.", cause=Cause(NOW + WEEK)
    ),
    "a week passes": lambda session, it: end_overdue_shipment(
        session, it.id, waited_since=NOW, receipt_after=RECEIPT_AFTER, cause=Cause(NOW + WEEK)
    ),
}


@pytest.mark.parametrize("state", documented_outcomes("Parcels"))
async def test_what_may_happen_to_a_parcel(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Parcels", state, shipment_in_state, SHIPMENT)
