"""What may happen to a waybill in each of its states."""

from collections.abc import Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment.booking import WaybillRequest, open_waybill
from domain.shipment.waybills import (
    ANSWERED_WITHIN,
    LONGEST_PAUSE,
    UNKNOWN_AFTER,
    BookedFacts,
    cancel_waybills_of_order,
    give_up,
    record_booked,
    record_cancel_refused,
    record_cancelled,
    record_no_answer,
    record_not_booked,
    record_not_known,
    release_waybills,
    use_waybill,
)
from events.shop import Shop
from models import SIMULATED_CARRIER, Shipment, Waybill, WaybillStatus
from tests.domain.states.outcomes import Command, check_outcomes, documented_outcomes
from tests.factories.shipment import NOW, confirmed_order, pack

W = WaybillStatus
CAUSE = Cause(NOW)
NUMBER = "N1"


async def waybill_in_state(session: AsyncSession, state: str) -> Waybill:
    [shipment] = await pack(session, await confirmed_order(session))
    waybill = await open_waybill(session, WaybillRequest([shipment.id]), SIMULATED_CARRIER, cause=CAUSE)
    if state == W.REFUSED:
        await refuse(session, waybill)
    elif state != W.REQUESTED:
        await give_number(session, waybill)
    if state in {W.CANCELLING, W.CANCELLED, W.CANCEL_REFUSED}:
        await give_up(session, waybill, now=NOW)
    if state == W.CANCELLED:
        await cancel(session, waybill)
    if state == W.CANCEL_REFUSED:
        await refuse_to_cancel(session, waybill)
    return waybill


async def shipment_of(session: AsyncSession, waybill: Waybill) -> Shipment:
    return await session.get_one(Shipment, waybill.shipment_id)


async def give_number(session: AsyncSession, waybill: Waybill) -> None:
    await record_booked(session, waybill.id, BookedFacts(NUMBER), now=NOW)


async def refuse(session: AsyncSession, waybill: Waybill) -> None:
    await record_not_booked(session, waybill.id, "Too heavy.", now=NOW)


async def stay_silent(session: AsyncSession, waybill: Waybill) -> None:
    await record_no_answer(session, waybill.id, "No answer.", now=NOW)


async def stay_silent_for_a_day(session: AsyncSession, waybill: Waybill) -> None:
    """It is called whenever it is due to be."""
    while waybill.call_at is not None and waybill.call_at <= NOW + ANSWERED_WITHIN + LONGEST_PAUSE:
        await record_no_answer(session, waybill.id, "No answer.", now=waybill.call_at)


async def refuse_to_say(session: AsyncSession, waybill: Waybill) -> None:
    await record_not_known(session, waybill.id, "Ask by telephone.", now=NOW + UNKNOWN_AFTER)


async def cancel(session: AsyncSession, waybill: Waybill) -> None:
    await record_cancelled(session, waybill.id, now=NOW)


async def refuse_to_cancel(session: AsyncSession, waybill: Waybill) -> None:
    await record_cancel_refused(session, waybill.id, "It was collected.", now=NOW)


async def leave_with_number(session: AsyncSession, waybill: Waybill) -> None:
    await use_waybill(session, await shipment_of(session, waybill), SIMULATED_CARRIER, NUMBER, now=NOW)


async def leave_with_another(session: AsyncSession, waybill: Waybill) -> None:
    await use_waybill(session, await shipment_of(session, waybill), SIMULATED_CARRIER, "N2", now=NOW)


async def unpack(session: AsyncSession, waybill: Waybill) -> None:
    await release_waybills(session, await shipment_of(session, waybill), now=NOW)


async def cancel_order(session: AsyncSession, waybill: Waybill) -> None:
    shipment = await shipment_of(session, waybill)
    await cancel_waybills_of_order(session, shipment.order_id, now=NOW)


COMMANDS: Mapping[str, Command] = {
    "the carrier gives a number": give_number,
    "the carrier refuses it, or does not know it": refuse,
    "the carrier does not answer": stay_silent,
    "the carrier does not answer for a day": stay_silent_for_a_day,
    "the carrier refuses to say whether it has it": refuse_to_say,
    "the parcel leaves with the number given": leave_with_number,
    "the parcel leaves with another number": leave_with_another,
    "the parcel is unpacked": unpack,
    "the order is cancelled": cancel_order,
    "the carrier cancels it": cancel,
    "the carrier does not cancel it": refuse_to_cancel,
}


@pytest.mark.parametrize("state", documented_outcomes("Waybills"))
async def test_what_may_happen_to_a_waybill(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Waybills", state, waybill_in_state, COMMANDS)
