"""What the shop does by itself about replacements: after tracking, and when stock comes."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket
from domain.aftersales.replacement_choice import choose_replacement
from domain.cause import Cause
from domain.shipment import TrackingFact, add_tracking_events, lock_shipment
from events.aftersales import deadlines_of
from events.shop import Shop
from models import (
    Backorder,
    OrderStatus,
    Refund,
    ReplacementChoice,
    ShipmentStatus,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.conftest import Clock
from tests.factories.aftersales import create_ticket, order_lines_of
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import RECEIPT_AFTER, arrive, create_order, dispatch, pack
from tests.factories.stock import receive
from tests.observe import run_until_idle


async def ticket_with_replacement_back(
    session: AsyncSession, now: datetime, status: ShipmentStatus = ShipmentStatus.RETURNED
) -> Ticket:
    """A ticket whose replacement came back, or was lost; one unit is left in stock."""
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 3}))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 1)], now=now)
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.RESHIP,
        reason=TicketReason.MISSING_ITEM,
        status=TicketStatus.RESHIPPING,
        now=now,
    )
    [shipment] = await dispatch(session, order, now=now)
    _, shipment = await lock_shipment(session, shipment.id)
    facts = [TrackingFact(status, status.value, "Nobody there.", now)]
    await add_tracking_events(session, shipment, facts, cause=Cause(now), receipt_after=RECEIPT_AFTER)
    return ticket


async def status_now(shop: Shop, ticket: Ticket) -> TicketStatus:
    async with shop.database.reads() as session:
        return (await session.get_one(Ticket, ticket.id)).status


async def test_a_replacement_that_came_back_is_sent_again_to_a_customer_who_waits(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    ticket = await ticket_with_replacement_back(session, clock())
    await session.commit()
    await run_until_idle(shop)
    assert await status_now(shop, ticket) is TicketStatus.AWAITING_CHOICE

    await choose_replacement(
        session,
        ticket.id,
        ReplacementChoice.WAIT,
        deadlines_of(shop.settings),
        cause=Cause(clock(), ticket.account_id),
    )
    await session.commit()
    await run_until_idle(shop)

    assert await status_now(shop, ticket) is TicketStatus.RESHIPPING


async def test_a_ticket_that_too_little_came_for_is_tried_again_when_more_comes(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 2}))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 2)], now=clock())
    [line] = await order_lines_of(session, order)
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.RESHIP,
        reason=TicketReason.MISSING_ITEM,
        lines=[(line, 2)],
        status=TicketStatus.APPLIED,
        now=clock(),
    )
    deadlines, customer = deadlines_of(shop.settings), Cause(clock(), ticket.account_id)
    await agree_ticket(session, ticket.id, deadlines, cause=Cause(clock()))
    await choose_replacement(session, ticket.id, ReplacementChoice.WAIT, deadlines, cause=customer)
    await receive(session, variant, 1)
    await session.commit()

    await run_until_idle(shop)
    assert await status_now(shop, ticket) is TicketStatus.AWAITING_STOCK
    await receive(session, variant, 1)
    await session.commit()
    await run_until_idle(shop)

    assert await status_now(shop, ticket) is TicketStatus.RESHIPPING


async def test_a_replacement_of_what_sells_when_out_waits_and_is_filled_before_later_orders(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 1}, sells_when_out=True))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 1)], now=clock())
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.RESHIP,
        reason=TicketReason.MISSING_ITEM,
        status=TicketStatus.RESHIPPING,
        now=clock(),
    )
    later = await create_order(session, lines=[(variant, 1)], now=clock())
    waiting = select(Backorder.order_id).where(Backorder.quantity > 0).order_by(Backorder.id)
    assert list(await session.scalars(waiting)) == [order.id, later.id]
    assert await pack(session, order, now=clock()) == []

    await receive(session, variant, 1)

    assert list(await session.scalars(waiting)) == [later.id]
    [parcel] = await dispatch(session, order, now=clock())
    await arrive(session, parcel, now=clock())
    await session.commit()
    await run_until_idle(shop)
    assert await status_now(shop, ticket) is TicketStatus.COMPLETED


async def test_a_lost_replacement_that_nobody_ends_leads_to_the_choice_and_then_to_money(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    ticket = await ticket_with_replacement_back(session, clock(), ShipmentStatus.EXPIRED)
    await session.commit()
    await run_until_idle(shop)
    assert await status_now(shop, ticket) is TicketStatus.RESHIPPING

    clock.tick(shop.settings.deadlines.undelivered_ended_after)
    await run_until_idle(shop)
    assert await status_now(shop, ticket) is TicketStatus.AWAITING_CHOICE
    clock.tick(shop.settings.deadlines.replacement_chosen_within)
    await run_until_idle(shop)

    async with shop.database.reads() as reads:
        refunds = await reads.execute(select(Refund.ticket_id, Refund.amount))
        assert refunds.all() == [(ticket.id, 9_900)]
