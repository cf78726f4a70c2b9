"""What providers report of refunds, and what a second person decides about them."""

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.access import change_staff_role
from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.rules import ClaimedUnits
from domain.aftersales.settlement import follow_refunds, retry_refunds
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import Forbidden, Invalid, LimitReached, WrongState
from domain.ledger import net_sales
from domain.order import cancel_order, lock_order
from domain.payment import (
    PaymentMismatch,
    approve_refund,
    confirm_refund,
    decline_refund,
    pay_credit_refund,
    redirect_refund,
    refund_cancelled_order,
    refund_everything,
    refund_in_goodwill,
    refundable_amount,
    report_refund,
    request_refund,
    retry_refund,
)
from domain.payment.approval_limit import APPROVAL_LIMITS, APPROVAL_LIMITS_KEY
from domain.payment.refund_reports import QUERY_EVERY, delay_before_query
from domain.payment.refund_target import EXPECTED_WITHIN, expected_by
from domain.personal_data import erase_account, erase_staff
from events.shop import Shop
from models import (
    CurrencyCode,
    LedgerAccount,
    Money,
    Order,
    OrderPaymentStatus,
    OrderStatus,
    PaymentMethod,
    Refund,
    RefundOutcome,
    RefundReport,
    RefundStatus,
    RefundTarget,
    Role,
    TicketStatus,
    TicketType,
)
from tests.factories.account import create_account
from tests.factories.aftersales import DEADLINES, create_ticket, order_lines_of, refunds_of
from tests.factories.order import (
    CASH,
    NOW,
    RECEIPT_AFTER,
    a_variant,
    create_order,
    deliver,
    events_of,
    payments_of,
)
from tests.given import ledger_balances

CNY = CurrencyCode.CNY
RETRY_AFTER = timedelta(minutes=5)
ORDERS = sorted(set(permutations([RefundOutcome.PENDING, RefundOutcome.SUCCEEDED, RefundOutcome.SUCCEEDED])))
LATER = NOW + timedelta(days=1)


async def report(
    session: AsyncSession,
    refund: Refund,
    outcome: RefundOutcome,
    *,
    reference: str | None = None,
    amount: Money | None = None,
    method: PaymentMethod = PaymentMethod.SANDBOX,
) -> RefundStatus:
    reported = RefundReport(reference or refund.sent_reference, "P-1", outcome, amount, reason="lost card")
    return await report_refund(
        session,
        reported,
        method=method,
        retry_after=RETRY_AFTER,
        query_after=timedelta(minutes=1),
        cause=Cause(NOW),
    )


async def completed_order_with_refund(
    session: AsyncSession, minor: int = 1_000, *, limit: int = 5_000, by: int | None = None
) -> tuple[Order, Refund]:
    """A completed order of 99.00, and a refund that was asked for out of goodwill."""
    session.info[APPROVAL_LIMITS_KEY] = {CNY: limit}
    order = await create_order(session, status=OrderStatus.COMPLETED)
    [refund] = await request_refund(session, order, Money(minor, CNY), reason="x", cause=Cause(NOW, by))
    refund.goodwill = True
    return order, refund


@pytest.mark.parametrize("outcomes", ORDERS)
async def test_reports_in_any_order_and_twice_have_one_outcome(
    shop: Shop, session: AsyncSession, outcomes: tuple[RefundOutcome, ...]
) -> None:
    order, refund = await completed_order_with_refund(session)
    for each in outcomes:
        await report(session, refund, each)
    assert await audit_books(session) == []
    names = await events_of(session, order)
    await session.commit()

    assert (refund.status, refund.provider_reference, refund.query_at) == (
        RefundStatus.SUCCEEDED,
        "P-1",
        None,
    )
    assert names.count("refund.succeeded") == 1


async def test_a_refund_the_provider_has_ended_is_sent_under_a_new_reference(
    shop: Shop, session: AsyncSession
) -> None:
    _, refund = await completed_order_with_refund(session)
    first = refund.sent_reference
    await report(session, refund, RefundOutcome.FAILED)
    assert await retry_refund(session, refund.id, cause=Cause(LATER))
    assert await report(session, refund, RefundOutcome.FAILED, reference=first) is RefundStatus.PENDING
    assert await report(session, refund, RefundOutcome.SUCCEEDED) is RefundStatus.SUCCEEDED
    await session.commit()

    assert refund.sent_reference == f"{first}-2"


