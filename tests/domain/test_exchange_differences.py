"""What customers want instead stays what it was and costs what it cost, whatever becomes of their ticket."""

import asyncio

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.agreement import judge_ticket
from domain.aftersales.decisions import agree_ticket
from domain.aftersales.difference import send_paid_replacement
from domain.aftersales.merging import merge_tickets
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.quote import quote_claim
from domain.aftersales.replacement_choice import choose_replacement, fill_waiting_ticket
from domain.aftersales.requests import TicketRequest, open_ticket
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.aftersales.splitting import split_ticket
from domain.cause import Cause
from domain.errors import Invalid, WrongState
from domain.stock import Allocation, release_stock, reserve_stock
from events.shop import Shop
from models import (
    Account,
    AgreementMoment,
    Event,
    Order,
    OrderLine,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
    Price,
    Refund,
    RuleObstacle,
    Ticket,
    TicketDifference,
    TicketLine,
    TicketReason,
    Variant,
    Warehouse,
)
from models.database import Database
from tests.domain.test_backorders import wait_for_lock
from tests.domain.test_exchanges import (
    CNY,
    DAY,
    C,
    R,
    S,
    T,
    X,
    capture,
    claim_of_exchange,
    exchange,
    receive,
    say_how,
    stock_of,
)
from tests.factories.aftersales import (
    DEADLINES,
    NUMBERS,
    create_rule,
    order_lines_of,
    order_of_three,
    quote_lines,
    settle_refunds,
    ship_back,
)
from tests.factories.order import NOW, a_variant, create_order, dispatch
from tests.factories.returns import accept_return
from tests.factories.store_credit import give_credit
from tests.observe import find_disagreements

audited = pytest.mark.usefixtures("audit_at_end")

DEAR = {CNY: 11_900}


async def ask(
    session: AsyncSession, order: Order, *lines: ClaimedUnits, reason: TicketReason = R.DAMAGED
) -> Ticket:
    number = next(NUMBERS)
    claim = TicketClaim(T.EXCHANGE, reason, lines)
    return await open_ticket(
        session,
        order.id,
        TicketRequest(claim, "Too small."),
        DEADLINES,
        number=f"D{number:08}",
        key=f"difference-{number}",
        cause=Cause(NOW, order.account_id),
    )


async def substitutes_of(session: AsyncSession, ticket: Ticket) -> list[tuple[int, int | None, int]]:
    rows = await session.execute(
        select(TicketLine.quantity, TicketLine.substitute_variant_id, TicketLine.substitute_reduction_amount)
        .where(TicketLine.ticket_id == ticket.id)
        .order_by(TicketLine.order_line_id)
    )
    return [(quantity, variant_id, amount) for quantity, variant_id, amount in rows]


async def split(session: AsyncSession, ticket: Ticket, line: OrderLine, substitute: Variant | None) -> Ticket:
    number = next(NUMBERS)
    return await split_ticket(
        session,
        ticket.id,
        (ClaimedUnits(line.id, 1, None, substitute.id if substitute else None),),
        DEADLINES,
        number=f"S{number:08}",
        key=f"split-{number}",
        cause=Cause(NOW, ticket.account_id),
    )


async def test_who_loses_the_last_unit_to_another_buyer_is_asked_to_pay_nothing_and_chooses_anew(
    crowd: Database,
) -> None:
    async with crowd.writes.begin() as session:
        order, line = await order_of_three(session)
        dear = await a_variant(session, prices=DEAR, stock={"MAIN": 1})
        ticket = await ask(session, order, ClaimedUnits(line.id, 1, None, dear.id))
        await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
        await ship_back(session, ticket)
    last = [Allocation(dear.id, 1, 1)]

    async def accept() -> None:
        async with crowd.writes.begin() as session:
            await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=Cause(NOW, None))

    async with crowd.writes.begin() as session:
        await reserve_stock(session, last, order_id=None, cause=Cause(NOW))
        accepting = asyncio.create_task(accept())
        await wait_for_lock(crowd)
    await accepting

    async with crowd.writes.begin() as session:
        ticket = await session.get_one(Ticket, ticket.id)
        order = await session.get_one(Order, order.id)
        assert ticket.status is S.AWAITING_CHOICE
        assert await session.scalar(select(func.count(TicketDifference.id))) == 0
        await release_stock(session, last, order_id=None, cause=Cause(NOW))
        who = Cause(NOW, order.account_id)
        await choose_replacement(session, ticket.id, C.VARIANT, DEADLINES, variant_id=dear.id, cause=who)
        await capture(session, await say_how(session, ticket))
        assert (ticket.status, await stock_of(session, dear)) == (S.RESHIPPING, (1, 1))
    assert await find_disagreements(crowd) == []


