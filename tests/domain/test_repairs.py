"""Repairs: the same units come back to their customer, or something else does for them."""

from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.deadlines import last_moment
from domain.aftersales.merging import merge_tickets
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.parts import current_inspections_of
from domain.aftersales.repair import RepairedUnits, finish_repair
from domain.aftersales.replacement_choice import choose_replacement
from domain.aftersales.requests import cancel_ticket
from domain.aftersales.rules import ClaimedUnits
from domain.aftersales.settlement import follow_replacement
from domain.aftersales.splitting import split_ticket
from domain.aftersales.undelivered import end_shipment
from domain.cause import Cause
from domain.errors import DomainError, WrongState
from domain.order import cancel_order
from domain.shipment import (
    InspectedUnits,
    ParcelLine,
    ParcelToPack,
    dispatch_shipment,
    inspect_shipment,
    pack_shipments,
    send_again,
)
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    OrderStatus,
    RepairOutcome,
    ReplacementChoice,
    ReturnCondition,
    Shipment,
    ShipmentStatus,
    StockMovement,
    Ticket,
    TicketReason,
    TicketRepair,
    TicketStatus,
    TicketType,
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
from tests.factories.aftersales import (
    DEADLINES,
    bring_to_status,
    create_ticket,
    order_lines_of,
    order_of_three,
    quote_lines,
    ship_back,
    status_of,
    ticket_events,
)
from tests.factories.order import NOW, RECEIPT_AFTER, a_variant, arrive, create_order, dispatch
from tests.factories.returns import part_number

pytestmark = pytest.mark.usefixtures("audit_at_end")

S = TicketStatus
DAMAGED = ReturnCondition.DAMAGED
DAY = timedelta(days=1)
STAFF = Cause(NOW, None)
NUMBERS = count(1)


async def in_repair(session: AsyncSession, units: int = 1) -> tuple[Order, OrderLine, Ticket]:
    """An order of units, all of which were sent in for a repair and have come."""
    order, line, ticket = await returned(session, units, type=TicketType.REPAIR)
    await inspect(session, ticket, group(line, DAMAGED, units, accepted=True))
    return order, line, ticket


async def finish(
    session: AsyncSession, ticket: Ticket, *groups: RepairedUnits, at: timedelta = DAY
) -> Ticket:
    return await finish_repair(
        session, ticket.id, groups, DEADLINES, part_number=part_number(), cause=Cause(NOW + at, None)
    )


def repaired(line: OrderLine, units: int = 1) -> RepairedUnits:
    return RepairedUnits(line.id, units, True, "A new seal.")


def hopeless(line: OrderLine, units: int = 1) -> RepairedUnits:
    return RepairedUnits(line.id, units, False, "The glass is broken.")


async def choose(session: AsyncSession, ticket: Ticket, choice: ReplacementChoice, **more: int) -> Ticket:
    cause = Cause(NOW + DAY, ticket.account_id)
    return await choose_replacement(session, ticket.id, choice, DEADLINES, cause=cause, **more)


async def send_some(session: AsyncSession, ticket: Ticket, line: OrderLine, units: int = 1) -> Shipment:
    """Some of the units that go back to their customer leave."""
    found = (
        select(DeliveryLine)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.ticket_id == ticket.id, Delivery.sends_back)
        .where(DeliveryLine.order_line_id == line.id, DeliveryLine.quantity > DeliveryLine.packed)
    )
    to_pack = (await session.scalars(found.order_by(DeliveryLine.id).limit(1))).one()
    number = f"BACK-{next(NUMBERS)}"
    parcel = ParcelToPack([ParcelLine(to_pack.id, units)], weight_grams=500)
    [shipment] = await pack_shipments(session, to_pack.delivery_id, [parcel], numbers=[number], cause=STAFF)
    return await dispatch_shipment(
        session, shipment.id, carrier=SIMULATED_CARRIER, tracking_number=f"SIM-{number}", cause=STAFF
    )


async def bring(session: AsyncSession, ticket: Ticket, line: OrderLine, units: int = 1) -> None:
    """Units that go back to their customer arrive."""
    await arrive(session, await send_some(session, ticket, line, units))
    await follow_replacement(session, ticket.id, DEADLINES, cause=STAFF)


async def outcome_of(session: AsyncSession, ticket: Ticket) -> tuple[RepairOutcome, str] | None:
    row = await session.get(TicketRepair, ticket.id, populate_existing=True)
    return None if row is None else (row.outcome, row.note)


