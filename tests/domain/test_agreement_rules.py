"""Rules by which the shop agrees by itself: what they give, what they may not, what becomes of the rest."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.assignment import assign_ticket
from domain.aftersales.automatic import agree_when_opened
from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.overdue import act_on_overdue, select_overdue
from domain.aftersales.requests import (
    TicketRequestChange,
    cancel_ticket,
    choose_refund_target,
    reapply_ticket,
)
from domain.audit import audit_books
from domain.cause import Cause
from domain.payment.approval_limit import APPROVAL_LIMITS
from events.shipment.lanes import count_many
from events.shop import Shop
from models import (
    Account,
    AgreementStep,
    CurrencyCode,
    Event,
    Order,
    OrderStatus,
    Refund,
    RefundTarget,
    Role,
    RuleDecision,
    RuleObstacle,
    Shipment,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    change_silence,
    create_media,
    create_question,
    create_rule,
    create_ticket,
    decisions_of,
    order_lines_of,
    refunds_of,
    ship_back,
    ticket_events,
)
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import NOW, create_order
from tests.observe import assert_books_agree

DUE = NOW + timedelta(days=2)
S, T, R, X = TicketStatus, TicketType, TicketReason, RuleObstacle
AGREED, ACCEPTED = AgreementStep.AGREED, AgreementStep.RETURN_ACCEPTED


async def pass_by(session: AsyncSession, ticket: Ticket, days: int = 2) -> None:
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + timedelta(days=days)))


async def look(session: AsyncSession, ticket: Ticket) -> None:
    """What follows the opening of a ticket."""
    await agree_when_opened(session, ticket.id, DEADLINES, cause=Cause(NOW))


async def refund_only(session: AsyncSession, *, price: int = 9_900, order: Order | None = None) -> Ticket:
    """A ticket for the refund of one unit."""
    if order is None:
        variant = await variant_of(session, await create_product(session, prices={CurrencyCode.CNY: price}))
        order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 2)])
    return await create_ticket(session, order=order, type=T.REFUND_ONLY, reason=R.QUALITY_FAULT)


async def check_books(shop: Shop) -> None:
    """The books agree, once a timer has counted the parcels that have arrived meanwhile."""
    async with shop.database.reads() as reading:
        arrived = (await reading.scalars(select(Shipment.id).where(Shipment.count_at.is_not(None)))).all()
    await count_many(shop, arrived)
    await assert_books_agree(shop)


# --- silence


async def test_silence_agrees_and_the_ticket_says_which_version_of_the_rule_has(
    shop: Shop, session: AsyncSession
) -> None:
    await change_silence(session)
    ticket = await refund_only(session)
    await pass_by(session, ticket)

    assert (ticket.status, ticket.overdue_since) == (S.REFUNDING, None)
    assert await decisions_of(session, ticket) == [("silence", 2, AGREED, 9_900)]
    event = (await session.scalars(select(Event).where(Event.name == "ticket.agreed"))).one()
    assert event.payload["unanswered"] is True
    assert event.payload["rule_id"] == (await session.scalars(select(RuleDecision.rule_id))).one()
    await session.commit()
    await check_books(shop)


@pytest.mark.parametrize("type", [T.REFUND_ONLY, T.EXCHANGE])
async def test_silence_gives_nothing_above_the_limit_of_a_second_person(
    shop: Shop, session: AsyncSession, type: TicketType
) -> None:
    limit = APPROVAL_LIMITS[CurrencyCode.CNY]
    variant = await variant_of(session, await create_product(session, prices={CurrencyCode.CNY: limit + 100}))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 1)])
    ticket = await create_ticket(session, order=order, type=type)
    await pass_by(session, ticket)
    await pass_by(session, ticket, days=4)

    assert (ticket.status, ticket.overdue_since, ticket.due_at) == (S.APPLIED, DUE, NOW + timedelta(days=6))
    assert ticket.overdue_obstacle is X.SECOND_PERSON
    assert await ticket_events(session, ticket) == ["ticket.opened", "ticket.overdue", "ticket.overdue"]
    assert await session.scalar(select(func.count(Refund.id))) == 0
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    assert ticket.overdue_since is None
    await session.commit()
    await check_books(shop)


async def test_silence_gives_no_more_in_a_day_of_the_shop_than_its_rule_says(
    shop: Shop, session: AsyncSession
) -> None:
    await change_silence(session, daily_amounts={CurrencyCode.CNY: 20_000})
    tickets = [await refund_only(session) for _ in range(3)]
    for ticket in tickets:
        await pass_by(session, ticket)
    today = [(ticket.status, ticket.overdue_obstacle) for ticket in tickets]
    await pass_by(session, tickets[2], days=4)

    assert today == [(S.REFUNDING, None), (S.REFUNDING, None), (S.APPLIED, X.DAILY_LIMIT)]
    assert (tickets[2].status, tickets[2].overdue_obstacle) == (S.REFUNDING, None)
    await session.commit()
    await check_books(shop)


async def test_silence_gives_nothing_in_a_currency_that_its_rule_does_not_name(
    shop: Shop, session: AsyncSession
) -> None:
    await change_silence(session, daily_amounts={CurrencyCode.USD: 20_000})
    ticket = await refund_only(session)
    await pass_by(session, ticket)

    assert (ticket.status, ticket.overdue_obstacle) == (S.APPLIED, X.DAILY_LIMIT)
    await session.commit()


async def test_a_rule_that_has_ended_decides_nothing_that_waited_for_it(
    shop: Shop, session: AsyncSession
) -> None:
    ticket = await refund_only(session)
    await change_silence(session, active=False)
    await pass_by(session, ticket)

    assert (ticket.status, ticket.overdue_obstacle) == (S.APPLIED, X.NO_RULE)
    assert await decisions_of(session, ticket) == []
    await session.commit()


async def test_a_return_that_nobody_inspects_counts_for_the_same_limit(
    shop: Shop, session: AsyncSession
) -> None:
    await change_silence(session, daily_amounts={CurrencyCode.CNY: 10_000})
    first, second = [await create_ticket(session, status=S.RETURN_SHIPPED) for _ in "ab"]
    for ticket in (first, second):
        await pass_by(session, ticket, days=10)

    assert (first.status, second.status) == (S.REFUNDING, S.RETURN_SHIPPED)
    assert await decisions_of(session, first) == [("silence", 2, ACCEPTED, 9_900)]
    assert (second.overdue_obstacle, second.due_at) == (X.DAILY_LIMIT, NOW + timedelta(days=12))
    assert second.uninspected_at is None
    await session.commit()
    await check_books(shop)


async def test_a_return_counts_once_among_the_tickets_of_its_customer(
    shop: Shop, session: AsyncSession
) -> None:
    await change_silence(session, tickets_at_most=1)
    ticket = await create_ticket(session)
    await pass_by(session, ticket)
    await ship_back(session, ticket, now=DUE)
    await pass_by(session, ticket, days=12)
    order = await create_order(
        session, account=await session.get_one(Account, ticket.account_id), status=OrderStatus.COMPLETED
    )
    next_one = await create_ticket(session, order=order)
    await pass_by(session, next_one, days=13)

    assert (ticket.status, ticket.overdue_obstacle) == (S.REFUNDING, None)
    assert await decisions_of(session, ticket) == [
        ("silence", 2, AGREED, 9_900),
        ("silence", 2, ACCEPTED, 9_900),
    ]
    assert (next_one.status, next_one.overdue_obstacle) == (S.APPLIED, X.TOO_OFTEN)
    await session.commit()
    await check_books(shop)


async def test_a_question_that_nobody_answers_is_overdue_until_somebody_does(
    shop: Shop, session: AsyncSession
) -> None:
    question = await create_question(session)
    await pass_by(session, question)

    assert (question.status, question.overdue_since) == (S.APPLIED, DUE)
    await cancel_ticket(session, question.id, DEADLINES, cause=Cause(NOW, question.account_id))
    assert question.overdue_since is None
    await session.commit()


@pytest.mark.parametrize("limit", [1_500, 2_099, 2_100])
async def test_the_shipping_fee_that_goes_back_with_the_last_units_counts_for_the_limit(
    shop: Shop, session: AsyncSession, limit: int
) -> None:
    await change_silence(session, amounts={CurrencyCode.CNY: limit}, daily_amounts={CurrencyCode.CNY: 2_100})
    products = [await create_product(session, prices={CurrencyCode.CNY: price}) for price in (8_000, 1_500)]
    variants = [(await variant_of(session, product), 1) for product in products]
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=variants)
    first, last = [
        await create_ticket(session, order=order, type=T.REFUND_ONLY, lines=[(line, 1)])
        for line in await order_lines_of(session, order)
    ]
    quoted = (order.shipping_amount, first.refund_amount, last.refund_amount)
    await agree_ticket(session, first.id, DEADLINES, cause=Cause(NOW, None))
    await pass_by(session, last)

    assert quoted == (600, 8_000, 1_500)
    if limit == 2_100:
        assert await decisions_of(session, last) == [("silence", 2, AGREED, 2_100)]
        assert [refund.amount for refund in await refunds_of(session, last)] == [2_100]
    else:
        assert (last.status, last.overdue_obstacle) == (S.APPLIED, X.TOO_MUCH)
        assert await refunds_of(session, last) == []
    await session.commit()
    await check_books(shop)


# --- rules that agree at once


async def test_a_small_amount_is_agreed_to_when_the_ticket_is_opened(
    shop: Shop, session: AsyncSession
) -> None:
    await create_rule(session)
    small, large = await refund_only(session), await refund_only(session, price=10_001)
    for ticket in (small, large):
        await look(session, ticket)
        await look(session, ticket)

    assert (small.status, large.status) == (S.REFUNDING, S.APPLIED)
    assert await decisions_of(session, small) == [("small", 1, AGREED, 9_900)]
    assert await ticket_events(session, small) == ["ticket.opened", "ticket.agreed"]
    assert (large.overdue_since, large.due_at) == (None, DUE)
    await session.commit()


async def test_who_splits_an_order_into_tickets_gets_no_more_by_a_rule_than_with_one(
    shop: Shop, session: AsyncSession
) -> None:
    await create_rule(session)
    first, other = await refund_only(session, price=6_000), await refund_only(session, price=6_000)
    second = await refund_only(session, order=await session.get_one(Order, first.order_id))
    for ticket in (first, second, other):
        await look(session, ticket)

    assert [ticket.status for ticket in (first, second, other)] == [S.REFUNDING, S.APPLIED, S.REFUNDING]
    assert await decisions_of(session, second) == []
    await change_silence(session, amounts={CurrencyCode.CNY: 6_000})
    await pass_by(session, second)
    assert await decisions_of(session, second) == [("silence", 2, AGREED, 6_000)]
    await session.commit()
    await check_books(shop)


async def test_tickets_of_one_order_that_are_decided_at_once_stay_within_the_limit_of_the_rule(
    shop: Shop, session: AsyncSession
) -> None:
    await create_rule(session)
    first = await refund_only(session, price=6_000)
    order = await session.get_one(Order, first.order_id)
    tickets = [first, await refund_only(session, order=order)]
    await session.commit()

    async def act(ticket_id: int) -> None:
        async with shop.database.writes.begin() as writing:
            await agree_when_opened(writing, ticket_id, DEADLINES, cause=Cause(NOW))

    await asyncio.gather(*(act(ticket.id) for ticket in tickets))

    async with shop.database.reads() as reading:
        statuses = (await reading.scalars(select(Ticket.status))).all()
    assert sorted(statuses) == [S.APPLIED, S.REFUNDING]
    await check_books(shop)


async def test_the_audit_adds_what_the_version_that_decided_had_given_for_the_order(
    shop: Shop, session: AsyncSession
) -> None:
    await create_rule(session)
    first = await refund_only(session, price=6_000)
    second = await refund_only(session, order=await session.get_one(Order, first.order_id))
    await look(session, first)
    await create_rule(session, amounts={CurrencyCode.CNY: 12_000})
    await look(session, second)
    agreed, within = await decisions_of(session, second), await audit_books(session)
    older = select(RuleDecision.rule_id).where(RuleDecision.ticket_id == first.id).scalar_subquery()
    changed = update(RuleDecision).where(RuleDecision.ticket_id == second.id)
    await session.execute(
        changed.values(rule_id=older, decided_at=DUE).execution_options(synchronize_session=False)
    )

    assert (agreed, within) == ([("small", 2, AGREED, 6_000)], [])
    assert [(found.rule, found.row, found.expected, found.found) for found in await audit_books(session)] == [
        ("rules give no more for an order than for a ticket", second.number, "10000", "12000")
    ]
    await session.rollback()


@pytest.mark.parametrize("type", [T.RESHIP, T.EXCHANGE])
async def test_goods_that_rules_have_sent_of_an_order_count_for_the_limit_of_a_second_person(
    shop: Shop, session: AsyncSession, type: TicketType
) -> None:
    prices = {CurrencyCode.CNY: APPROVAL_LIMITS[CurrencyCode.CNY] // 2 + 1}
    variant = await variant_of(session, await create_product(session, prices=prices))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 2)])
    reason = R.WRONG_ITEM
    tickets = [await create_ticket(session, order=order, type=type, reason=reason) for _ in "ab"]
    for ticket in tickets:
        await pass_by(session, ticket)

    given = S.RESHIPPING if type is T.RESHIP else S.AWAITING_RETURN
    assert [ticket.status for ticket in tickets] == [given, S.APPLIED]
    assert tickets[1].overdue_obstacle is X.SECOND_PERSON
    assert await decisions_of(session, tickets[0]) == [("silence", 1, AGREED, 250_001)]
    await session.commit()
    await check_books(shop)


async def test_wrong_goods_are_sent_again_only_with_a_picture(shop: Shop, session: AsyncSession) -> None:
    await create_rule(session, types=(T.RESHIP,), reasons=(R.WRONG_ITEM,), needs_picture=True)
    order = await create_order(session, status=OrderStatus.COMPLETED)
    picture = await create_media(session, uploader_id=order.account_id)
    shown = await create_ticket(
        session, order=order, type=T.RESHIP, reason=R.WRONG_ITEM, media_ids=[picture.id]
    )
    unseen = await create_ticket(session, type=T.RESHIP, reason=R.WRONG_ITEM)
    for ticket in (shown, unseen):
        await look(session, ticket)

    assert (shown.status, unseen.status) == (S.RESHIPPING, S.APPLIED)
    await session.commit()


async def test_good_customers_are_those_with_enough_received_orders_and_few_tickets(
    shop: Shop, session: AsyncSession
) -> None:
    await create_rule(session, orders_at_least=1, tickets_at_most=1)
    customer, stranger = await create_account(session), await create_account(session)
    orders = [
        await create_order(session, account=account, status=OrderStatus.COMPLETED)
        for account in (customer, customer, customer, stranger)
    ]
    tickets = [await refund_only(session, order=order) for order in (*orders[:2], orders[3])]
    for ticket in tickets:
        await look(session, ticket)

    assert [ticket.status for ticket in tickets] == [S.REFUNDING, S.APPLIED, S.APPLIED]
    await session.commit()


async def test_a_rule_agrees_when_the_customer_says_more_or_chooses_meanwhile(
    shop: Shop, session: AsyncSession
) -> None:
    await create_rule(session)
    ticket = await refund_only(session)
    customer = Cause(NOW, ticket.account_id)
    await add_message(session, ticket.id, MessageDraft("Hurry!"), DEADLINES, cause=customer)
    await choose_refund_target(session, ticket.id, RefundTarget.STORE_CREDIT, cause=customer)
    await look(session, ticket)

    assert ticket.status is S.REFUNDING
    assert await decisions_of(session, ticket) == [("small", 1, AGREED, 9_900)]
    await session.commit()
    await check_books(shop)


@pytest.mark.parametrize("step", ["message", "assign", "reapply"])
async def test_a_ticket_that_the_staff_have_answered_or_taken_is_left_to_them(
    shop: Shop, session: AsyncSession, step: str
) -> None:
    await create_rule(session)
    ticket, agent = await refund_only(session), await create_account(session, role=Role.SUPPORT)
    staff = Cause(NOW, agent.id)
    match step:
        case "message":
            await add_message(session, ticket.id, MessageDraft("Which one?"), DEADLINES, cause=staff)
        case "assign":
            await assign_ticket(session, ticket.id, agent.id, cause=staff)
        case "reapply":
            await refuse_ticket(session, ticket.id, DEADLINES, reason="No.", cause=staff)
            change = TicketRequestChange("But it leaks.")
            customer = Cause(NOW, ticket.account_id)
            await reapply_ticket(session, ticket.id, change, DEADLINES, cause=customer)
    await look(session, ticket)

    assert ticket.status is S.APPLIED
    assert await decisions_of(session, ticket) == []
    await session.commit()


async def test_a_ticket_that_somebody_has_touched_is_left_to_them(shop: Shop, session: AsyncSession) -> None:
    await create_rule(session)
    ticket = await refund_only(session)
    await refuse_ticket(session, ticket.id, DEADLINES, reason="No.", cause=Cause(NOW, None))
    await look(session, ticket)

    assert ticket.status is S.REFUSED
    await session.commit()


# --- many at once


async def test_workers_that_decide_at_once_stay_within_the_limit_and_decide_each_ticket_once(
    shop: Shop, session: AsyncSession
) -> None:
    await change_silence(session, daily_tickets=3)
    tickets = [await refund_only(session) for _ in range(6)]
    await session.commit()
    async with shop.database.reads() as reading:
        due = (await reading.scalars(select_overdue(DUE))).all()

    async def act(ticket_id: int) -> None:
        async with shop.database.writes.begin() as writing:
            await act_on_overdue(writing, ticket_id, DEADLINES, cause=Cause(DUE))

    await asyncio.gather(*(act(ticket_id) for ticket_id in [*due, *due]))

    async with shop.database.reads() as reading:
        statuses = (await reading.scalars(select(Ticket.status).order_by(Ticket.id))).all()
        refunds = await reading.scalar(select(func.count(Refund.id)))
        overdue = await reading.scalar(select(func.count(Event.id)).where(Event.name == "ticket.overdue"))
    assert sorted(statuses) == [S.APPLIED] * 3 + [S.REFUNDING] * 3
    assert (refunds, overdue, len(tickets)) == (3, 3, 6)
    await check_books(shop)
