"""What needs no shipping, in a running shop: completed in time, claimed in its window, handed over again."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket
from domain.aftersales.replacement_choice import choose_replacement
from domain.aftersales.rules import NotEligible, TicketObstacle
from domain.cause import Cause
from domain.stock import adjust_stock
from events.aftersales import deadlines_of
from events.shop import Shop
from models import (
    MovementKind,
    Order,
    OrderStatus,
    ReplacementChoice,
    Shipment,
    StockLevel,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
    Variant,
)
from tests.conftest import Clock
from tests.factories.aftersales import create_ticket
from tests.factories.order import a_variant, create_order, pay
from tests.factories.stock import receive
from tests.observe import run_until_idle

DAY = timedelta(days=1)


async def handed_over_order(shop: Shop, session: AsyncSession, clock: Clock) -> Order:
    """A paid order of a voucher of which three were in stock."""
    card = await a_variant(session, title="Voucher", requires_shipping=False, stock={"MAIN": 3})
    order = await create_order(session, lines=[(card, 1)], deliveries=[], now=clock())
    await pay(session, order, now=clock())
    await session.commit()
    await run_until_idle(shop)
    return order


async def test_it_is_completed_when_the_time_to_confirm_its_receipt_is_over(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    order = await handed_over_order(shop, session, clock)
    clock.tick(shop.settings.deadlines.receipt_confirmed_after)

    await run_until_idle(shop)

    async with shop.database.reads() as reads:
        assert (await reads.get_one(Order, order.id)).status is OrderStatus.COMPLETED


async def test_it_is_claimed_within_its_window_only(shop: Shop, clock: Clock, session: AsyncSession) -> None:
    order = await handed_over_order(shop, session, clock)
    claim = partial(
        create_ticket, session, order=order, type=TicketType.REFUND_ONLY, reason=TicketReason.QUALITY_FAULT
    )
    with pytest.raises(NotEligible) as refused:
        await claim(now=clock() + 16 * DAY)
    assert refused.value.obstacle is TicketObstacle.WINDOW_CLOSED

    ticket = await claim(now=clock() + 15 * DAY)
    assert ticket.refund_amount == 9_900
    await session.commit()


async def test_what_is_missing_is_handed_over_again(shop: Shop, clock: Clock, session: AsyncSession) -> None:
    order = await handed_over_order(shop, session, clock)
    ticket = await create_ticket(
        session, order=order, type=TicketType.RESHIP, reason=TicketReason.MISSING_ITEM, now=clock()
    )
    await agree_ticket(session, ticket.id, deadlines_of(shop.settings), cause=Cause(clock()))
    await session.commit()

    await run_until_idle(shop)

    async with shop.database.reads() as reads:
        assert (await reads.get_one(Ticket, ticket.id)).status is TicketStatus.COMPLETED
        assert len((await reads.scalars(select(Shipment.id))).all()) == 2
        [level] = await reads.scalars(select(StockLevel))
        assert (level.on_hand, level.reserved) == (1, 0)


async def test_a_customer_who_waits_gets_it_when_stock_comes(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    order = await handed_over_order(shop, session, clock)
    [level] = await session.scalars(select(StockLevel))
    card = await session.get_one(Variant, level.variant_id)
    await adjust_stock(
        session,
        variant_id=card.id,
        warehouse_id=level.warehouse_id,
        kind=MovementKind.CORRECTED,
        quantity=-2,
        reason="Gone.",
        cause=Cause(clock()),
    )
    deadlines = deadlines_of(shop.settings)
    ticket = await create_ticket(
        session, order=order, type=TicketType.RESHIP, reason=TicketReason.MISSING_ITEM, now=clock()
    )
    await agree_ticket(session, ticket.id, deadlines, cause=Cause(clock()))
    customer = Cause(clock(), ticket.account_id)
    await choose_replacement(session, ticket.id, ReplacementChoice.WAIT, deadlines, cause=customer)
    await receive(session, card, 1)
    await session.commit()

    await run_until_idle(shop)

    async with shop.database.reads() as reads:
        assert (await reads.get_one(Ticket, ticket.id)).status is TicketStatus.COMPLETED
