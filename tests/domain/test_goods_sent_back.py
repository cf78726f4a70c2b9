"""Refused goods on their way back: each unit is in one book, and no customer ends without goods and money."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.return_waybill import OTHER_CARRIER, ReturnWaybill, find_return_carrier
from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from domain.errors import Conflict, WrongState
from domain.shipment import (
    InspectedUnits,
    ParcelLine,
    ParcelToPack,
    correct_shipment,
    dispatch_shipment,
    inspect_shipment,
    pack_shipments,
    send_again,
)
from domain.shipment.open_parcels import Scan, open_parcel, scan_into_parcel
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    Carrier,
    Delivery,
    DeliveryLine,
    OrderLine,
    OrderStatus,
    ReturnCondition,
    Shipment,
    ShipmentStatus,
    Ticket,
    TicketStatus,
    Variant,
)
from tests.domain.states.outcomes import escalate
from tests.domain.test_return_inspections import (
    agree,
    group,
    inspect,
    part_of,
    refused,
    report,
    returned,
    settle,
    stock,
    units_back,
)
from tests.factories.aftersales import DEADLINES, change_silence, ship_back
from tests.factories.order import NOW, RECEIPT_AFTER, arrive, dispatch
from tests.factories.packing import create_wave
from tests.factories.returns import decide

pytestmark = pytest.mark.usefixtures("audit_at_end")

S = TicketStatus
DAMAGED = ReturnCondition.DAMAGED
STAFF = Cause(NOW, None)


async def delivery_back(session: AsyncSession, ticket: Ticket) -> Delivery:
    found = select(Delivery).where(Delivery.ticket_id == ticket.id, Delivery.sends_back)
    return (await session.scalars(found)).one()


async def send_some(session: AsyncSession, ticket: Ticket, line: OrderLine, units: int = 1) -> Shipment:
    """Some of the refused units of a ticket leave."""
    delivery = await delivery_back(session, ticket)
    found = select(DeliveryLine.id).where(
        DeliveryLine.delivery_id == delivery.id, DeliveryLine.order_line_id == line.id
    )
    line_id = (await session.scalars(found)).one()
    parcel = ParcelToPack([ParcelLine(line_id, units)], weight_grams=500)
    number = f"BACK-{units}-{delivery.id}-{sum(packed for _, packed in await units_back(session, ticket))}"
    [shipment] = await pack_shipments(session, delivery.id, [parcel], numbers=[number], cause=STAFF)
    return await dispatch_shipment(
        session, shipment.id, carrier=SIMULATED_CARRIER, tracking_number=f"SIM-{number}", cause=STAFF
    )


async def end(session: AsyncSession, shipment: Shipment) -> None:
    await end_shipment(session, shipment.id, receipt_after=RECEIPT_AFTER, cause=STAFF)


async def test_a_manager_who_agrees_while_a_part_is_away_keeps_the_rest_and_no_more(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session, 4)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED, 4))
    lost, away = await send_some(session, ticket, line), await send_some(session, ticket, line, 2)
    await arrive(session, away)
    await report(session, lost, ShipmentStatus.EXPIRED)
    await end(session, lost)
    assert ticket.status is S.ARBITRATION
    await agree(session, ticket)
    part = await part_of(session, ticket)

    assert (ticket.status, part.status) == (S.AWAITING_RETURN, S.REFUNDING)
    assert await stock(session) == (before[0], 0, 1)  # one is kept, one is lost, the others are away
    await ship_back(session, ticket)
    await inspect(session, ticket, group(line, DAMAGED, 2, accepted=True))
    assert sum(await settle(session, ticket, part)) == order.total_amount
    assert (await stock(session), order.status) == ((before[0], 0, 3), OrderStatus.CLOSED)
    await session.commit()


async def test_goods_in_an_open_parcel_are_on_their_way_to_the_customer(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await returned(session, 1)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED))
    delivery = await delivery_back(session, ticket)
    variant = await session.get_one(Variant, line.variant_id)
    variant.barcode = "6901234567892"
    line_back = select(DeliveryLine).where(DeliveryLine.delivery_id == delivery.id)
    warehouse_id = (await session.scalars(line_back)).one().warehouse_id
    parcel = await open_parcel(session, delivery.id, warehouse_id=warehouse_id, cause=STAFF)
    await scan_into_parcel(session, parcel.id, Scan("6901234567892"), cause=STAFF)
    await escalate(session, ticket)
    await agree(session, ticket)

    assert (ticket.status, await stock(session)) == (S.AWAITING_RETURN, before)
    await session.commit()


async def test_goods_that_came_back_once_more_are_kept_or_sent_but_not_both(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session, 1)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED))
    shipment = await send_some(session, ticket, line)
    await escalate(session, ticket)
    await report(session, shipment, ShipmentStatus.RETURNED)
    nested = await session.begin_nested()
    with pytest.raises(WrongState, match="Inspect first what came back"):
        await agree(session, ticket)
    await nested.rollback()
    await session.refresh(ticket)
    found = [InspectedUnits(line.id, restocked=0, damaged=1, missing=0)]
    await inspect_shipment(session, shipment.id, found, cause=STAFF)
    await agree(session, ticket)
    assert ticket.status is S.REFUNDING
    with pytest.raises(WrongState):
        await send_again(session, shipment.id, cause=STAFF)
    with pytest.raises(WrongState):
        await correct_shipment(session, shipment.id, reason="It is on its way.", cause=STAFF)

    assert sum(await settle(session, ticket)) == order.total_amount
    assert await stock(session) == (before[0], 0, 1)
    await session.commit()


@pytest.mark.parametrize("comes_back", [False, True])
async def test_goods_that_do_not_reach_their_customer_after_the_decision_are_granted(
    shop: Shop, session: AsyncSession, comes_back: bool
) -> None:
    order, line, ticket = await returned(session, 1)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED))
    shipment = await send_some(session, ticket, line)
    await escalate(session, ticket)
    await agree(session, ticket)
    assert ticket.status is S.AWAITING_RETURN
    if comes_back:
        await report(session, shipment, ShipmentStatus.RETURNED)
        found = [InspectedUnits(line.id, restocked=0, damaged=1, missing=0)]
        await inspect_shipment(session, shipment.id, found, cause=STAFF)
        with pytest.raises(WrongState):
            await send_again(session, shipment.id, cause=STAFF)
    else:
        await report(session, shipment, ShipmentStatus.EXPIRED)
    await end(session, shipment)
    assert (ticket.status, ticket.due_at) == (S.ARBITRATION, None)
    await agree(session, ticket)

    assert sum(await settle(session, ticket)) == order.total_amount
    assert (await stock(session), order.status) == ((before[0], 0, int(comes_back)), OrderStatus.CLOSED)
    await session.commit()


async def test_the_time_to_send_goods_once_more_counts_from_when_the_customer_has_them(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await returned(session, 1)
    await inspect(session, ticket, refused(line, DAMAGED))
    shipment = await send_some(session, ticket, line)
    await escalate(session, ticket)
    await agree(session, ticket)
    late = NOW + DEADLINES.send_back
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(late))
    assert (ticket.status, ticket.due_at) == (S.AWAITING_RETURN, late + DEADLINES.send_back)

    arrived = late + timedelta(days=1)
    await arrive(session, shipment, now=arrived)
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(late + DEADLINES.send_back))
    assert (ticket.status, ticket.due_at) == (S.AWAITING_RETURN, arrived + DEADLINES.send_back)
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(arrived + DEADLINES.send_back))
    assert ticket.status is S.CANCELLED
    await session.commit()


async def test_units_that_are_missing_in_a_parcel_that_came_back_are_decided_by_a_manager(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session, 2)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED, 2))
    shipment = await send_some(session, ticket, line, 2)
    await report(session, shipment, ShipmentStatus.RETURNED)
    found = [InspectedUnits(line.id, restocked=0, damaged=1, missing=1)]
    await inspect_shipment(session, shipment.id, found, cause=STAFF)
    await end(session, shipment)
    assert ticket.status is S.ARBITRATION
    await agree(session, ticket)

    assert sum(await settle(session, ticket)) == order.total_amount
    assert await stock(session) == (before[0], 0, 1)
    await session.commit()


async def test_what_silence_accepts_after_a_refusal_is_refused_nowhere(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session, 1)
    await inspect(session, ticket, refused(line, DAMAGED))
    await arrive(session, await send_some(session, ticket, line))
    await escalate(session, ticket)
    await agree(session, ticket)
    await ship_back(session, ticket)
    await change_silence(session)
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + timedelta(days=10)))

    assert await settle(session, ticket) == [order.total_amount]
    await session.commit()


async def test_goods_that_go_back_are_not_picked_from_the_shelf_and_leave_no_empty_delivery(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session, 1)
    await inspect(session, ticket, refused(line, DAMAGED))
    await delivery_back(session, ticket)
    nested = await session.begin_nested()
    with pytest.raises(Conflict, match="nothing to pick"):
        await create_wave(session, order)
    await nested.rollback()
    await session.refresh(ticket)

    await escalate(session, ticket)
    found = select(Delivery.id).where(Delivery.ticket_id == ticket.id)
    assert (await session.scalars(found)).all() == []
    await session.commit()


async def test_goods_that_are_sent_once_more_go_on_their_way_while_a_manager_decides(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session, 1)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED))
    shipment = await send_some(session, ticket, line)
    await report(session, shipment, ShipmentStatus.RETURNED)
    found = [InspectedUnits(line.id, restocked=0, damaged=1, missing=0)]
    await inspect_shipment(session, shipment.id, found, cause=STAFF)
    await send_again(session, shipment.id, cause=STAFF)
    await escalate(session, ticket)
    await agree(session, ticket)

    assert (ticket.status, await stock(session)) == (S.AWAITING_RETURN, before)
    for again in await dispatch(session, order):
        await arrive(session, again)
    await ship_back(session, ticket)
    await inspect(session, ticket, group(line, DAMAGED, accepted=True))
    assert sum(await settle(session, ticket)) == order.total_amount
    assert await stock(session) == (before[0], 0, 1)
    await session.commit()


async def test_a_parcel_back_that_was_reported_as_delivered_by_mistake_is_corrected(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await returned(session, 2)
    await inspect(session, ticket, group(line, ReturnCondition.AS_NEW), refused(line, DAMAGED))
    part = await part_of(session, ticket)
    shipment = await send_some(session, part, line)
    await arrive(session, shipment)
    await correct_shipment(session, shipment.id, reason="It was the neighbour's.", cause=STAFF)

    await session.refresh(shipment)
    assert (shipment.status, shipment.delivered_at) == (ShipmentStatus.PICKED_UP, None)
    await arrive(session, shipment)
    assert len(await settle(session, ticket)) == 1
    await session.commit()


async def test_a_carrier_named_in_words_is_the_carrier_of_the_shop() -> None:
    carrier = Carrier(code=SIMULATED_CARRIER, name="Simulated Express")
    waybill = ReturnWaybill(OTHER_CARRIER, "SF1001", " simulated express ")
    assert find_return_carrier(waybill, [carrier]).code == SIMULATED_CARRIER
    assert find_return_carrier(waybill, []).code is None


async def test_what_came_back_and_ended_is_sent_once_more_when_a_manager_refuses_for_good(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await returned(session, 1)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED))
    shipment = await send_some(session, ticket, line)
    await report(session, shipment, ShipmentStatus.RETURNED)
    await inspect_shipment(session, shipment.id, [InspectedUnits(line.id, 0, 1, 0)], cause=STAFF)
    await end(session, shipment)
    await escalate(session, ticket)
    cause = Cause(NOW, None)
    await decide(session, ticket.id, DEADLINES, agreed=False, reason="It was worn.", cause=cause)

    assert (ticket.status, await units_back(session, ticket)) == (S.REJECTED, [(2, 1)])
    await arrive(session, await send_some(session, ticket, line))
    assert (await units_back(session, ticket), await stock(session)) == ([(2, 2)], before)
    await session.commit()
