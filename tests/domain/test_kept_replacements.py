"""What is kept for a customer until they pay its difference is theirs, for as long as it is kept."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket
from domain.aftersales.difference import send_paid_replacement
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.replacement_choice import DIFFERENCES_LIMIT, choose_replacement
from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.errors import DomainError, LimitReached, WrongState
from domain.payment import capture_payment, start_payment
from events.shop import Shop
from models import (
    Backorder,
    Order,
    Payment,
    PaymentStatus,
    Refund,
    ReturnCondition,
    Ticket,
    TicketDifference,
)
from models.database import Database
from tests.domain.test_backorders import wait_for_lock
from tests.domain.test_exchange_differences import DEAR, ask
from tests.domain.test_exchanges import (
    CNY,
    DAY,
    C,
    S,
    capture,
    claim_of_exchange,
    exchange,
    say_how,
    stock_of,
)
from tests.domain.test_return_inspections import group, inspect, part_of, refused
from tests.factories.aftersales import DEADLINES, order_of_three, ship_back
from tests.factories.order import NOW, a_variant, create_order
from tests.observe import find_disagreements

audited = pytest.mark.usefixtures("audit_at_end")


@audited
async def test_what_is_kept_for_who_pays_goes_to_nobody_who_waits_for_stock(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices=DEAR, sells_when_out=True, stock={"MAIN": 1})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    other = await create_order(session, lines=[(dear, 1)])
    await capture(session, await say_how(session, ticket))

    waiting = await session.execute(
        select(Backorder.order_id, Backorder.quantity - Backorder.filled).where(
            Backorder.variant_id == dear.id
        )
    )
    assert [tuple(row) for row in waiting] == [(other.id, 1)]
    assert (ticket.status, await stock_of(session, dear)) == (S.RESHIPPING, (1, 1))
    await session.commit()


@audited
async def test_nobody_keeps_stock_for_ever_by_choosing_again_what_they_do_not_pay(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices=DEAR, stock={"MAIN": 5})
    same = await a_variant(session, prices={CNY: 9_900}, stock={"MAIN": 5})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    who = Cause(NOW, order.account_id)
    for _ in range(DIFFERENCES_LIMIT - 1):
        await choose_replacement(session, ticket.id, C.WAIT, DEADLINES, cause=who)
        await choose_replacement(session, ticket.id, C.VARIANT, DEADLINES, variant_id=dear.id, cause=who)
    await choose_replacement(session, ticket.id, C.WAIT, DEADLINES, cause=who)
    with pytest.raises(LimitReached):
        async with session.begin_nested():
            await choose_replacement(session, ticket.id, C.VARIANT, DEADLINES, variant_id=dear.id, cause=who)
    await session.refresh(ticket)
    assert (ticket.status, await stock_of(session, dear)) == (S.AWAITING_STOCK, (5, 0))

    await choose_replacement(session, ticket.id, C.VARIANT, DEADLINES, variant_id=same.id, cause=who)
    assert ticket.status is S.RESHIPPING
    await session.commit()


async def dear_exchange(crowd: Database) -> tuple[int, int]:
    """The ids of a ticket that waits for its difference to be paid, and of that payment."""
    async with crowd.writes.begin() as session:
        order, line = await order_of_three(session)
        dear = await a_variant(session, prices=DEAR, stock={"MAIN": 5})
        ticket = await exchange(session, order, claim_of_exchange(line, dear))
        payment = await say_how(session, ticket)
        await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
        return ticket.id, payment.id


@pytest.mark.parametrize("captured_first", [True, False])
async def test_a_payment_that_comes_as_its_time_ends_is_sent_for_or_paid_back(
    crowd: Database, captured_first: bool
) -> None:
    ticket_id, payment_id = await dear_exchange(crowd)
    late = Cause(NOW + 4 * DAY)

    async def pay(session: AsyncSession) -> None:
        await capture_payment(session, payment_id, cause=late)

    async def drop(session: AsyncSession) -> None:
        await act_on_overdue(session, ticket_id, DEADLINES, cause=late)

    first, second = (pay, drop) if captured_first else (drop, pay)

    async def follow() -> None:
        async with crowd.writes.begin() as session:
            await second(session)

    async with crowd.writes.begin() as session:
        await first(session)
        await session.flush()
        following = asyncio.create_task(follow())
        await wait_for_lock(crowd)
    await following
    async with crowd.writes.begin() as session:
        await send_paid_replacement(session, payment_id, DEADLINES, cause=late)
    async with crowd.writes.begin() as session:
        await drop(session)

    async with crowd.reads() as session:
        ticket = await session.get_one(Ticket, ticket_id)
        payment = await session.get_one(Payment, payment_id)
        refunds = [
            refund.amount for refund in await session.scalars(select(Refund).filter_by(payment_id=payment_id))
        ]
        differences = (await session.scalars(select(TicketDifference))).all()
    assert payment.captured_amount == 2_000
    if captured_first:
        assert (ticket.status, refunds, payment.status) == (S.RESHIPPING, [], PaymentStatus.CAPTURED)
        assert [each.paid_at for each in differences] == [late.now]
    else:
        assert (ticket.status, refunds, differences) == (S.AWAITING_CHOICE, [2_000], [])
    assert await find_disagreements(crowd) == []


async def test_two_clerks_who_accept_a_part_of_an_exchange_at_once_keep_it_once(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        order, line = await order_of_three(session)
        dear = await a_variant(session, prices=DEAR, stock={"MAIN": 5})
        ticket = await ask(session, order, ClaimedUnits(line.id, 3, None, dear.id))
        await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
        await ship_back(session, ticket)

    async def receive() -> str:
        async with crowd.writes() as session:
            mine = await session.get_one(Ticket, ticket.id)
            units = (group(line, ReturnCondition.AS_NEW, 2), refused(line, ReturnCondition.DAMAGED))
            try:
                await inspect(session, mine, *units)
            except DomainError as refusal:
                await session.rollback()
                return refusal.code.value
            await session.commit()
            return "done"

    assert sorted(await asyncio.gather(receive(), receive())) == [WrongState.code.value, "done"]
    async with crowd.writes.begin() as session:
        ticket = await session.get_one(Ticket, ticket.id)
        order = await session.get_one(Order, order.id)
        part = await part_of(session, ticket)
        assert (ticket.status, part.status) == (S.AWAITING_PAYMENT, S.RETURN_REFUSED)
        difference = (await session.scalars(select(TicketDifference))).one()
        assert (difference.amount, await stock_of(session, dear)) == (4_000, (5, 2))
        await capture(session, await say_how(session, ticket))
        assert ticket.status is S.RESHIPPING
        assert await stock_of(session, dear) == (5, 2)
    assert await find_disagreements(crowd) == []
