"""Replacements: where they go, what can be claimed of them, and what happens when they cannot be sent."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.quote import quote_claim
from domain.aftersales.replacement_choice import (
    choose_replacement,
    fill_waiting_ticket,
    select_fillable_tickets,
)
from domain.aftersales.requests import TicketRequest, escalate_ticket, open_ticket
from domain.aftersales.rules import ClaimedUnits, TicketClaim, TicketObstacle
from domain.aftersales.settlement import follow_replacement, retry_refunds
from domain.cause import Cause
from domain.errors import Invalid, WrongState
from domain.payment import fail_refund
from domain.shipment import TrackingFact, add_tracking_events, lock_shipment
from domain.stock import adjust_stock
from events.shop import Shop
from models import (
    CurrencyCode,
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    MovementKind,
    Order,
    OrderDisplayStatus,
    OrderLine,
    OrderStatus,
    Product,
    Refund,
    RefundStatus,
    ReplacementChoice,
    Shipment,
    ShipmentStatus,
    StockLevel,
    StockMovement,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.aftersales import (
    DEADLINES,
    create_ticket,
    order_lines_of,
    order_of_three,
    quote_lines,
    settle_refunds,
    ticket_events,
)
from tests.factories.catalog import create_product, create_variant, variant_of
from tests.factories.order import (
    CHENGDU,
    HANGZHOU,
    NOW,
    RECEIPT_AFTER,
    arrive,
    create_order,
    deliver_to,
    dispatch,
)
from tests.factories.returns import accept_return, decide, refuse_return

DAY = timedelta(days=1)
S, T, R, X = TicketStatus, TicketType, TicketReason, TicketObstacle
C = ReplacementChoice


async def sell_out(session: AsyncSession, units: int = 0) -> None:
    """Leave so many units of everything."""
    for level in await session.scalars(select(StockLevel).execution_options(populate_existing=True)):
        if difference := units - level.available:
            await adjust_stock(
                session,
                variant_id=level.variant_id,
                warehouse_id=level.warehouse_id,
                kind=MovementKind.CORRECTED,
                quantity=difference,
                reason="Counted.",
                cause=Cause(NOW),
            )


async def sold_out_exchange(session: AsyncSession, *, units: int = 1) -> tuple[Order, OrderLine, Ticket]:
    """An exchange of which the goods have been booked in, as damaged, and the replacement is sold out."""
    order, line = await order_of_three(session)
    ticket = await create_ticket(
        session, order=order, lines=[(line, units)], type=T.EXCHANGE, status=S.RETURN_SHIPPED
    )
    await sell_out(session)
    await accept_return(session, ticket.id, DEADLINES, damaged=True, cause=Cause(NOW, None))
    return order, line, ticket


async def choose(
    session: AsyncSession, ticket: Ticket, choice: ReplacementChoice, variant_id: int | None = None
) -> None:
    cause = Cause(NOW, ticket.account_id)
    await choose_replacement(session, ticket.id, choice, DEADLINES, variant_id=variant_id, cause=cause)


async def send_replacement(session: AsyncSession, order: Order, ticket: Ticket) -> list[Shipment]:
    shipments = await dispatch(session, order)
    assert len(shipments) == 1
    return shipments


async def bring_back(session: AsyncSession, shipment: Shipment) -> None:
    _, shipment = await lock_shipment(session, shipment.id)
    facts = [TrackingFact(ShipmentStatus.RETURNED, "RETURNED", "Nobody there.", NOW)]
    await add_tracking_events(session, shipment, facts, cause=Cause(NOW), receipt_after=RECEIPT_AFTER)


async def test_a_replacement_goes_where_the_claimed_unit_was_sent(shop: Shop, session: AsyncSession) -> None:
    variant = await variant_of(session, await create_product(session))
    deliveries = [deliver_to(HANGZHOU, [(variant, 1)]), deliver_to(CHENGDU, [(variant, 1)])]
    order = await create_order(
        session, status=OrderStatus.CONFIRMED, lines=[(variant, 2)], deliveries=deliveries
    )
    [line] = await order_lines_of(session, order)
    to_hangzhou, to_chengdu = await dispatch(session, order)
    await arrive(session, to_chengdu)
    await arrive(session, to_hangzhou, now=NOW + timedelta(hours=1))
    claim = TicketClaim(T.RESHIP, R.MISSING_ITEM, (ClaimedUnits(line.id, 1, to_chengdu.id),))
    cause = Cause(NOW + DAY, order.account_id)
    ticket = await open_ticket(
        session, order.id, TicketRequest(claim, "Empty."), DEADLINES, number="A1", key="1", cause=cause
    )
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW + DAY, None))
    other = await create_ticket(
        session, order=order, type=T.RESHIP, reason=R.MISSING_ITEM, status=S.RESHIPPING, now=NOW + DAY
    )

    sent = await session.scalars(select(Delivery).where(Delivery.ticket_id.is_not(None)))
    assert {delivery.ticket_id: delivery.line1 for delivery in sent} == {
        ticket.id: CHENGDU.line1,
        other.id: HANGZHOU.line1,
    }
    await session.commit()


async def test_what_was_sent_as_a_replacement_can_be_claimed_again_once(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session, quantity=1)
    first = await create_ticket(
        session, order=order, type=T.RESHIP, reason=R.MISSING_ITEM, status=S.RESHIPPING
    )
    before = await quote_lines(session, order, [(line, 1)])
    [shipment] = await send_replacement(session, order, first)
    await arrive(session, shipment)
    await follow_replacement(session, first.id, DEADLINES, cause=Cause(NOW))
    assert first.status is S.COMPLETED

    again = await create_ticket(session, order=order, lines=[(line, 1)], status=S.RETURN_SHIPPED)
    more = await quote_lines(session, order, [(line, 1)], type=T.EXCHANGE)
    await accept_return(session, again.id, DEADLINES, damaged=False, cause=Cause(NOW, None))

    assert before.obstacle is not None
    assert more.obstacle is not None
    assert {before.obstacle.obstacle, more.obstacle.obstacle} == {X.ALREADY_ASKED}
    assert again.refund_amount == line.total.minor
    await session.commit()


async def test_a_lost_replacement_is_refunded_and_both_tickets_end(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session, quantity=1)
    first = await create_ticket(
        session, order=order, type=T.RESHIP, reason=R.MISSING_ITEM, status=S.RESHIPPING
    )
    await send_replacement(session, order, first)
    later = NOW + 8 * DAY

    second = await create_ticket(
        session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY, reason=R.NOT_RECEIVED, now=later
    )
    await agree_ticket(session, second.id, DEADLINES, cause=Cause(later, None))

    assert (first.status, second.status) == (S.COMPLETED, S.REFUNDING)
    assert second.refund_amount == line.total.minor
    await session.commit()


async def test_a_replacement_that_comes_back_leaves_its_customer_the_choice(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    ticket = await create_ticket(
        session,
        order=order,
        lines=[(line, 2)],
        type=T.RESHIP,
        reason=R.MISSING_ITEM,
        status=S.RESHIPPING,
    )
    [shipment] = await send_replacement(session, order, ticket)
    await bring_back(session, shipment)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert (ticket.status, ticket.due_at) == (S.AWAITING_CHOICE, NOW + 7 * DAY)

    await choose(session, ticket, C.MONEY)
    await settle_refunds(session, ticket)

    assert ticket.status is S.REFUNDING
    assert ticket.refund_amount == 2 * 9_900
    assert (await quote_lines(session, order, [(line, 1)])).refund.minor == 9_900
    await session.commit()


async def test_who_does_not_choose_in_time_gets_money(shop: Shop, session: AsyncSession) -> None:
    _, line, ticket = await sold_out_exchange(session)
    assert (ticket.status, ticket.due_at) == (S.AWAITING_CHOICE, NOW + 7 * DAY)

    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 7 * DAY))

    assert (ticket.status, ticket.refund_amount) == (S.REFUNDING, line.total.minor // 3)
    assert await ticket_events(session, ticket) == [
        "ticket.opened",
        "ticket.agreed",
        "ticket.return_shipped",
        "ticket.return_accepted",
        "ticket.replacement_unavailable",
        "ticket.replacement_chosen",
    ]
    await session.commit()


async def test_who_waits_gets_the_replacement_when_stock_comes(shop: Shop, session: AsyncSession) -> None:
    _, line, ticket = await sold_out_exchange(session, units=2)
    await choose(session, ticket, C.WAIT)
    assert (ticket.status, ticket.due_at) == (S.AWAITING_STOCK, NOW + 30 * DAY)
    with pytest.raises(WrongState):
        await choose(session, ticket, C.WAIT)

    assert (await session.scalars(select_fillable_tickets(NOW))).all() == []
    await sell_out(session, 1)
    assert not await fill_waiting_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await sell_out(session, 2)
    assert (await session.scalars(select_fillable_tickets(NOW))).all() == [ticket.id]
    assert await fill_waiting_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))

    again = (await session.scalars(select(DeliveryLine).order_by(DeliveryLine.id.desc()))).first()
    assert again is not None
    assert (ticket.status, again.order_line_id, again.quantity) == (S.RESHIPPING, line.id, 2)
    await session.commit()


async def test_a_variant_that_needs_no_shipping_does_not_replace_what_was_sent(
    shop: Shop, session: AsyncSession
) -> None:
    _, line, ticket = await sold_out_exchange(session)
    product = await session.get_one(Product, line.product_id)
    download = await create_variant(
        session, product, options={"Colour": "None"}, requires_shipping=False, stock={"MAIN": 5}
    )
    with pytest.raises(Invalid, match="sent as"):
        await choose(session, ticket, C.VARIANT, download.id)

    assert (ticket.status, ticket.refund_amount) == (S.AWAITING_CHOICE, 0)
    await session.commit()


async def test_a_refund_that_failed_while_its_ticket_sends_something_is_retried_by_staff(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await sold_out_exchange(session)
    product = await session.get_one(Product, line.product_id)
    cheap = await create_variant(
        session, product, options={"Colour": "Grey"}, prices={CurrencyCode.CNY: 8_000}
    )
    with pytest.raises(WrongState):
        await retry_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await choose(session, ticket, C.VARIANT, cheap.id)
    refund = (await session.scalars(select(Refund).where(Refund.ticket_id == ticket.id))).one()
    with pytest.raises(WrongState):
        await retry_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await fail_refund(session, refund.id, reason="No.", retry_after=DAY, cause=Cause(NOW))

    await retry_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert (ticket.status, refund.status) == (S.RESHIPPING, RefundStatus.PENDING)
    assert (await ticket_events(session, ticket))[-1] == "ticket.refund_retried"
    await settle_refunds(session, ticket)
    [shipment] = await send_replacement(session, order, ticket)
    await arrive(session, shipment)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert ticket.status is S.COMPLETED
    await session.commit()


async def test_a_cheaper_variant_brings_back_the_difference_and_no_cent_more(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await sold_out_exchange(session)
    product = await session.get_one(Product, line.product_id)
    dear, cheap = [
        await create_variant(session, product, options={"Colour": name}, prices={CurrencyCode.CNY: price})
        for name, price in (("Gold", 10_000), ("Grey", 8_000))
    ]
    await choose(session, ticket, C.VARIANT, dear.id)
    assert (ticket.status, ticket.due_at, ticket.refund_amount) == (S.AWAITING_PAYMENT, NOW + 3 * DAY, 0)

    await choose(session, ticket, C.VARIANT, cheap.id)
    assert (ticket.status, ticket.refund_amount) == (S.RESHIPPING, 1_900)
    await settle_refunds(session, ticket)
    [shipment] = await send_replacement(session, order, ticket)
    await arrive(session, shipment)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert ticket.status is S.COMPLETED
    of_cheap = TicketClaim(T.RETURN_REFUND, R.DAMAGED, (ClaimedUnits(line.id, 1, shipment.id),))
    one = await quote_claim(session, order, of_cheap, DEADLINES, asked_at=NOW)
    rest = await create_ticket(session, order=order, lines=[(line, 3)], status=S.RETURN_SHIPPED)
    await accept_return(session, rest.id, DEADLINES, damaged=False, cause=Cause(NOW, None))

    level = await session.get_one(
        StockLevel, (cheap.id, await any_warehouse(session)), populate_existing=True
    )
    assert one.refund.minor == 8_000
    assert await session.scalar(select(func.sum(Refund.amount))) == line.total.minor
    assert (level.on_hand, level.reserved) == (10, 0)
    await session.commit()


async def any_warehouse(session: AsyncSession) -> int:
    return (await session.scalars(select(StockLevel.warehouse_id).limit(1))).one()


# --- goods that come back are stock again


async def test_arbitration_won_takes_the_goods_back_into_stock(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    ticket = await create_ticket(session, order=order, lines=[(line, 2)], status=S.RETURN_SHIPPED)
    await refuse_return(session, ticket.id, DEADLINES, reason="Used.", cause=Cause(NOW, None))
    await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, order.account_id))

    await decide(session, ticket.id, DEADLINES, agreed=True, reason="It is ours.", cause=Cause(NOW, None))

    assert ticket.status is S.REFUNDING
    assert await returned_units(session) == [(0, 2)]
    await session.commit()


async def returned_units(session: AsyncSession) -> list[tuple[int, int]]:
    """What came back, to be sold and as damaged."""
    rows = await session.execute(
        select(StockMovement.on_hand, StockMovement.damaged)
        .where(StockMovement.kind == MovementKind.RETURNED)
        .order_by(StockMovement.id)
    )
    return [(on_hand, damaged) for on_hand, damaged in rows]


async def test_a_return_that_nobody_inspected_in_time_is_booked_in_later_and_once(
    shop: Shop, session: AsyncSession
) -> None:
    ticket = await create_ticket(session, status=S.RETURN_SHIPPED)
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 10 * DAY))
    assert await returned_units(session) == []

    late = Cause(NOW + 12 * DAY, None)
    await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=late)
    with pytest.raises(WrongState):
        await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=late)

    assert ticket.status is S.REFUNDING
    assert await returned_units(session) == [(1, 0)]
    await session.commit()


async def test_an_order_whose_replacement_has_arrived_reads_as_delivered(
    shop: Shop, session: AsyncSession
) -> None:
    order, _ = await order_of_three(session, quantity=1, status=OrderStatus.CONFIRMED)
    [first] = await dispatch(session, order)
    later = NOW + 8 * DAY
    ticket = await create_ticket(
        session, order=order, type=T.RESHIP, reason=R.NOT_RECEIVED, status=S.RESHIPPING, now=later
    )
    await bring_back(session, first)
    [again] = await send_replacement(session, order, ticket)
    await arrive(session, again, now=later)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(later))

    assert (ticket.status, order.fulfilment_status) == (S.COMPLETED, FulfilmentStatus.DELIVERED)
    assert order.display_status is OrderDisplayStatus.DELIVERED
    assert order.receipt_due_at == order.delivered_at + DEADLINES.receipt if order.delivered_at else False
    await session.commit()
