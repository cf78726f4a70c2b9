"""Returns are inspected unit by unit: what is kept, what is refused, and where the refused goods end."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import load_order_facts
from domain.aftersales.inspection import ReturnedUnits, inspect_return
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.reasons import ClaimStage
from domain.aftersales.settlement import follow_refunds, follow_replacement
from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from domain.errors import DomainError, WrongState
from domain.shipment import (
    InspectedUnits,
    TrackingFact,
    add_tracking_events,
    inspect_shipment,
    lock_shipment,
    send_again,
)
from events.shop import Shop
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    OrderStatus,
    ReturnCondition,
    ReturnInspection,
    Shipment,
    ShipmentStatus,
    StockLevel,
    Ticket,
    TicketStatus,
    TicketType,
)
from tests.domain.states.outcomes import escalate
from tests.factories.aftersales import (
    DEADLINES,
    bring_to_status,
    change_silence,
    create_ticket,
    order_lines_of,
    refunds_of,
    settle_refunds,
    ship_back,
    ticket_events,
)
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import NOW, RECEIPT_AFTER, arrive, create_order, dispatch
from tests.factories.promotion import create_full_reduction
from tests.factories.returns import decide, part_number

pytestmark = pytest.mark.usefixtures("audit_at_end")

S = TicketStatus
AS_NEW, DAMAGED = ReturnCondition.AS_NEW, ReturnCondition.DAMAGED
INCOMPLETE, NOT_OURS = ReturnCondition.INCOMPLETE, ReturnCondition.NOT_OURS
MISSING = ReturnCondition.MISSING


async def returned(
    session: AsyncSession, units: int = 3, *, type: TicketType = TicketType.RETURN_REFUND
) -> tuple[Order, OrderLine, Ticket]:
    """An order of units for a third less 1.00, all of which are on their way back."""
    await create_full_reduction(session, (100, 100))
    variant = await variant_of(session, await create_product(session, title="Teapot"))
    order = await create_order(session, lines=[(variant, units)], status=OrderStatus.COMPLETED)
    line = (await order_lines_of(session, order))[0]
    ticket = await create_ticket(session, order=order, lines=[(line, units)], type=type)
    await bring_to_status(session, ticket, S.RETURN_SHIPPED)
    return order, line, ticket


def group(line: OrderLine, condition: ReturnCondition, quantity: int = 1, **more: Any) -> ReturnedUnits:
    return ReturnedUnits(line.id, condition, quantity, **more)


def refused(line: OrderLine, condition: ReturnCondition, quantity: int = 1) -> ReturnedUnits:
    fault = condition in {DAMAGED, INCOMPLETE}
    note = f"{condition.value.capitalize()}."
    return ReturnedUnits(line.id, condition, quantity, False, fault, note)


async def inspect(session: AsyncSession, ticket: Ticket, *groups: ReturnedUnits) -> Ticket:
    return await inspect_return(
        session, ticket.id, groups, DEADLINES, part_number=part_number(), cause=Cause(NOW, None)
    )


async def part_of(session: AsyncSession, ticket: Ticket) -> Ticket:
    return (await session.scalars(select(Ticket).where(Ticket.part_of_id == ticket.id))).one()


async def stock(session: AsyncSession) -> tuple[int, int, int]:
    """On hand, reserved and damaged, in all warehouses."""
    columns = (StockLevel.on_hand, StockLevel.reserved, StockLevel.damaged)
    row = (await session.execute(select(*(func.sum(column) for column in columns)))).one()
    return row[0], row[1], row[2]


async def status_of(session: AsyncSession, order: Order) -> OrderStatus:
    await session.refresh(order, ["status"])
    return order.status


async def units_back(session: AsyncSession, ticket: Ticket) -> list[tuple[int, int]]:
    """Units that go back to the customer, and how many of them are packed."""
    rows = await session.execute(
        select(DeliveryLine.quantity, DeliveryLine.packed)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id == ticket.id, Delivery.sends_back)
        .order_by(DeliveryLine.id)
        .execution_options(populate_existing=True)
    )
    return [(quantity, packed) for quantity, packed in rows]


async def report(session: AsyncSession, shipment: Shipment, status: ShipmentStatus) -> None:
    _, shipment = await lock_shipment(session, shipment.id)
    fact = TrackingFact(status, status.value, "Reported.", NOW)
    await add_tracking_events(session, shipment, [fact], cause=Cause(NOW), receipt_after=RECEIPT_AFTER)


async def agree(session: AsyncSession, ticket: Ticket) -> None:
    cause = Cause(NOW, None)
    await decide(session, ticket.id, DEADLINES, agreed=True, reason="It is fair.", cause=cause)


async def settle(session: AsyncSession, *tickets: Ticket) -> list[int]:
    """The refunds of tickets reach their customer; what they are."""
    for ticket in tickets:
        await settle_refunds(session, ticket)
        await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    return [refund.amount for ticket in tickets for refund in await refunds_of(session, ticket)]


async def test_accepted_units_are_refunded_and_the_others_refused_and_sent_back(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session)
    before = await stock(session)
    await inspect(session, ticket, group(line, AS_NEW), refused(line, DAMAGED), refused(line, MISSING))
    part = await part_of(session, ticket)

    assert (ticket.status, part.status) == (S.REFUNDING, S.RETURN_REFUSED)
    assert (part.refusal, part.opened_at) == ("Damaged. Missing.", ticket.opened_at)
    assert (await stock(session))[0] == before[0] + 1
    assert await units_back(session, part) == [(1, 0)]
    first = await settle(session, ticket)
    assert await status_of(session, order) is OrderStatus.CONFIRMED  # its parcel back is to be packed

    [shipment] = await dispatch(session, order)
    await session.refresh(shipment)
    assert (shipment.cash_amount, shipment.dispatched_at) == (0, NOW)
    await arrive(session, shipment)
    assert (order.status, part.status) == (OrderStatus.COMPLETED, S.RETURN_REFUSED)
    assert await stock(session) == (before[0] + 1, 0, 0)

    await escalate(session, part)
    await agree(session, part)
    again = await part_of(session, part)
    assert (part.status, again.status) == (S.AWAITING_RETURN, S.REFUNDING)
    await ship_back(session, part)
    await inspect(session, part, group(line, DAMAGED, accepted=True))
    rest = await settle(session, part, again)

    assert first + sorted(rest) == [9866, 9867, 9867]
    assert sum(first + rest) == order.total_amount == 29600
    assert await stock(session) == (before[0] + 1, 0, 1)
    assert order.status is OrderStatus.CLOSED
    assert await ticket_events(session, part) == [
        "ticket.return_refused",
        "ticket.escalated",
        "ticket.decided",
        "ticket.return_shipped",
        "ticket.return_accepted",
        "ticket.completed",
    ]
    await session.commit()


async def test_what_is_not_packed_yet_stays_while_a_manager_decides(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED, 2), refused(line, NOT_OURS))
    assert (ticket.status, await units_back(session, ticket)) == (S.RETURN_REFUSED, [(2, 0), (1, 0)])

    await escalate(session, ticket)
    assert await units_back(session, ticket) == [(1, 0)]  # what is the customer's goes back in any case
    cause = Cause(NOW, None)
    await decide(session, ticket.id, DEADLINES, agreed=False, reason="It is worn.", cause=cause)
    assert (ticket.status, await units_back(session, ticket)) == (S.REJECTED, [(1, 0), (2, 0)])
    assert order.status is OrderStatus.CONFIRMED
    for shipment in await dispatch(session, order):
        await arrive(session, shipment)

    assert (order.status, await stock(session)) == (OrderStatus.COMPLETED, before)
    await session.commit()


async def test_refused_units_can_be_claimed_again_once_their_customer_has_them_back(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session)
    await inspect(session, ticket, group(line, AS_NEW), refused(line, DAMAGED, 2))
    part = await part_of(session, ticket)

    async def claimable() -> tuple[int, int]:
        units = (await load_order_facts(session, order)).units[line.id]
        return units.left(ClaimStage.ARRIVED), units.unclaimed

    assert part.status is S.RETURN_REFUSED
    assert await claimable() == (0, 0)
    [shipment] = await dispatch(session, order)
    assert await claimable() == (0, 0)
    own = await load_order_facts(session, order, ticket_id=part.id)
    assert own.units[line.id].left(ClaimStage.ARRIVED) == 2
    await arrive(session, shipment)
    assert await claimable() == (2, 2)
    await session.commit()


async def test_a_manager_who_agrees_keeps_what_is_still_there(shop: Shop, session: AsyncSession) -> None:
    order, line, ticket = await returned(session)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED), refused(line, INCOMPLETE), refused(line, MISSING))
    await escalate(session, ticket)
    await agree(session, ticket)

    assert (ticket.status, await units_back(session, ticket)) == (S.REFUNDING, [])
    assert await settle(session, ticket) == [29600]
    assert (order.status, await stock(session)) == (OrderStatus.CLOSED, (before[0], 0, 2))
    await session.commit()


@pytest.mark.parametrize("is_sent_first", [False, True])
async def test_what_is_not_the_shops_goes_back_though_a_manager_agrees_at_last(
    shop: Shop, session: AsyncSession, is_sent_first: bool
) -> None:
    order, line, ticket = await returned(session)
    before = await stock(session)
    await inspect(session, ticket, refused(line, NOT_OURS, 2), refused(line, MISSING))
    shipments = await dispatch(session, order) if is_sent_first else []
    await escalate(session, ticket)
    await agree(session, ticket)
    assert (ticket.status, await settle(session, ticket)) == (S.REFUNDING, [29600])
    assert await units_back(session, ticket) == [(2, 2 if is_sent_first else 0)]
    assert order.status is OrderStatus.CONFIRMED
    for shipment in shipments or await dispatch(session, order):
        await arrive(session, shipment)

    assert (order.status, await stock(session)) == (OrderStatus.CLOSED, before)
    await session.commit()


async def test_refused_goods_that_get_lost_on_their_way_back_are_decided_by_a_manager(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session)
    before = await stock(session)
    await inspect(session, ticket, group(line, AS_NEW, 2), refused(line, DAMAGED))
    part = await part_of(session, ticket)
    [shipment] = await dispatch(session, order)
    await report(session, shipment, ShipmentStatus.EXPIRED)
    await end_shipment(session, shipment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW, None))

    assert (part.status, order.status) == (S.ARBITRATION, OrderStatus.CONFIRMED)
    await agree(session, part)
    assert sum(await settle(session, ticket, part)) == 29600
    assert (order.status, await stock(session)) == (OrderStatus.CLOSED, (before[0] + 2, 0, 0))
    await session.commit()


async def test_refused_goods_that_come_back_again_are_kept_or_sent_once_more(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session, 2)
    await inspect(session, ticket, refused(line, DAMAGED, 2))
    [shipment] = await dispatch(session, order)
    await report(session, shipment, ShipmentStatus.RETURNED)
    found = [InspectedUnits(line.id, restocked=0, damaged=2, missing=0)]
    await inspect_shipment(session, shipment.id, found, cause=Cause(NOW, None))
    before = await stock(session)
    await send_again(session, shipment.id, cause=Cause(NOW, None))
    [second] = await dispatch(session, order)
    await report(session, second, ShipmentStatus.RETURNED)
    await inspect_shipment(session, second.id, found, cause=Cause(NOW, None))
    await end_shipment(session, second.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW, None))
    assert (ticket.status, order.status) == (S.RETURN_REFUSED, OrderStatus.COMPLETED)
    assert await stock(session) == before

    await escalate(session, ticket)
    await agree(session, ticket)
    assert sum(await settle(session, ticket)) == order.total_amount
    assert (await stock(session))[2] == 2
    await session.commit()


async def test_an_exchange_replaces_accepted_units_only(shop: Shop, session: AsyncSession) -> None:
    order, line, ticket = await returned(session, type=TicketType.EXCHANGE)
    await inspect(session, ticket, group(line, DAMAGED, 2, accepted=True), refused(line, NOT_OURS))
    part = await part_of(session, ticket)
    assert (ticket.status, part.status) == (S.RESHIPPING, S.RETURN_REFUSED)

    sent = await dispatch(session, order)
    for shipment in sent:
        await arrive(session, shipment)
        await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))

    assert len(sent) == 2
    assert (ticket.status, order.status) == (S.COMPLETED, OrderStatus.COMPLETED)
    assert await units_back(session, part) == [(1, 1)]
    await session.commit()


async def test_what_silence_has_accepted_is_booked_late_and_costs_the_customer_nothing(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await returned(session)
    before = await stock(session)
    await change_silence(session)
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + timedelta(days=10)))
    paid = await settle(session, ticket)
    await inspect(session, ticket, group(line, AS_NEW), group(line, INCOMPLETE), group(line, MISSING))

    assert (ticket.status, paid, order.status) == (S.COMPLETED, [29600], OrderStatus.CLOSED)
    assert await stock(session) == (before[0] + 1, 0, 1)
    assert (await ticket_events(session, ticket))[-2:] == ["ticket.return_accepted", "ticket.return_short"]
    with pytest.raises(WrongState):
        await inspect(session, ticket, group(line, AS_NEW, 3))
    await session.commit()


OPEN_QUESTIONS: Sequence[tuple[Sequence[tuple[ReturnCondition, int, dict[str, Any]]], Sequence[str]]] = [
    ([], ["units"]),
    ([(AS_NEW, 2, {})], ["units"]),
    ([(AS_NEW, 3, {"accepted": False, "note": "No."})], ["units.0.accepted"]),
    ([(DAMAGED, 3, {"note": "Worn."})], ["units.0.accepted"]),
    ([(DAMAGED, 3, {"accepted": False, "note": "Worn."})], ["units.0.customers_fault"]),
    ([(MISSING, 3, {"note": " "})], ["units.0.note"]),
    ([(NOT_OURS, 3, {"accepted": True})], ["units.0.accepted"]),
    ([(AS_NEW, 4, {}), (MISSING, -1, {"note": "?"})], ["units.1.quantity"]),
]


async def test_an_inspection_that_leaves_a_question_open_changes_nothing(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await returned(session)
    await session.commit()
    for groups, fields in OPEN_QUESTIONS:
        inspected = [group(line, what, units, **more) for what, units, more in groups]
        with pytest.raises(DomainError) as refusal:
            await inspect(session, ticket, *inspected)
        await session.rollback()
        assert [".".join(map(str, each.field)) for each in refusal.value.each] == fields
    with pytest.raises(DomainError) as refusal:
        await inspect(session, ticket, ReturnedUnits(0, AS_NEW, 3))
    await session.rollback()
    assert refusal.value.each[0].field == ("units", 0, "order_line_id")

    assert (await session.get_one(Ticket, ticket.id)).status is S.RETURN_SHIPPED
    assert await session.scalar(select(func.count(ReturnInspection.id))) == 0
    await session.commit()
