"""Refunds of tickets into store credit with a bonus: what is promised, what comes, and what never does."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.inspection import ReturnedUnits, inspect_return
from domain.aftersales.merging import merge_tickets
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.requests import (
    TicketRequestChange,
    choose_refund_target,
    escalate_ticket,
    reapply_ticket,
)
from domain.aftersales.rules import ClaimedUnits
from domain.aftersales.settlement import follow_refunds
from domain.aftersales.splitting import split_ticket
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import cancel_order
from domain.payment import approve_refund, pay_credit_refund, record_dispute, redirect_refund
from domain.payment.approval_limit import APPROVAL_LIMITS_KEY, unapproved_amount
from domain.payment.bonus import BonusTerms
from domain.personal_data import request_erasure
from domain.store_credit import find_balances
from events.shop import Shop
from models import (
    CurrencyCode,
    DisputeStatus,
    LedgerAccount,
    LedgerEntry,
    Money,
    Order,
    OrderStatus,
    PaymentMethod,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
    RefundTarget,
    ReturnCondition,
    Role,
    StoreCreditKind,
    StoreCreditMovement,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from models.database import Database
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    bring_to_status,
    change_silence,
    create_ticket,
    decisions_of,
    order_lines_of,
    refunds_of,
)
from tests.factories.dispute import dispute_report
from tests.factories.order import CASH, NOW, SANDBOX, a_variant, create_order, payments_of
from tests.factories.returns import decide, part_number
from tests.factories.store_credit import give_credit

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD
CREDIT = PaymentMethod.STORE_CREDIT
TERMS = BonusTerms(500, {CNY: 1_000})
"""Five per cent, and at most 10.00 CNY for an order."""
S, T, R = TicketStatus, TicketType, TicketReason


async def order_of(
    session: AsyncSession,
    price: int = 9_900,
    units: int = 1,
    *,
    payments: Mapping[PaymentMethod, int | None] | None = None,
    credit: int = 0,
) -> Order:
    """A received order of so many units, whose customer had as much store credit."""
    customer = await create_account(session)
    if credit:
        await give_credit(session, customer, credit)
    variant = await a_variant(session, prices={CNY: price}, stock={"MAIN": units})
    return await create_order(
        session,
        account=customer,
        lines=[(variant, units)],
        payments=payments,
        status=OrderStatus.COMPLETED,
    )


async def claim(
    session: AsyncSession, order: Order, units: int = 1, *, terms: BonusTerms = TERMS, chosen: bool = True
) -> Ticket:
    """A ticket for the refund of units, into store credit where that is chosen."""
    [line] = await order_lines_of(session, order)
    ticket = await create_ticket(
        session, order=order, type=T.REFUND_ONLY, reason=R.NOT_AS_DESCRIBED, lines=[(line, units)]
    )
    if chosen:
        await choose(session, ticket, terms)
    return ticket


async def choose(
    session: AsyncSession,
    ticket: Ticket,
    terms: BonusTerms = TERMS,
    target: RefundTarget = RefundTarget.STORE_CREDIT,
) -> None:
    cause = Cause(NOW, ticket.account_id)
    await choose_refund_target(session, ticket.id, target, terms=terms, cause=cause)


async def settle(session: AsyncSession, ticket: Ticket) -> None:
    """The staff agree, and its refunds are paid, each of them told twice."""
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    await pay_out(session, ticket)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert ticket.status is S.COMPLETED


async def pay_out(session: AsyncSession, ticket: Ticket) -> None:
    for refund in await refunds_of(session, ticket):
        for _ in range(2):
            await pay_credit_refund(session, refund.id, cause=Cause(NOW))


async def movements(session: AsyncSession, order: Order) -> Sequence[tuple[StoreCreditKind, int]]:
    rows = await session.execute(
        select(StoreCreditMovement.kind, StoreCreditMovement.amount)
        .where(StoreCreditMovement.order_id == order.id)
        .order_by(StoreCreditMovement.id)
    )
    return [(kind, amount) for kind, amount in rows]


async def given_of(session: AsyncSession, order: Order) -> int:
    """What the books say bonuses of an order have cost."""
    total = await session.scalar(
        select(func.sum(LedgerEntry.amount)).where(
            LedgerEntry.order_id == order.id, LedgerEntry.account == LedgerAccount.BONUSES
        )
    )
    return int(total or 0)


async def check(session: AsyncSession) -> None:
    assert await audit_books(session) == []
    await session.commit()


# --- what comes


async def test_a_refund_into_store_credit_comes_with_its_bonus_once(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session)
    ticket = await claim(session, order)
    assert (ticket.bonus_amount, ticket.refund_amount) == (495, 9_900)
    await settle(session, ticket)

    assert await movements(session, order) == [
        (StoreCreditKind.REFUNDED, 9_900),
        (StoreCreditKind.BONUS, 495),
    ]
    assert await find_balances(session, order.account_id) == [Money(10_395, CNY)]
    [refund] = await refunds_of(session, ticket)
    assert (refund.amount, refund.bonus_amount, ticket.bonus_amount) == (9_900, 495, 495)
    posted = select(Posting.kind, LedgerEntry.account, LedgerEntry.amount).join(
        LedgerEntry, LedgerEntry.posting_id == Posting.id
    )
    rows = await session.execute(posted.where(Posting.kind == PostingKind.BONUS_GRANTED))
    assert sorted((account, amount) for _, account, amount in rows) == [
        (LedgerAccount.BONUSES, 495),
        (LedgerAccount.STORE_CREDIT, -495),
    ]
    [payment] = await payments_of(session, order)
    assert payment.refunded_amount == payment.captured_amount == 9_900
    await check(session)


async def test_no_bonus_comes_where_the_shop_has_not_said_so(shop: Shop, session: AsyncSession) -> None:
    for terms in (BonusTerms(), BonusTerms(500, {USD: 1_000}), BonusTerms(0, {CNY: 1_000})):
        order = await order_of(session)
        ticket = await claim(session, order, terms=terms)
        await settle(session, ticket)
        assert await movements(session, order) == [(StoreCreditKind.REFUNDED, 9_900)]
        assert ticket.bonus_amount == 0
    await check(session)


async def test_what_goes_back_as_it_was_paid_has_no_bonus(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session)
    ticket = await claim(session, order)
    await choose(session, ticket, target=RefundTarget.ORIGINAL)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))

    [refund] = await refunds_of(session, ticket)
    assert (ticket.bonus_basis_points, ticket.bonus_amount, refund.bonus_amount) == (0, 0, 0)
    await check(session)


async def test_a_bonus_is_rounded_down_once_for_a_ticket_and_not_for_each_payment(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session, 10_150, payments={SANDBOX: None, CASH: 5_075})
    ticket = await claim(session, order, terms=BonusTerms(1, {CNY: 1_000}))
    await settle(session, ticket)

    refunds = await refunds_of(session, ticket)
    assert [refund.amount for refund in refunds] == [5_075, 5_075]
    assert sum(refund.bonus_amount for refund in refunds) == ticket.bonus_amount == 1
    await check(session)


async def test_the_part_that_was_paid_with_store_credit_earns_none(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session, credit=4_900, payments={SANDBOX: None, CREDIT: 4_900})
    ticket = await claim(session, order)
    assert ticket.bonus_amount == 250
    await settle(session, ticket)

    assert await given_of(session, order) == 250
    assert await find_balances(session, order.account_id) == [Money(10_150, CNY)]
    await check(session)


async def test_buying_with_what_came_and_returning_it_again_brings_nothing_more(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session, 9_900)
    await settle(session, await claim(session, order))
    customer = await create_account(session)
    for _ in range(3):
        [balance] = await find_balances(session, order.account_id)
        variant = await a_variant(session, prices={CNY: balance.minor}, stock={"MAIN": 1})
        account = await session.get_one(type(customer), order.account_id)
        order = await create_order(
            session,
            account=account,
            lines=[(variant, 1)],
            payments={CREDIT: None},
            status=OrderStatus.COMPLETED,
        )
        ticket = await claim(session, order)
        assert ticket.bonus_amount == 0
        await settle(session, ticket)

    assert await find_balances(session, order.account_id) == [Money(10_395, CNY)]
    await check(session)


# --- what is promised


async def test_what_was_promised_stays_when_the_settings_change(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session)
    ticket = await claim(session, order)
    for terms in (BonusTerms(), BonusTerms(9_000, {CNY: 100_000})):
        await choose(session, ticket, terms)
    await settle(session, ticket)

    assert await given_of(session, order) == 495
    await check(session)


async def test_several_tickets_of_an_order_bring_no_more_than_its_cap(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session, 9_000, 3)
    tickets = [await claim(session, order) for _ in range(3)]
    assert [ticket.bonus_amount for ticket in tickets] == [450, 450, 100]
    for ticket in reversed(tickets):
        await settle(session, ticket)

    assert [ticket.bonus_amount for ticket in tickets] == [450, 450, 100]
    assert await given_of(session, order) == 1_000
    await check(session)


async def test_one_ticket_for_all_brings_as_much_as_several(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session, 9_000, 3)
    await settle(session, await claim(session, order, 3))

    assert await given_of(session, order) == 1_000
    await check(session)


async def test_a_ticket_that_is_refused_keeps_nothing_for_itself(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session, 20_000, 2)
    first = await claim(session, order)
    await refuse_ticket(session, first.id, DEADLINES, reason="No.", cause=Cause(NOW, None))
    second = await claim(session, order)
    assert (first.bonus_amount, second.bonus_amount) == (1_000, 1_000)
    assert (first.bonus.minor, second.bonus.minor) == (0, 1_000)
    await reapply_ticket(
        session, first.id, TicketRequestChange("Look again."), DEADLINES, cause=Cause(NOW, first.account_id)
    )
    assert first.bonus_amount == 0
    for ticket in (first, second):
        await settle(session, ticket)

    assert await given_of(session, order) == 1_000
    await check(session)


async def test_the_parts_of_a_split_ticket_share_what_was_promised(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session, 9_000, 3)
    ticket = await claim(session, order, 3)
    [line] = await order_lines_of(session, order)
    units = (ClaimedUnits(line.id, 2),)
    agent = await create_account(session, role=Role.SUPPORT)
    new = await split_ticket(
        session, ticket.id, units, DEADLINES, number="A-SPLIT", key="k", cause=Cause(NOW, agent.id)
    )
    assert (ticket.bonus_amount, new.bonus_amount) == (450, 550)
    for each in (new, ticket):
        await settle(session, each)

    assert await given_of(session, order) == 1_000
    await check(session)


async def test_what_a_duplicate_was_promised_ends_and_its_units_go_where_the_other_ticket_says(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session, 9_000, 3)
    agent = await create_account(session, role=Role.SUPPORT)
    duplicate, into = await claim(session, order), await claim(session, order, chosen=False)
    for promised in (0, 1_000):
        await merge_tickets(
            session, duplicate.id, into.id, DEADLINES, move_units=True, cause=Cause(NOW, agent.id)
        )
        assert (duplicate.bonus.minor, into.bonus_amount) == (0, promised)
        await choose(session, into)
        assert into.bonus_amount == (promised or 900)
        duplicate = await claim(session, order) if not promised else duplicate
    await settle(session, into)

    assert await given_of(session, order) == 1_000
    await check(session)


async def test_the_parts_of_an_inspected_return_bring_no_more_than_the_cap(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session, 9_000, 3)
    [line] = await order_lines_of(session, order)
    ticket = await create_ticket(session, order=order, lines=[(line, 3)])
    await choose(session, ticket)
    await bring_to_status(session, ticket, S.RETURN_SHIPPED)
    groups = [
        ReturnedUnits(line.id, ReturnCondition.AS_NEW, 2),
        ReturnedUnits(line.id, ReturnCondition.DAMAGED, 1, False, True, "Worn."),
    ]
    cause = Cause(NOW, None)
    await inspect_return(session, ticket.id, groups, DEADLINES, part_number=part_number(), cause=cause)
    part = (await session.scalars(select(Ticket).where(Ticket.part_of_id == ticket.id))).one()
    assert (ticket.status, part.status) == (S.REFUNDING, S.RETURN_REFUSED)
    assert (ticket.bonus_amount, part.bonus_amount) == (900, 333)
    assert (ticket.bonus.minor, part.bonus.minor) == (900, 0)
    await pay_out(session, ticket)
    await escalate_ticket(session, part.id, DEADLINES, cause=Cause(NOW, part.account_id))
    assert part.bonus_amount == 100
    await decide(session, part.id, DEADLINES, agreed=True, reason="It was.", cause=cause)
    await pay_out(session, part)
    for each in (ticket, part):
        await follow_refunds(session, each.id, DEADLINES, cause=cause)

    assert await given_of(session, order) == 1_000
    await check(session)


async def test_what_was_not_sent_yet_earns_none(shop: Shop, session: AsyncSession) -> None:
    variant = await a_variant(session, stock={"MAIN": 2})
    order = await create_order(session, lines=[(variant, 2)], status=OrderStatus.CONFIRMED)
    ticket = await create_ticket(session, order=order, type=T.REFUND_ONLY, reason=R.NO_REASON)
    await choose(session, ticket)
    assert ticket.bonus_amount == 0
    await settle(session, ticket)
    cancelled = await cancel_order(
        session, order.id, refund_to=RefundTarget.STORE_CREDIT, reason="x", cause=Cause(NOW, order.account_id)
    )

    assert cancelled.status is OrderStatus.CANCELLED
    assert await session.scalar(select(func.sum(Refund.bonus_amount))) == 0
    await check(session)


async def test_a_refund_that_staff_redirect_into_store_credit_has_none(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session, payments={CASH: None})
    ticket = await claim(session, order, chosen=False)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    [refund] = await refunds_of(session, ticket)
    await redirect_refund(session, refund.id, cause=Cause(NOW))
    await pay_out(session, ticket)

    assert await movements(session, order) == [(StoreCreditKind.REFUNDED, 9_900)]
    await check(session)


async def test_guests_are_refused_by_name(shop: Shop, session: AsyncSession) -> None:
    guest = await create_account(session, role=Role.GUEST)
    ticket = await create_ticket(
        session, order=await create_order(session, account=guest, status=OrderStatus.COMPLETED)
    )
    with pytest.raises(DomainError, match="Only customers with an account") as refused:
        await choose(session, ticket)

    assert refused.value.code is ErrorCode.INVALID
    assert (ticket.refund_target, ticket.bonus_basis_points) == (RefundTarget.ORIGINAL, 0)
    await session.commit()


# --- what is large


async def test_a_bonus_counts_where_a_second_person_approves(shop: Shop, session: AsyncSession) -> None:
    session.info[APPROVAL_LIMITS_KEY] = {CNY: 10_394}
    order = await order_of(session)
    ticket = await claim(session, order)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    [refund] = await refunds_of(session, ticket)
    assert refund.status is RefundStatus.WAITING
    manager = await create_account(session, role=Role.MANAGER)
    await approve_refund(session, refund.id, reason="ok", cause=Cause(NOW, manager.id))
    await pay_out(session, ticket)

    assert await given_of(session, order) == 495
    session.info[APPROVAL_LIMITS_KEY] = {CNY: 10_395}
    other = await order_of(session)
    await settle(session, await claim(session, other))
    assert await unapproved_amount(session, other) == 10_395
    await check(session)


async def test_a_bonus_counts_for_the_limits_of_rules(shop: Shop, session: AsyncSession) -> None:
    await change_silence(session, daily_amounts={CNY: 10_394})
    order = await order_of(session)
    ticket = await claim(session, order)
    later = Cause(NOW + 2 * DEADLINES.answer)
    await act_on_overdue(session, ticket.id, DEADLINES, cause=later)
    assert ticket.status is S.APPLIED
    await change_silence(session, daily_amounts={CNY: 10_395})
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(later.now + DEADLINES.answer))

    assert [amount for _, _, _, amount in await decisions_of(session, ticket)] == [10_395]


# --- how it ends


async def test_a_lost_dispute_takes_back_what_is_left_of_the_bonus(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session)
    await settle(session, await claim(session, order))
    [payment] = await payments_of(session, order)
    report = dispute_report(payment)
    for status in (DisputeStatus.OPEN, DisputeStatus.LOST, DisputeStatus.LOST):
        await record_dispute(session, SANDBOX, replace(report, status=status), Cause(NOW))

    assert await movements(session, order) == [
        (StoreCreditKind.REFUNDED, 9_900),
        (StoreCreditKind.BONUS, 495),
        (StoreCreditKind.BONUS_REVOKED, -495),
    ]
    assert await given_of(session, order) == 0
    await check(session)


async def test_a_bonus_that_was_spent_stays_spent(shop: Shop, session: AsyncSession) -> None:
    order = await order_of(session)
    await settle(session, await claim(session, order))
    account = await session.get_one(type(await create_account(session)), order.account_id)
    variant = await a_variant(session, prices={CNY: 10_300}, stock={"MAIN": 1})
    await create_order(session, account=account, lines=[(variant, 1)], payments={CREDIT: None})
    [payment] = await payments_of(session, order)
    report = dispute_report(payment)
    for status in (DisputeStatus.OPEN, DisputeStatus.LOST):
        await record_dispute(session, SANDBOX, replace(report, status=status), Cause(NOW))

    assert (await movements(session, order))[-1] == (StoreCreditKind.BONUS_REVOKED, -95)
    assert await find_balances(session, order.account_id) == []
    assert await given_of(session, order) == 400
    await check(session)


async def test_a_bonus_is_given_up_with_the_rest_when_its_account_is_erased(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session)
    await settle(session, await claim(session, order))
    await request_erasure(session, order.account_id, forfeit=True, cause=Cause(NOW, order.account_id))

    assert await find_balances(session, order.account_id) == []
    assert await given_of(session, order) == 495
    await check(session)


async def test_a_refund_that_a_lost_dispute_has_paid_brings_no_bonus(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session)
    ticket = await claim(session, order)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    [payment] = await payments_of(session, order)
    report = dispute_report(payment)
    for status in (DisputeStatus.OPEN, DisputeStatus.LOST):
        await record_dispute(session, SANDBOX, replace(report, status=status), Cause(NOW))
        await pay_out(session, ticket)

    [refund] = await refunds_of(session, ticket)
    assert (refund.status, refund.bonus_amount, ticket.bonus_amount) == (RefundStatus.SUCCEEDED, 0, 0)
    assert await movements(session, order) == []
    await check(session)


async def test_a_refund_that_many_pay_at_once_brings_one_bonus(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        order = await order_of(session)
        ticket = await claim(session, order)
        await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
        [refund] = await refunds_of(session, ticket)

    async def pay_once() -> None:
        async with crowd.writes.begin() as session:
            await pay_credit_refund(session, refund.id, cause=Cause(NOW))

    await asyncio.gather(*(pay_once() for _ in range(8)))

    async with crowd.writes.begin() as session:
        assert await movements(session, order) == [
            (StoreCreditKind.REFUNDED, 9_900),
            (StoreCreditKind.BONUS, 495),
        ]
        assert await audit_books(session) == []


async def test_tickets_of_an_order_that_are_chosen_and_agreed_at_once_keep_the_cap(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        order = await order_of(session, 9_000, 4)
        ids = [(await claim(session, order, chosen=False)).id for _ in range(4)]

    async def go_through(ticket_id: int) -> None:
        async with crowd.writes.begin() as session:
            await choose(session, await session.get_one(Ticket, ticket_id))
        async with crowd.writes.begin() as session:
            await agree_ticket(session, ticket_id, DEADLINES, cause=Cause(NOW, None))
        async with crowd.writes.begin() as session:
            await pay_out(session, await session.get_one(Ticket, ticket_id))

    await asyncio.gather(*(go_through(id) for id in ids))

    async with crowd.writes.begin() as session:
        assert await given_of(session, order) == 1_000
        assert await audit_books(session) == []