async def test_what_was_sent_in_is_repaired_and_goes_back_without_touching_the_stock(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await in_repair(session, 2)
    before = await stock(session)
    assert (ticket.status, ticket.due_at) == (S.REPAIRING, NOW + DEADLINES.repair)
    assert (ticket.attend_by is not None, order.status) == (True, OrderStatus.CONFIRMED)

    await finish(session, ticket, repaired(line, 2))
    assert (ticket.status, await units_back(session, ticket)) == (S.RESHIPPING, [(2, 0)])
    assert (ticket.due_at, ticket.attend_by) == (None, None)
    await bring(session, ticket, line, 2)

    assert (ticket.status, await outcome_of(session, ticket)) == (
        S.COMPLETED,
        (RepairOutcome.REPAIRED, "A new seal."),
    )
    assert (await stock(session), ticket.refund_amount, order.status) == (before, 0, OrderStatus.COMPLETED)
    assert "ticket.repair_finished" in await ticket_events(session, ticket)
    await session.commit()


async def test_only_what_arrived_and_is_in_its_window_is_repaired(shop: Shop, session: AsyncSession) -> None:
    order, line, ticket = await in_repair(session)
    quote = partial(quote_lines, session, order, [(line, 1)], type=TicketType.REPAIR, after=16 * DAY)
    await finish(session, ticket, repaired(line))
    await bring(session, ticket, line)

    fault = await quote(reason=TicketReason.QUALITY_FAULT)
    in_use = await quote(reason=TicketReason.FAULT_IN_USE)
    money = await quote_lines(
        session, order, [(line, 1)], type=TicketType.RETURN_REFUND, reason=TicketReason.FAULT_IN_USE
    )

    assert (fault.eligible, in_use.eligible, money.eligible) == (False, True, False)
    assert (in_use.refund.minor, in_use.legs) == (0, ())
    await session.commit()


async def test_repaired_units_can_be_claimed_again_in_their_time(shop: Shop, session: AsyncSession) -> None:
    order, line, ticket = await in_repair(session)
    claim = await quote_lines(session, order, [(line, 1)], type=TicketType.REPAIR)
    assert not claim.eligible
    await finish(session, ticket, repaired(line))
    await arrive(session, await send_some(session, ticket, line))
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW + 5 * DAY))

    again = await quote_lines(session, order, [(line, 1)], after=5 * DAY)
    assert (again.eligible, again.refund) == (True, order.total)
    assert order.delivered_at is not None  # the time at the shop does not count
    assert again.lines[0].deadline == last_moment(order.delivered_at + 5 * DAY, 15, DEADLINES.zone)
    second = await create_ticket(session, order=order, type=TicketType.REPAIR, now=NOW + 5 * DAY)
    assert not (await quote_lines(session, order, [(line, 1)])).eligible
    assert (second.status, (await status_of(session, ticket))) == (S.APPLIED, S.COMPLETED)
    await session.commit()