async def test_a_refund_that_comes_back_turns_the_books_back_and_is_a_task(
    shop: Shop, session: AsyncSession
) -> None:
    order, refund = await completed_order_with_refund(session)
    before = await ledger_balances(session, order)
    await report(session, refund, RefundOutcome.SUCCEEDED)
    await report(session, refund, RefundOutcome.FAILED)
    assert refund.status is RefundStatus.ABNORMAL
    assert await ledger_balances(session, order) == before
    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.PAID)
    assert await audit_books(session) == []

    # The notices come once more, after staff have transferred the money.
    await confirm_refund(session, refund.id, reference="BANK-7", cause=Cause(NOW))
    for outcome in (RefundOutcome.SUCCEEDED, RefundOutcome.FAILED, RefundOutcome.ABNORMAL):
        assert await report(session, refund, outcome) is RefundStatus.SUCCEEDED
    assert await audit_books(session) == []
    balances = await ledger_balances(session, order)
    names = await events_of(session, order)
    await session.commit()

    assert balances[LedgerAccount.BANK] == -1_000
    assert names.count("refund.abnormal") == 1
    assert order.status is OrderStatus.COMPLETED


async def test_what_a_provider_cannot_give_back_goes_into_store_credit(
    shop: Shop, session: AsyncSession
) -> None:
    _, refund = await completed_order_with_refund(session)
    await report(session, refund, RefundOutcome.ABNORMAL)
    await redirect_refund(session, refund.id, cause=Cause(NOW))
    assert await report(session, refund, RefundOutcome.FAILED) is RefundStatus.PENDING
    assert await audit_books(session) == []
    await session.commit()


async def test_a_report_of_another_amount_method_or_refund_changes_nothing(
    shop: Shop, session: AsyncSession
) -> None:
    _, refund = await completed_order_with_refund(session)
    with pytest.raises(PaymentMismatch, match=r"is of 10\.00 CNY"):
        await report(session, refund, RefundOutcome.SUCCEEDED, amount=Money(999, CNY))
    with pytest.raises(PaymentMismatch, match="not of CARD"):
        await report(session, refund, RefundOutcome.SUCCEEDED, method=PaymentMethod.CARD)
    with pytest.raises(PaymentMismatch, match="no refund"):
        await report(session, refund, RefundOutcome.SUCCEEDED, reference="other")
    await session.commit()

    assert refund.status is RefundStatus.PENDING


def test_a_provider_is_asked_ever_later_and_at_least_daily() -> None:
    minute = timedelta(minutes=1)
    waits = [delay_before_query(7, queries, first=minute) for queries in range(40)]

    assert timedelta(seconds=48) <= waits[0] <= minute
    assert max(waits) <= QUERY_EVERY
    assert min(waits[11:]) >= 0.8 * QUERY_EVERY
    assert delay_before_query(8, 0, first=minute) != waits[0]


async def test_many_small_refunds_of_an_order_wait_like_a_large_one(
    shop: Shop, session: AsyncSession
) -> None:
    order, refund = await completed_order_with_refund(session, 3_000)
    [second] = await request_refund(session, order, Money(3_000, CNY), reason="x", cause=Cause(NOW))
    await session.commit()

    assert (refund.status, second.status) == (RefundStatus.PENDING, RefundStatus.WAITING)


async def test_neither_timers_nor_reactions_pay_above_the_limit(shop: Shop, session: AsyncSession) -> None:
    session.info[APPROVAL_LIMITS_KEY] = {CNY: 5_000}
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await cancel_order(session, order.id, reason="late", cause=Cause(NOW))
    [refund] = await refund_everything(session, order, reason="late", cause=Cause(NOW))
    names = await events_of(session, order)
    with pytest.raises(PaymentMismatch, match="is WAITING"):
        await report(session, refund, RefundOutcome.SUCCEEDED)
    clerk = await create_account(session, role=Role.SUPPORT)
    with pytest.raises(WrongState, match="owed to the customer"):
        await decline_refund(session, refund.id, reason="no", cause=Cause(NOW, clerk.id))
    assert await audit_books(session) == []
    await session.commit()

    assert refund.status is RefundStatus.WAITING
    assert names[-1] == "refund.approval_needed"
    assert "refund.requested" not in names


