"""Refunds into store credit of which a lost dispute gives a part: what is still owed comes once."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket
from domain.aftersales.settlement import follow_refunds
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.payment import approve_refund, pay_credit_refund, record_dispute, redirect_refund
from domain.payment.approval_limit import APPROVAL_LIMITS_KEY
from domain.personal_data import request_erasure
from domain.store_credit import find_balances
from events.shop import Shop
from models import (
    DisputeStatus,
    Money,
    Order,
    Refund,
    RefundStatus,
    RefundTarget,
    Role,
    StoreCreditKind,
    TicketStatus,
)
from tests.domain.test_refund_bonus import CNY, check, claim, given_of, movements, order_of, pay_out
from tests.factories.account import create_account
from tests.factories.aftersales import DEADLINES, refunds_of
from tests.factories.dispute import dispute_report
from tests.factories.order import NOW, SANDBOX, payments_of

CREDIT, ORIGINAL = RefundTarget.STORE_CREDIT, RefundTarget.ORIGINAL
PENDING, SUCCEEDED, ABNORMAL = RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.ABNORMAL
OPEN, LOST, WON = DisputeStatus.OPEN, DisputeStatus.LOST, DisputeStatus.WON


async def tell(
    session: AsyncSession, order: Order, amount: int, *statuses: DisputeStatus, reference: str = "dp_1"
) -> None:
    """What the provider tells of a dispute of so many minor units, one after the other."""
    [payment] = await payments_of(session, order)
    report = replace(dispute_report(payment, amount=amount), reference=reference)
    for status in statuses:
        await record_dispute(session, SANDBOX, replace(report, status=status), Cause(NOW))


async def list_refunds(
    session: AsyncSession, order: Order
) -> list[tuple[RefundStatus, RefundTarget, int, int]]:
    rows = await session.scalars(select(Refund).where(Refund.order_id == order.id).order_by(Refund.id))
    return [(each.status, each.target, each.amount, each.bonus_amount) for each in rows]


async def test_what_a_lost_dispute_has_not_given_comes_into_store_credit_once(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session)
    ticket = await claim(session, order)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    await tell(session, order, 5_000, OPEN)
    await pay_out(session, ticket)
    assert await movements(session, order) == []

    await tell(session, order, 5_000, LOST, LOST)
    assert await list_refunds(session, order) == [
        (PENDING, CREDIT, 4_900, 245),
        (SUCCEEDED, ORIGINAL, 5_000, 0),
    ]
    assert (ticket.refund_amount, ticket.bonus_amount) == (9_900, 245)
    assert await audit_books(session) == []
    for refund in await refunds_of(session, ticket):
        for _ in range(2):
            await pay_credit_refund(session, refund.id, cause=Cause(NOW))
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))

    assert await movements(session, order) == [
        (StoreCreditKind.REFUNDED, 4_900),
        (StoreCreditKind.BONUS, 245),
    ]
    assert ticket.status is TicketStatus.COMPLETED
    await check(session)
    await request_erasure(session, order.account_id, forfeit=True, cause=Cause(NOW, order.account_id))
    await check(session)


async def test_what_a_dispute_gave_is_owed_again_when_it_is_won_on_appeal(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session)
    ticket = await claim(session, order)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    await tell(session, order, 5_000, OPEN, LOST)
    await pay_out(session, ticket)
    await tell(session, order, 5_000, WON)

    assert await list_refunds(session, order) == [
        (SUCCEEDED, CREDIT, 4_900, 245),
        (ABNORMAL, ORIGINAL, 5_000, 0),
    ]
    _, given = await refunds_of(session, ticket)
    await redirect_refund(session, given.id, cause=Cause(NOW))
    await pay_out(session, ticket)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert await find_balances(session, order.account_id) == [Money(10_145, CNY)]
    assert ticket.status is TicketStatus.COMPLETED
    await check(session)


async def test_what_waits_for_a_second_person_waits_for_the_rest(shop: Shop, session: AsyncSession) -> None:
    session.info[APPROVAL_LIMITS_KEY] = {CNY: 0}
    order = await order_of(session)
    ticket = await claim(session, order)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    await tell(session, order, 5_000, OPEN, LOST)
    assert await list_refunds(session, order) == [
        (RefundStatus.WAITING, CREDIT, 4_900, 245),
        (SUCCEEDED, ORIGINAL, 5_000, 0),
    ]
    await check(session)
    manager = await create_account(session, role=Role.MANAGER)
    rest, _ = await refunds_of(session, ticket)
    await approve_refund(session, rest.id, reason="ok", cause=Cause(NOW, manager.id))
    await pay_out(session, ticket)

    assert await given_of(session, order) == 245
    assert await find_balances(session, order.account_id) == [Money(5_145, CNY)]
    await check(session)


async def leave_stuck(session: AsyncSession) -> tuple[Order, Refund]:
    """A refund into store credit as earlier releases left it: a lost dispute has given 50.00 of 99.00."""
    order = await order_of(session)
    ticket = await claim(session, order)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    [refund] = await refunds_of(session, ticket)
    refund.target = ORIGINAL
    await tell(session, order, 5_000, OPEN, LOST)
    refund.target = CREDIT
    assert (refund.status, refund.amount) == (ABNORMAL, 9_900)
    await session.flush()
    return order, refund


async def test_the_staff_redirect_one_that_was_left_and_the_rest_comes_once(
    shop: Shop, session: AsyncSession
) -> None:
    order, refund = await leave_stuck(session)
    [found] = await audit_books(session)
    assert (found.rule, found.row) == ("refunds into store credit are paid", refund.reference)
    for _ in range(2):
        await redirect_refund(session, refund.id, cause=Cause(NOW))
    for _ in range(2):
        await pay_credit_refund(session, refund.id, cause=Cause(NOW))

    assert await list_refunds(session, order) == [
        (SUCCEEDED, CREDIT, 4_900, 245),
        (SUCCEEDED, ORIGINAL, 5_000, 0),
    ]
    with pytest.raises(DomainError, match="paid already") as refused:
        await redirect_refund(session, refund.id, cause=Cause(NOW))
    assert refused.value.code is ErrorCode.WRONG_STATE
    assert await find_balances(session, order.account_id) == [Money(5_145, CNY)]
    await check(session)
    await tell(session, order, 5_000, WON)
    assert await list_refunds(session, order) == [
        (SUCCEEDED, CREDIT, 4_900, 245),
        (ABNORMAL, ORIGINAL, 5_000, 0),
    ]
    await check(session)


async def test_one_that_was_left_comes_whole_when_its_dispute_is_won_on_appeal(
    shop: Shop, session: AsyncSession
) -> None:
    order, refund = await leave_stuck(session)
    await tell(session, order, 5_000, WON)
    await redirect_refund(session, refund.id, cause=Cause(NOW))
    await pay_credit_refund(session, refund.id, cause=Cause(NOW))

    assert await list_refunds(session, order) == [(SUCCEEDED, CREDIT, 9_900, 495)]
    assert await find_balances(session, order.account_id) == [Money(10_395, CNY)]
    await check(session)