@audited
async def test_what_is_wanted_instead_and_its_price_stay_when_tickets_are_split_and_merged(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear, other = await a_variant(session, prices=DEAR, stock={"MAIN": 9}), await a_variant(session)
    ticket = await ask(session, order, ClaimedUnits(line.id, 2, None, dear.id), reason=R.NO_REASON)
    await session.execute(update(Price).where(Price.variant_id == dear.id).values(amount=15_000))

    with pytest.raises(Invalid):
        async with session.begin_nested():
            await split(session, ticket, line, other)
    apart = await split(session, ticket, line, None)
    assert (
        await substitutes_of(session, ticket)
        == await substitutes_of(session, apart)
        == [(1, dear.id, -2_000)]
    )

    who = Cause(NOW, order.account_id)
    await merge_tickets(session, apart.id, ticket.id, DEADLINES, move_units=True, cause=who)
    assert await substitutes_of(session, ticket) == [(2, dear.id, -2_000)]

    third = await ask(session, order, ClaimedUnits(line.id, 1, None, other.id))
    with pytest.raises(WrongState):
        async with session.begin_nested():
            await merge_tickets(session, third.id, ticket.id, DEADLINES, move_units=True, cause=who)
    await session.refresh(third)
    assert third.status is S.APPLIED
    assert await substitutes_of(session, ticket) == [(2, dear.id, -2_000)]
    await session.commit()


@audited
async def test_a_dearer_replacement_counts_for_rules_and_priorities_as_what_was_paid_for_it(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices={CNY: 509_900}, stock={"MAIN": 9})
    await create_rule(session, types=(T.RESHIP,), amounts={CNY: 20_000}, daily_amounts={CNY: 9_000_000})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    await capture(session, await say_how(session, ticket))
    shipment = await receive(session, order, ticket)
    number = next(NUMBERS)
    again = await open_ticket(
        session,
        order.id,
        TicketRequest(
            TicketClaim(T.RESHIP, R.WRONG_ITEM, (ClaimedUnits(line.id, 1, shipment.id),)), "Broken."
        ),
        DEADLINES,
        number=f"R{number:08}",
        key=f"again-{number}",
        cause=Cause(NOW, order.account_id),
    )

    judged = await judge_ticket(
        session, again, order, AgreementMoment.OPENED, zone=DEADLINES.zone, cause=Cause(NOW)
    )

    assert (judged.rule, judged.obstacle, judged.worth) == (None, RuleObstacle.SECOND_PERSON, 509_900)
    assert again.value_hours == 24
    await session.commit()


@audited
async def test_who_changed_their_mind_about_a_replacement_gets_it_not_again_but_what_was_ordered(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices=DEAR, stock={"MAIN": 9})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    await capture(session, await say_how(session, ticket))
    shipment = await receive(session, order, ticket)

    async def obstacle_of(variant_id: int, reason: TicketReason, parcel: int | None) -> object:
        claim = TicketClaim(T.EXCHANGE, reason, (ClaimedUnits(line.id, 1, parcel, variant_id),))
        quote = await quote_claim(session, order, claim, DEADLINES, asked_at=NOW)
        return quote.obstacle and quote.obstacle.obstacle

    assert await obstacle_of(dear.id, R.NO_REASON, shipment.id) is X.SAME_AGAIN
    assert await obstacle_of(dear.id, R.DAMAGED, shipment.id) is None
    assert await obstacle_of(line.variant_id, R.NO_REASON, None) is X.SAME_AGAIN
    assert await obstacle_of(line.variant_id, R.NO_REASON, shipment.id) is None
    gone = update(Variant).where(Variant.id == line.variant_id).values(archived_at=NOW)
    await session.execute(gone)
    assert await obstacle_of(line.variant_id, R.NO_REASON, shipment.id) is X.SOLD_OUT
    assert await obstacle_of(line.variant_id, R.DAMAGED, None) is None
    await session.commit()


@audited
async def test_who_chooses_again_what_they_have_not_paid_keeps_its_stock_no_longer(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices=DEAR, stock={"MAIN": 5})
    dearest = await a_variant(session, prices={CNY: 12_900}, stock={"MAIN": 5})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    late = Cause(NOW + 2 * DAY, order.account_id)
    events = select(func.count(Event.id))
    before = await session.scalar(events)

    await choose_replacement(session, ticket.id, C.VARIANT, DEADLINES, variant_id=dear.id, cause=late)
    await session.flush()
    assert (await session.scalar(events), ticket.due_at) == (before, NOW + 3 * DAY)
    await choose_replacement(session, ticket.id, C.VARIANT, DEADLINES, variant_id=dearest.id, cause=late)
    assert (ticket.status, ticket.due_at) == (S.AWAITING_PAYMENT, NOW + 3 * DAY)
    assert (await stock_of(session, dear), await stock_of(session, dearest)) == ((5, 0), (5, 1))
    await session.commit()


@audited
async def test_of_two_lines_the_dearer_one_is_dropped_when_it_is_not_paid_and_the_cheaper_one_stays(
    shop: Shop, session: AsyncSession
) -> None:
    teapot, cup = await a_variant(session), await a_variant(session)
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(teapot, 1), (cup, 1)])
    first, second = await order_lines_of(session, order)
    dear = await a_variant(session, prices=DEAR, stock={"MAIN": 5})
    cheap = await a_variant(session, prices={CNY: 8_900}, stock={"MAIN": 5})
    both = TicketClaim(
        T.EXCHANGE,
        R.DAMAGED,
        (ClaimedUnits(first.id, 1, None, dear.id), ClaimedUnits(second.id, 1, None, cheap.id)),
    )
    ticket = await exchange(session, order, both)
    assert (ticket.status, ticket.refund_amount) == (S.AWAITING_PAYMENT, 0)
    late = NOW + 3 * DAY
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(late))
    assert (await stock_of(session, dear), await stock_of(session, cheap)) == ((5, 0), (5, 0))
    assert await substitutes_of(session, ticket) == [(1, None, 0), (1, cheap.id, 1_000)]

    await choose_replacement(session, ticket.id, C.WAIT, DEADLINES, cause=Cause(late, order.account_id))
    assert await fill_waiting_ticket(session, ticket.id, DEADLINES, cause=Cause(late))
    await dispatch(session, order)
    assert (ticket.status, ticket.refund_amount) == (S.RESHIPPING, 1_000)
    assert (await stock_of(session, dear), await stock_of(session, cheap)) == ((5, 0), (4, 0))
    await session.commit()