async def test_nobody_approves_their_own_request(shop: Shop, session: AsyncSession) -> None:
    clerk = await create_account(session, role=Role.SUPPORT)
    order, refund = await completed_order_with_refund(session, 6_000, by=clerk.id)
    with pytest.raises(Forbidden):
        await approve_refund(session, refund.id, reason="mine", cause=Cause(NOW, clerk.id))
    assert (refund.status, refund.decided_by_id) == (RefundStatus.WAITING, None)
    other = await create_account(session, role=Role.SUPPORT)
    await approve_refund(session, refund.id, reason="seen", cause=Cause(NOW, other.id))
    names = await events_of(session, order)
    await session.commit()

    assert (refund.status, refund.decided_by_id) == (RefundStatus.PENDING, other.id)
    assert names[-2:] == ["refund.approved", "refund.requested"]


async def test_a_declined_request_leaves_the_books_as_they_were(shop: Shop, session: AsyncSession) -> None:
    clerk = await create_account(session, role=Role.SUPPORT)
    order, refund = await completed_order_with_refund(session, 6_000, by=clerk.id)
    assert await net_sales(session, order) == Money(9_900, CNY)  # what only waits is not credited
    await decline_refund(session, refund.id, reason="withdrawn", cause=Cause(NOW, clerk.id))
    assert await net_sales(session, order) == Money(9_900, CNY)
    assert await audit_books(session) == []
    [payment] = await payments_of(session, order)
    await session.commit()

    assert (refund.status, payment.refunded_amount, order.status) == (
        RefundStatus.DECLINED,
        0,
        OrderStatus.COMPLETED,
    )


async def test_of_two_who_decide_at_once_one_does(shop: Shop, session: AsyncSession) -> None:
    order, refund = await completed_order_with_refund(session, 6_000)
    people = [await create_account(session, role=Role.SUPPORT) for _ in range(4)]
    await session.commit()

    async def decide(number: int) -> None:
        command = decline_refund if number % 2 else approve_refund
        async with shop.database.writes.begin() as session:
            await command(session, refund.id, reason="x", cause=Cause(NOW, people[number].id))

    outcomes = await asyncio.gather(*(decide(number) for number in range(4)), return_exceptions=True)
    async with shop.database.writes.begin() as session:
        await lock_order(session, order.id)
        stored = (await session.scalars(select(Refund))).one()
        assert await audit_books(session) == []

    assert sum(isinstance(outcome, WrongState) for outcome in outcomes) == 3
    assert stored.decided_by_id in [each.id for each in people]


async def test_what_waits_becomes_owed_when_its_order_is_cancelled(shop: Shop, session: AsyncSession) -> None:
    clerk, other = [await create_account(session, role=Role.SUPPORT) for _ in range(2)]
    session.info[APPROVAL_LIMITS_KEY] = {CNY: 5_000}
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [waiting] = await request_refund(
        session, order, Money(6_000, CNY), reason="x", cause=Cause(NOW, clerk.id)
    )
    waiting.goodwill = True
    await cancel_order(session, order.id, reason="late", cause=Cause(NOW, order.account_id))
    [rest] = await refund_everything(session, order, reason="late", cause=Cause(NOW))
    with pytest.raises(WrongState, match="owed to the customer"):
        await decline_refund(session, waiting.id, reason="no", cause=Cause(NOW, other.id))
    await approve_refund(session, waiting.id, reason="seen", cause=Cause(NOW, other.id))
    await report(session, waiting, RefundOutcome.SUCCEEDED)
    await report(session, rest, RefundOutcome.SUCCEEDED)
    assert await audit_books(session) == []
    assert await ledger_balances(session, order) == {}
    await session.commit()

    assert (rest.amount, rest.status, waiting.status) == (
        3_900,
        RefundStatus.SUCCEEDED,
        RefundStatus.SUCCEEDED,
    )
    assert order.payment_status is OrderPaymentStatus.REFUNDED


