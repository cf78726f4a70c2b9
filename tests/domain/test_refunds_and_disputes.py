"""Refunds into store credit that lost disputes give, or a part of them: what is still owed comes once."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.requests import TicketRequestChange, reapply_ticket
from domain.aftersales.settlement import follow_refunds, follow_replacement
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.payment import (
    approve_refund,
    confirm_refund,
    pay_credit_refund,
    record_dispute,
    redirect_refund,
)
from domain.payment.approval_limit import APPROVAL_LIMITS_KEY
from domain.payment.bonus import BonusTerms
from domain.personal_data import request_erasure
from domain.store_credit import find_balances
from events.shop import Shop
from models import (
    DisputeStatus,
    Money,
    Order,
    OrderStatus,
    Product,
    Refund,
    RefundStatus,
    RefundTarget,
    ReplacementChoice,
    Role,
    StoreCreditKind,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.domain.test_refund_bonus import (
    CNY,
    check,
    choose,
    claim,
    given_of,
    movements,
    order_of,
    pay_out,
    settle,
)
from tests.domain.test_replacements import bring_back, send_replacement, sold_out_exchange
from tests.domain.test_replacements import choose as choose_replacement
from tests.factories.account import create_account
from tests.factories.aftersales import DEADLINES, create_ticket, order_lines_of, refunds_of
from tests.factories.catalog import create_variant
from tests.factories.dispute import dispute_report
from tests.factories.order import (
    NOW,
    SANDBOX,
    a_variant,
    arrive,
    create_order,
    dispatch,
    payments_of,
)

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


async def test_one_that_was_to_go_back_brings_no_more_than_its_rest_into_store_credit(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session)
    ticket = await claim(session, order, chosen=False)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    [refund] = await refunds_of(session, ticket)
    await tell(session, order, 5_000, OPEN, LOST)
    assert await list_refunds(session, order) == [(ABNORMAL, ORIGINAL, 9_900, 0)]

    await redirect_refund(session, refund.id, cause=Cause(NOW))
    await pay_out(session, ticket)

    assert await list_refunds(session, order) == [
        (SUCCEEDED, CREDIT, 4_900, 0),
        (SUCCEEDED, ORIGINAL, 5_000, 0),
    ]
    assert await find_balances(session, order.account_id) == [Money(4_900, CNY)]
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


# --- a bonus that was dropped, or was to be taken back


async def test_a_bonus_that_a_dispute_has_dropped_does_not_come_with_the_next_refund(
    shop: Shop, session: AsyncSession
) -> None:
    order, line, ticket = await sold_out_exchange(session)
    product = await session.get_one(Product, line.product_id)
    await choose(session, ticket)
    cheap = await create_variant(session, product, options={"Colour": "Grey"}, prices={CNY: 2_000})
    await choose_replacement(session, ticket, ReplacementChoice.VARIANT, cheap.id)
    assert await list_refunds(session, order) == [(PENDING, CREDIT, 7_900, 395)]
    await tell(session, order, 29_700, OPEN, LOST, WON)
    [refund] = await refunds_of(session, ticket)
    await confirm_refund(session, refund.id, reference="bank", cause=Cause(NOW))
    [shipment] = await send_replacement(session, order, ticket)
    await bring_back(session, shipment)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await choose_replacement(session, ticket, ReplacementChoice.MONEY)

    assert await list_refunds(session, order) == [
        (SUCCEEDED, ORIGINAL, 7_900, 0),
        (PENDING, CREDIT, 2_000, 100),
    ]
    assert ticket.bonus_amount == 100
    assert await audit_books(session) == []
    _, later = await refunds_of(session, ticket)
    later.bonus_amount = ticket.bonus_amount = 495
    await session.flush()
    assert [found.rule for found in await audit_books(session)] == ["bonuses are no more than was promised"]


async def test_several_lost_disputes_take_back_the_bonuses_of_all_they_have_given_again(
    shop: Shop, session: AsyncSession
) -> None:
    order = await order_of(session, 9_900, 2)
    for _ in range(2):
        await settle(session, await claim(session, order))
    revoked = []
    for number, amount in enumerate((5_000, 4_900, 9_900)):
        await tell(session, order, amount, OPEN, LOST, LOST, reference=f"dp_{number}")
        moved = await movements(session, order)
        revoked.append(sum(-each for kind, each in moved if kind is StoreCreditKind.BONUS_REVOKED))

    assert revoked == [495, 495, 990]
    assert await given_of(session, order) == 0
    await check(session)


async def test_choosing_store_credit_again_promises_what_was_forgotten_for_units_that_had_not_been_sent(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session, prices={CNY: 9_900}, stock={"MAIN": 2})
    order = await create_order(session, lines=[(variant, 2)], status=OrderStatus.CONFIRMED)
    [line] = await order_lines_of(session, order)
    type, reason = TicketType.REFUND_ONLY, TicketReason.NO_REASON
    ticket = await create_ticket(session, order=order, type=type, reason=reason, lines=[(line, 1)])
    await choose(session, ticket)
    await refuse_ticket(session, ticket.id, DEADLINES, reason="No.", cause=Cause(NOW, None))
    [shipment] = await dispatch(session, order)
    await arrive(session, shipment)
    change = TicketRequestChange("Another one.", reason=TicketReason.NOT_AS_DESCRIBED)
    await reapply_ticket(session, ticket.id, change, DEADLINES, cause=Cause(NOW, ticket.account_id))
    assert ticket.bonus_amount == 0
    await choose(session, ticket)
    assert ticket.bonus_amount == 495
    await choose(session, ticket, BonusTerms(9_000, {CNY: 100_000}))
    await settle(session, ticket)

    assert await given_of(session, order) == 495
    await check(session)