@audited
async def test_what_the_last_release_has_refunded_in_place_of_goods_counts_as_it_did(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices=DEAR, stock={"MAIN": 9})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    await choose_replacement(session, ticket.id, C.MONEY, DEADLINES, cause=Cause(NOW, order.account_id))
    await settle_refunds(session, ticket)
    noted = await quote_lines(session, order, [(line, 2)])
    await session.execute(update(TicketLine).values(in_place_amount=None))
    not_noted = await quote_lines(session, order, [(line, 2)])
    assert noted.refund.minor == not_noted.refund.minor == 19_800
    await session.commit()


@audited
async def test_what_cannot_be_sent_any_more_though_it_was_paid_is_paid_back_and_its_customer_chooses(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices=DEAR, stock={"MAIN": 5})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    payment = await say_how(session, ticket)
    await session.execute(update(Warehouse).values(active=False))
    await capture(session, payment)
    refund = (await session.scalars(select(Refund).where(Refund.payment_id == payment.id))).one()
    assert (ticket.status, refund.amount, await stock_of(session, dear)) == (S.AWAITING_CHOICE, 2_000, (5, 0))
    assert await session.scalar(select(func.count(TicketDifference.id))) == 0
    assert await substitutes_of(session, ticket) == [(1, None, 0)]
    await session.commit()


@audited
async def test_store_credit_pays_a_difference_at_once(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    await give_credit(session, await session.get_one(Account, order.account_id), 2_500)
    dear = await a_variant(session, prices=DEAR, stock={"MAIN": 5})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    payment = await say_how(session, ticket, PaymentMethod.STORE_CREDIT)
    assert (payment.status, payment.captured_amount) == (PaymentStatus.CAPTURED, 2_000)
    await send_paid_replacement(session, payment.id, DEADLINES, cause=Cause(NOW))
    assert (ticket.status, await stock_of(session, dear)) == (S.RESHIPPING, (5, 1))
    await session.commit()