async def test_whoever_cancelled_an_order_does_not_approve_its_refund(
    shop: Shop, session: AsyncSession
) -> None:
    clerk, other = [await create_account(session, role=Role.SUPPORT) for _ in range(2)]
    session.info[APPROVAL_LIMITS_KEY] = {}
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await cancel_order(session, order.id, reason="late", cause=Cause(NOW, clerk.id))
    [refund] = await refund_cancelled_order(
        session, order, target=RefundTarget.ORIGINAL, reason="late", cause=Cause(NOW)
    )
    with pytest.raises(Forbidden):
        await approve_refund(session, refund.id, reason="mine", cause=Cause(NOW, clerk.id))
    await approve_refund(session, refund.id, reason="seen", cause=Cause(NOW, other.id))
    await session.commit()

    assert (refund.requested_by_id, refund.decided_by_id) == (clerk.id, other.id)


async def test_staff_do_not_approve_refunds_of_their_own_orders(shop: Shop, session: AsyncSession) -> None:
    clerk = await create_account(session, role=Role.SUPPORT)
    session.info[APPROVAL_LIMITS_KEY] = {}
    order = await create_order(session, account=clerk, status=OrderStatus.COMPLETED)
    [refund] = await request_refund(session, order, Money(100, CNY), reason="x", cause=Cause(NOW))
    with pytest.raises(Forbidden):
        await approve_refund(session, refund.id, reason="mine", cause=Cause(NOW, clerk.id))
    await session.commit()

    assert refund.status is RefundStatus.WAITING


@pytest.mark.parametrize("leaves", ["loses the role", "is removed"])
async def test_a_request_outlives_whoever_has_made_it(shop: Shop, session: AsyncSession, leaves: str) -> None:
    clerk, other = [await create_account(session, role=Role.SUPPORT) for _ in range(2)]
    _, refund = await completed_order_with_refund(session, 6_000, by=clerk.id)
    if leaves == "loses the role":
        await change_staff_role(session, clerk.id, role=Role.WAREHOUSE, cause=Cause(NOW, other.id))
    else:
        clerk.disabled_at = NOW
        await erase_staff(session, clerk.id, cause=Cause(NOW, other.id))
        assert await erase_account(session, clerk.id, now=LATER)
    assert (refund.status, refund.requested_by_id) == (RefundStatus.WAITING, clerk.id)
    await approve_refund(session, refund.id, reason="seen", cause=Cause(NOW, other.id))
    assert await audit_books(session) == []
    await session.commit()

    assert refund.status is RefundStatus.PENDING


async def test_the_same_request_waits_once_and_what_waits_is_not_refundable_again(
    shop: Shop, session: AsyncSession
) -> None:
    clerk = await create_account(session, role=Role.SUPPORT)
    session.info[APPROVAL_LIMITS_KEY] = {CNY: 5_000}
    order = await create_order(session, status=OrderStatus.COMPLETED)
    for _ in range(2):
        await refund_in_goodwill(
            session, order.id, Money(6_000, CNY), reason="x", key="k", cause=Cause(NOW, clerk.id)
        )
    with pytest.raises(LimitReached, match=r"At most 39\.00"):
        await request_refund(session, order, Money(3_901, CNY), reason="x", cause=Cause(NOW))
    [refund] = (await session.scalars(select(Refund))).all()
    await decline_refund(session, refund.id, reason="no", cause=Cause(NOW, clerk.id))
    with pytest.raises(WrongState, match="This refund is declined"):
        await decline_refund(session, refund.id, reason="no", cause=Cause(NOW, clerk.id))
    refundable = await refundable_amount(session, order)
    await session.commit()

    assert (refund.goodwill, refundable) == (True, Money(9_900, CNY))


async def test_neither_transfer_nor_store_credit_passes_the_second_person_by(
    shop: Shop, session: AsyncSession
) -> None:
    session.info[APPROVAL_LIMITS_KEY] = {}
    order = await create_order(session, payments={CASH: None})
    await deliver(session, order)
    [refund] = await request_refund(session, order, Money(100, CNY), reason="x", cause=Cause(NOW))
    with pytest.raises(WrongState, match="This refund is waiting"):
        await confirm_refund(session, refund.id, reference="BANK-1", cause=Cause(NOW))
    with pytest.raises(WrongState, match="This refund is waiting"):
        await redirect_refund(session, refund.id, cause=Cause(NOW))
    await session.commit()

    assert (refund.status, refund.target) == (RefundStatus.WAITING, RefundTarget.ORIGINAL)


