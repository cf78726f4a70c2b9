"""What may happen to a parcel that is to be paid in cash."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.order import confirm_receipt, lock_order
from domain.payment import collect_cash, write_off_cash
from domain.shipment import correct_shipment
from events.shop import Shop
from models import Shipment, ShipmentStatus
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.domain.states.test_shipment_states import end, inspect
from tests.factories.order import CASH, NOW, create_order, pack, payments_of
from tests.factories.shipment import send, track, tracking_fact

TITLE = "Parcels to be paid in cash"


async def cash_parcel_in_state(session: AsyncSession, state: str) -> Shipment:
    order = await create_order(session, payments={CASH: None})
    [shipment] = await pack(session, order)
    if state == "PENDING":
        return shipment
    await send(session, shipment)
    await track(session, shipment, tracking_fact(ShipmentStatus.IN_TRANSIT))
    if state == "IN_TRANSIT":
        return shipment
    reached = ShipmentStatus.DELIVERED if state == "DELIVERED" else ShipmentStatus.RETURNED
    await track(session, shipment, tracking_fact(reached, after=timedelta(hours=1)))
    if state == "DELIVERED":
        await confirm_receipt(session, order.id, cause=Cause(NOW, order.account_id))
    else:
        await inspect(session, shipment)
        await end(session, shipment)
    return shipment


async def collect(session: AsyncSession, shipment: Shipment) -> None:
    order = await lock_order(session, shipment.order_id)
    [payment] = await payments_of(session, order)
    await collect_cash(session, payment.id, order.total, cause=Cause(NOW))


COMMANDS: Mapping[str, Command] = {
    "its cash is collected": collect,
    "a manager writes its cash off": lambda session, it: write_off_cash(
        session, it.id, reason="Nobody paid.", cause=Cause(NOW)
    ),
    "staff take back its last status": lambda session, it: correct_shipment(
        session, it.id, reason="No.", cause=Cause(NOW + timedelta(hours=2))
    ),
}


@pytest.mark.parametrize("state", documented_outcomes(TITLE))
async def test_what_may_happen_to_a_parcel_to_be_paid_in_cash(shop: Shop, state: str) -> None:
    await check_outcomes(shop, TITLE, state, cash_parcel_in_state, COMMANDS)