async def test_where_some_units_cannot_be_repaired_their_customer_chooses_for_those(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await in_repair(session, 3)
    before = await stock(session)
    await finish(session, ticket, repaired(line, 2), hopeless(line))
    part = await part_of(session, ticket)
    assert (ticket.status, part.status) == (S.RESHIPPING, S.AWAITING_CHOICE)
    assert await outcome_of(session, part) == (RepairOutcome.UNREPAIRABLE, "The glass is broken.")

    await choose(session, part, ReplacementChoice.MONEY)
    assert await stock(session) == (before[0], 0, before[2] + 1)
    await bring(session, ticket, line, 2)
    [paid] = await settle(session, part)
    assert paid == order.total_amount // 3
    assert (ticket.status, part.status) == (S.COMPLETED, S.COMPLETED)
    claim = await quote_lines(session, order, [(line, 2)])
    assert (claim.eligible, claim.lines[0].left) == (True, 2)
    await session.commit()


async def test_what_cannot_be_repaired_goes_back_as_it_is_where_its_customer_wants_that(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await in_repair(session)
    before = await stock(session)
    await finish(session, ticket, hopeless(line))
    await choose(session, ticket, ReplacementChoice.SAME_UNITS)
    assert (ticket.status, await units_back(session, ticket)) == (S.RESHIPPING, [(1, 0)])
    await bring(session, ticket, line)

    assert (ticket.status, await stock(session)) == (S.COMPLETED, before)
    await session.commit()


async def test_who_takes_a_replacement_leaves_the_broken_units_with_the_shop(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await in_repair(session)
    before = await stock(session)
    await finish(session, ticket, hopeless(line))
    await choose(session, ticket, ReplacementChoice.VARIANT, variant_id=line.variant_id)
    assert ticket.status is S.RESHIPPING
    for shipment in await dispatch(session, order):
        await arrive(session, shipment)
    await follow_replacement(session, ticket.id, DEADLINES, cause=STAFF)

    assert (ticket.status, await stock(session)) == (S.COMPLETED, (before[0] - 1, 0, before[2] + 1))
    assert (await quote_lines(session, order, [(line, 1)])).eligible  # the replacement has its own rights
    assert not (await quote_lines(session, order, [(line, 2)])).eligible
    await session.commit()


async def test_who_says_nothing_about_what_cannot_be_repaired_gets_money(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await in_repair(session)
    await finish(session, ticket, hopeless(line))
    assert ticket.due_at is not None
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(ticket.due_at))

    assert ticket.status is S.REFUNDING
    assert await settle(session, ticket) == [order.total_amount]
    assert (ticket.status, order.status) == (S.COMPLETED, OrderStatus.CLOSED)
    await session.commit()


async def test_repaired_goods_that_get_lost_are_chosen_for_and_cannot_come_back(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await in_repair(session, 2)
    before = await stock(session)
    await finish(session, ticket, repaired(line, 2))
    lost = await send_some(session, ticket, line)
    await report(session, lost, ShipmentStatus.EXPIRED)
    await end_shipment(session, lost.id, receipt_after=RECEIPT_AFTER, cause=STAFF)
    await follow_replacement(session, ticket.id, DEADLINES, cause=STAFF)
    assert ticket.status is S.AWAITING_CHOICE

    with pytest.raises(WrongState):
        await choose(session, ticket, ReplacementChoice.SAME_UNITS)
    await choose(session, ticket, ReplacementChoice.MONEY)
    assert await status_of(session, ticket) is S.RESHIPPING  # the other one is still to be sent
    await bring(session, ticket, line)
    await settle(session, ticket)

    assert (ticket.status, await stock(session)) == (S.COMPLETED, before)
    assert ticket.refund_amount == order.total_amount // 2
    claim = await quote_lines(session, order, [(line, 1)])
    assert (claim.eligible, claim.lines[0].left) == (True, 1)
    await session.commit()


async def test_repaired_goods_that_come_back_are_sent_once_more(shop: Shop, session: AsyncSession) -> None:
    _, line, ticket = await in_repair(session)
    before = await stock(session)
    await finish(session, ticket, repaired(line))
    shipment = await send_some(session, ticket, line)
    await report(session, shipment, ShipmentStatus.RETURNED)
    await inspect_shipment(session, shipment.id, [InspectedUnits(line.id, 1, 0, 0)], cause=STAFF)
    await follow_replacement(session, ticket.id, DEADLINES, cause=STAFF)
    assert ticket.status is S.RESHIPPING
    await send_again(session, shipment.id, cause=STAFF)
    await bring(session, ticket, line)

    assert (ticket.status, await stock(session)) == (S.COMPLETED, before)
    await session.commit()


async def test_repaired_goods_that_came_back_and_ended_are_sent_where_their_customer_wants_them(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await in_repair(session)
    before = await stock(session)
    await finish(session, ticket, repaired(line))
    shipment = await send_some(session, ticket, line)
    await report(session, shipment, ShipmentStatus.RETURNED)
    await inspect_shipment(session, shipment.id, [InspectedUnits(line.id, 1, 0, 0)], cause=STAFF)
    await end_shipment(session, shipment.id, receipt_after=RECEIPT_AFTER, cause=STAFF)
    await follow_replacement(session, ticket.id, DEADLINES, cause=STAFF)
    assert ticket.status is S.AWAITING_CHOICE
    await choose(session, ticket, ReplacementChoice.SAME_UNITS)
    await bring(session, ticket, line)

    assert (ticket.status, await stock(session)) == (S.COMPLETED, before)
    await session.commit()


async def test_what_is_not_repaired_in_time_is_a_task_until_somebody_does(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await in_repair(session)
    for _ in range(2):
        assert ticket.due_at is not None
        late = ticket.due_at
        await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(late))
        assert (ticket.status, ticket.due_at) == (S.REPAIRING, late + DEADLINES.answer)
    assert ticket.overdue_since == NOW + DEADLINES.repair
    await finish(session, ticket, repaired(line), at=30 * DAY)

    assert await status_of(session, ticket) is S.RESHIPPING
    assert (await session.get_one(Ticket, ticket.id)).overdue_since is None
    await session.commit()


async def test_nobody_but_people_looks_at_what_was_sent_in(shop: Shop, session: AsyncSession) -> None:
    _, _, ticket = await returned(session, 1, type=TicketType.REPAIR)
    assert ticket.due_at is not None
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(ticket.due_at))

    assert (ticket.status, ticket.overdue_since) == (S.RETURN_SHIPPED, NOW + DEADLINES.inspect)
    await session.commit()


async def test_what_was_refused_and_granted_at_last_is_repaired(shop: Shop, session: AsyncSession) -> None:
    _, line, ticket = await returned(session, 2, type=TicketType.REPAIR)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED, 2))
    lost = await send_some(session, ticket, line)
    await report(session, lost, ShipmentStatus.EXPIRED)
    await end_shipment(session, lost.id, receipt_after=RECEIPT_AFTER, cause=STAFF)
    assert ticket.status is S.ARBITRATION
    await agree(session, ticket)
    assert (ticket.status, await stock(session)) == (S.REPAIRING, before)

    with pytest.raises(DomainError, match="Only 1 of these units"):
        await finish(session, ticket, repaired(line, 2))
    await finish(session, ticket, repaired(line), RepairedUnits(line.id, 1, False, "It got lost."))
    part = await part_of(session, ticket)
    await choose(session, part, ReplacementChoice.MONEY)
    await bring(session, ticket, line)
    await settle(session, part)
    assert (ticket.status, part.status, await stock(session)) == (S.COMPLETED, S.COMPLETED, before)
    await session.commit()


async def test_what_got_lost_is_among_what_cannot_be_repaired_however_it_was_found(
    shop: Shop, session: AsyncSession
) -> None:
    """Of three units one was damaged and two incomplete; the first gets lost on its way to the customer."""
    _, line, ticket = await returned(session, 3, type=TicketType.REPAIR)
    before = await stock(session)
    await inspect(session, ticket, refused(line, DAMAGED), refused(line, ReturnCondition.INCOMPLETE, 2))
    lost = await send_some(session, ticket, line)
    await report(session, lost, ShipmentStatus.EXPIRED)
    await end_shipment(session, lost.id, receipt_after=RECEIPT_AFTER, cause=STAFF)
    await agree(session, ticket)
    await finish(session, ticket, repaired(line, 2), RepairedUnits(line.id, 1, False, "It got lost."))
    part = await part_of(session, ticket)
    assert [
        (row.condition, row.quantity, row.lost) for row in await current_inspections_of(session, part)
    ] == [(DAMAGED, 1, 1)]
    await choose(session, part, ReplacementChoice.MONEY)
    await bring(session, ticket, line, 2)
    await settle(session, part)
    assert (ticket.status, part.status, await stock(session)) == (S.COMPLETED, S.COMPLETED, before)
    await session.commit()


async def test_what_was_lost_and_what_was_not_ours_are_told_apart(shop: Shop, session: AsyncSession) -> None:
    """Something else came in place of one unit and went back; the damaged one is at the warehouse still."""
    _, line, ticket = await returned(session, 2, type=TicketType.REPAIR)
    not_ours = refused(line, ReturnCondition.NOT_OURS)
    await inspect(session, ticket, not_ours, refused(line, DAMAGED))
    await arrive(session, await send_some(session, ticket, line))
    await escalate(session, ticket)
    await agree(session, ticket)
    found = {row.condition: row.lost for row in await current_inspections_of(session, ticket)}
    assert found == {ReturnCondition.NOT_OURS: 0, DAMAGED: 0}
    await finish(session, ticket, repaired(line), RepairedUnits(line.id, 1, False, "It was not ours."))
    await bring(session, ticket, line)
    assert ticket.status is S.COMPLETED
    await session.commit()


async def test_what_was_not_ours_and_came_back_again_is_neither_repaired_nor_kept(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await returned(session, 2, type=TicketType.REPAIR)
    before = await stock(session)
    await inspect(session, ticket, refused(line, ReturnCondition.NOT_OURS), refused(line, DAMAGED))
    shipment = await send_some(session, ticket, line)
    await report(session, shipment, ShipmentStatus.RETURNED)
    found = [InspectedUnits(line.id, restocked=0, damaged=1, missing=0)]
    await inspect_shipment(session, shipment.id, found, cause=STAFF)
    await escalate(session, ticket)
    await agree(session, ticket)
    with pytest.raises(DomainError):
        await finish(session, ticket, repaired(line, 2))
    await finish(session, ticket, hopeless(line, 2))
    await choose(session, ticket, ReplacementChoice.MONEY)
    await settle(session, ticket)

    assert (ticket.status, await stock(session)) == (S.COMPLETED, (before[0], 0, before[2] + 1))
    await session.commit()


async def test_refused_repairs_go_back_and_come_once_more_where_a_manager_agrees(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await returned(session, 1, type=TicketType.REPAIR)
    await inspect(session, ticket, refused(line, DAMAGED))
    await arrive(session, await send_some(session, ticket, line))
    await escalate(session, ticket)
    await agree(session, ticket)
    assert ticket.status is S.AWAITING_RETURN
    await ship_back(session, ticket)
    await inspect(session, ticket, group(line, DAMAGED, accepted=True))
    await finish(session, ticket, repaired(line))
    found = await units_back(session, ticket)
    assert found == [(1, 1), (1, 0)]
    await session.commit()


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([], "Say of all 2 units"),
        ([(1, True, "")], "Say of all 2 units"),
        ([(3, True, "")], "Say of all 2 units"),
        ([(2, False, "  ")], "Write 1 to"),
        ([(2, True, ""), (0, True, "")], "at least 1"),
        ([(-1, True, ""), (3, True, "")], "at least 1"),
    ],
)
async def test_of_every_unit_it_is_said_whether_it_was_repaired_and_why_not(
    shop: Shop, session: AsyncSession, units: list[tuple[int, bool, str]], message: str
) -> None:
    _, line, ticket = await in_repair(session, 2)
    groups = [RepairedUnits(line.id, *each) for each in units]

    with pytest.raises(DomainError, match=message):
        await finish(session, ticket, *groups)
    assert (ticket.status, await outcome_of(session, ticket)) == (S.REPAIRING, None)
    await session.commit()


async def test_a_repair_ends_once(shop: Shop, session: AsyncSession) -> None:
    _, line, ticket = await in_repair(session)
    await finish(session, ticket, repaired(line))

    with pytest.raises(WrongState):
        await finish(session, ticket, hopeless(line))
    assert await units_back(session, ticket) == [(1, 0)]
    await session.commit()


async def test_while_something_is_repaired_its_order_is_neither_cancelled_nor_closed(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await in_repair(session)
    with pytest.raises(WrongState):
        async with session.begin_nested():
            await cancel_order(session, order.id, reason="No.", cause=Cause(NOW, order.account_id))
    with pytest.raises(WrongState):
        async with session.begin_nested():
            await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, order.account_id))
    await session.refresh(ticket)
    await session.refresh(order)
    assert (ticket.status, order.status) == (S.REPAIRING, OrderStatus.CONFIRMED)
    await finish(session, ticket, repaired(line))
    await bring(session, ticket, line)
    assert order.status is OrderStatus.COMPLETED
    await session.commit()


async def test_repairs_are_split_and_merged_as_other_requests_are(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    ticket = await create_ticket(session, order=order, lines=[(line, 2)], type=TicketType.REPAIR)
    who = Cause(NOW, order.account_id)
    lines = (ClaimedUnits(line.id, 1),)
    apart = await split_ticket(
        session, ticket.id, lines, DEADLINES, number="R-SPLIT", key="split-repair", cause=who
    )
    assert (apart.type, apart.status) == (TicketType.REPAIR, S.APPLIED)
    await merge_tickets(session, apart.id, ticket.id, DEADLINES, move_units=True, cause=who)
    exchange = await create_ticket(session, order=order, lines=[(line, 1)], type=TicketType.EXCHANGE)
    with pytest.raises(WrongState):
        async with session.begin_nested():
            await merge_tickets(session, exchange.id, ticket.id, DEADLINES, move_units=True, cause=who)
    claim = await quote_lines(session, order, [(line, 1)], type=TicketType.REPAIR)
    assert not claim.eligible
    await session.commit()


async def test_what_is_sold_without_a_stock_is_repaired_and_kept_without_one(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session, tracked=False)
    order = await create_order(session, lines=[(variant, 1)], status=OrderStatus.COMPLETED)
    line = (await order_lines_of(session, order))[0]
    ticket = await create_ticket(session, order=order, type=TicketType.REPAIR)
    await bring_to_status(session, ticket, S.RETURN_SHIPPED)
    await inspect(session, ticket, group(line, DAMAGED, accepted=True))
    await finish(session, ticket, hopeless(line))
    moved = select(func.count(StockMovement.id))
    before = await session.scalar(moved)
    await choose(session, ticket, ReplacementChoice.MONEY)

    assert await session.scalar(moved) == before
    assert await settle(session, ticket) == [order.total_amount]
    await session.commit()