async def test_a_provider_that_pays_what_the_shop_has_paid_is_told_to_people(
    shop: Shop, session: AsyncSession
) -> None:
    _, refund = await completed_order_with_refund(session)
    await report(session, refund, RefundOutcome.ABNORMAL)
    await confirm_refund(session, refund.id, reference="BANK-7", cause=Cause(NOW))
    with pytest.raises(PaymentMismatch, match="was paid by the shop"):
        await report(session, refund, RefundOutcome.SUCCEEDED)
    assert await audit_books(session) == []
    await session.commit()

    assert refund.provider_reference == "BANK-7"


@pytest.mark.parametrize(
    ("method", "target", "days"),
    [
        (PaymentMethod.ALIPAY, RefundTarget.ORIGINAL, 5),
        (PaymentMethod.WECHAT_PAY, RefundTarget.ORIGINAL, 5),
        (PaymentMethod.CARD, RefundTarget.ORIGINAL, 14),
        (PaymentMethod.CASH_ON_DELIVERY, RefundTarget.ORIGINAL, 7),
        (PaymentMethod.STORE_CREDIT, RefundTarget.STORE_CREDIT, 0),
        (PaymentMethod.CARD, RefundTarget.STORE_CREDIT, 0),
    ],
)
def test_each_way_to_refund_has_its_days(method: PaymentMethod, target: RefundTarget, days: int) -> None:
    refund = Refund(status=RefundStatus.PENDING, target=target, created_at=NOW)
    decided = Refund(status=RefundStatus.SUCCEEDED, target=target, created_at=NOW, decided_at=LATER)

    assert expected_by(refund, method) == NOW + timedelta(days=days)
    assert expected_by(decided, method) == LATER + timedelta(days=days)


@pytest.mark.parametrize("status", [RefundStatus.WAITING, RefundStatus.ABNORMAL, RefundStatus.DECLINED])
def test_nobody_says_by_when_what_waits_for_people_is_paid(status: RefundStatus) -> None:
    refund = Refund(status=status, target=RefundTarget.ORIGINAL, created_at=NOW)
    failed = Refund(status=RefundStatus.FAILED, target=RefundTarget.ORIGINAL, created_at=NOW)

    assert expected_by(refund, PaymentMethod.CARD) is None
    assert expected_by(failed, PaymentMethod.CARD) is None
    failed.retry_at = LATER
    assert expected_by(failed, PaymentMethod.CARD) == LATER + timedelta(days=14)


def test_every_method_has_its_days_and_every_currency_its_limit() -> None:
    assert EXPECTED_WITHIN.keys() == set(PaymentMethod)
    assert APPROVAL_LIMITS.keys() == set(CurrencyCode)


async def test_a_ticket_whose_refund_is_abnormal_ends_with_store_credit_and_not_by_trying_again(
    shop: Shop, session: AsyncSession
) -> None:
    ticket = await create_ticket(session, type=TicketType.REFUND_ONLY, status=TicketStatus.REFUNDING)
    [refund] = await refunds_of(session, ticket)
    await report(session, refund, RefundOutcome.ABNORMAL)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    with pytest.raises(WrongState, match="Transfer this refund"):
        await retry_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    statuses = [ticket.status]
    assert refund.status is RefundStatus.ABNORMAL
    await redirect_refund(session, refund.id, cause=Cause(NOW))
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    statuses.append(ticket.status)
    await pay_credit_refund(session, refund.id, cause=Cause(NOW))
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    statuses.append(ticket.status)
    assert await audit_books(session) == []
    await session.commit()

    assert statuses == [TicketStatus.REFUND_FAILED, TicketStatus.REFUNDING, TicketStatus.COMPLETED]


async def test_cancelled_lines_of_guests_do_not_go_into_store_credit(
    shop: Shop, session: AsyncSession
) -> None:
    guest = await create_account(session, role=Role.GUEST_BUYER)
    lines = [(await a_variant(session), 2)]
    order = await create_order(session, account=guest, lines=lines, status=OrderStatus.CONFIRMED)
    [line] = await order_lines_of(session, order)
    with pytest.raises(Invalid):
        await cancel_lines(
            session,
            order.id,
            [ClaimedUnits(line.id, 1)],
            reason="x",
            refund_to=RefundTarget.STORE_CREDIT,
            receipt_after=RECEIPT_AFTER,
            cause=Cause(NOW),
        )
    await session.commit()

    assert (order.status, line.cancelled) == (OrderStatus.CONFIRMED, 0)
