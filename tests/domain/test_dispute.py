"""Disputes and fees: booked once, decided once, and what is disputed is not refunded."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.order import cancel_order, hold_order, lock_order
from domain.payment import (
    PaymentMismatch,
    ProviderFee,
    approve_refund,
    confirm_refund,
    fail_refund,
    pay_credit_refund,
    post_fees,
    record_dispute,
    redirect_refund,
    refund_everything,
    request_refund,
    settle_attempt,
    settle_refund,
    start_payment,
)
from domain.payment.approval_limit import APPROVAL_LIMITS_KEY
from domain.payment.refund import QUERY_AFTER
from domain.payment.refund_reports import end_abnormally
from events.shop import Shop
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    Dispute,
    DisputeReport,
    DisputeStatus,
    LedgerAccount,
    LedgerEntry,
    Money,
    Order,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentAttempt,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
    RefundTarget,
    Role,
)
from tests.factories.account import create_account
from tests.factories.dispute import dispute_report
from tests.factories.order import NOW, SANDBOX, create_order, dispatch, events_of, payments_of
from tests.factories.shipment import pack
from tests.given import ledger_balances
from tests.observe import assert_books_agree

CNY = CurrencyCode.CNY
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Disputed:
    order: Order
    payment: Payment
    report: DisputeReport


async def disputed_order(
    session: AsyncSession, *, amount: int = 9_900, status: OrderStatus = OrderStatus.COMPLETED
) -> Disputed:
    """An order of 99.00 CNY whose customer disputes what they have paid."""
    order = await create_order(session, status=status)
    [payment] = await payments_of(session, order)
    report = dispute_report(payment, amount=amount)
    await record_dispute(session, SANDBOX, report, Cause(NOW))
    return Disputed(order, payment, report)


async def tell(session: AsyncSession, it: Disputed, status: DisputeStatus) -> Dispute:
    return await record_dispute(session, SANDBOX, replace(it.report, status=status), Cause(NOW))


async def test_what_is_disputed_has_left_the_provider_and_the_order_stays_as_it_was(
    shop: Shop, session: AsyncSession
) -> None:
    it = await disputed_order(session)

    assert await ledger_balances(session, it.order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.DISPUTED: 9_900,
        LedgerAccount.PROVIDER: -1_500,
        LedgerAccount.FEES: 1_500,
    }
    assert (it.order.status, it.order.payment_status) == (OrderStatus.COMPLETED, OrderPaymentStatus.PAID)
    assert (it.payment.disputed_amount, it.payment.refundable_amount) == (9_900, 0)
    assert (await events_of(session, it.order))[-1] == "dispute.opened"
    await session.commit()
    await assert_books_agree(shop)


async def test_nothing_leaves_while_its_payment_is_disputed(shop: Shop, session: AsyncSession) -> None:
    it = await disputed_order(session, status=OrderStatus.CONFIRMED)

    with pytest.raises(DomainError, match="held") as refused:
        await pack(session, it.order)
    assert refused.value.code is ErrorCode.WRONG_STATE
    assert it.order.hold_reason == "The customer disputes a payment of this order."

    await tell(session, it, DisputeStatus.WON)
    assert it.order.held_at is None
    await pack(session, it.order)
    await session.commit()
    await assert_books_agree(shop)


async def test_an_order_stays_held_when_the_dispute_was_lost_or_somebody_else_has_held_it(
    session: AsyncSession,
) -> None:
    lost = await disputed_order(session, status=OrderStatus.CONFIRMED)
    await tell(session, lost, DisputeStatus.LOST)
    assert lost.order.held_at == NOW

    other = await create_order(session, status=OrderStatus.CONFIRMED)
    await hold_order(session, other.id, reason="Is the address right?", cause=Cause(NOW))
    [payment] = await payments_of(session, other)
    named = replace(dispute_report(payment), reference="dp_2")
    for status in (DisputeStatus.OPEN, DisputeStatus.WON):
        await record_dispute(session, SANDBOX, replace(named, status=status), Cause(NOW))
    assert (other.held_at, other.hold_reason) == (NOW, "Is the address right?")


async def test_an_order_of_which_all_has_left_is_not_held_for_a_dispute(session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await dispatch(session, order)
    [payment] = await payments_of(session, order)

    await record_dispute(session, SANDBOX, dispute_report(payment), Cause(NOW))

    assert order.held_at is None


async def test_a_dispute_that_is_told_twice_is_booked_once(shop: Shop, session: AsyncSession) -> None:
    it = await disputed_order(session)
    before = await ledger_balances(session, it.order)
    await tell(session, it, DisputeStatus.OPEN)

    assert await ledger_balances(session, it.order) == before
    assert await session.scalar(select(func.count(Dispute.id))) == 1
    await session.commit()


async def test_a_dispute_that_was_won_brings_the_money_back_but_for_the_fee(
    shop: Shop, session: AsyncSession
) -> None:
    it = await disputed_order(session)
    await tell(session, it, DisputeStatus.WON)
    await tell(session, it, DisputeStatus.OPEN)

    assert await ledger_balances(session, it.order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.PROVIDER: 8_400,
        LedgerAccount.FEES: 1_500,
    }
    assert it.payment.refundable_amount == 9_900
    await session.commit()
    await assert_books_agree(shop)


async def test_a_dispute_that_was_lost_is_written_off_until_it_is_won_on_appeal(
    shop: Shop, session: AsyncSession
) -> None:
    it = await disputed_order(session)
    await tell(session, it, DisputeStatus.LOST)

    assert await ledger_balances(session, it.order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.WRITE_OFF: 9_900,
        LedgerAccount.PROVIDER: -1_500,
        LedgerAccount.FEES: 1_500,
    }
    assert it.order.status is OrderStatus.COMPLETED
    assert await audit_books(session) == []
    await tell(session, it, DisputeStatus.WON)
    assert (await ledger_balances(session, it.order))[LedgerAccount.PROVIDER] == 8_400
    await session.commit()
    await assert_books_agree(shop)


async def test_a_disputed_payment_is_refunded_up_to_what_the_shop_still_has(
    shop: Shop, session: AsyncSession
) -> None:
    it = await disputed_order(session, amount=9_000)

    with pytest.raises(DomainError) as refused:
        await request_refund(session, it.order, Money(901, CNY), reason="x", cause=Cause(NOW))
    assert refused.value.code is ErrorCode.LIMIT_REACHED
    [refund] = await request_refund(session, it.order, Money(900, CNY), reason="x", cause=Cause(NOW))
    assert refund.amount == 900
    await session.commit()
    await assert_books_agree(shop)


async def test_an_order_cancelled_under_dispute_is_refunded_once_the_shop_has_won(
    shop: Shop, session: AsyncSession
) -> None:
    it = await disputed_order(session, status=OrderStatus.CONFIRMED)
    await cancel_order(session, it.order.id, reason="Never mind.", cause=Cause(NOW))
    order = await lock_order(session, it.order.id)
    assert await refund_everything(session, order, reason="x", cause=Cause(NOW)) == []

    await tell(session, it, DisputeStatus.WON)

    [refund] = await session.scalars(select(Refund))
    assert (refund.amount, refund.payment_id) == (9_900, it.payment.id)
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    balances = await ledger_balances(session, order)
    assert balances == {LedgerAccount.PROVIDER: -1_500, LedgerAccount.FEES: 1_500}
    await session.commit()
    await assert_books_agree(shop)


async def test_an_order_cancelled_under_dispute_owes_nothing_once_the_shop_has_lost(
    shop: Shop, session: AsyncSession
) -> None:
    it = await disputed_order(session, status=OrderStatus.CONFIRMED)
    await cancel_order(session, it.order.id, reason="Never mind.", cause=Cause(NOW))

    await tell(session, it, DisputeStatus.LOST)

    balances = await ledger_balances(session, it.order)
    assert balances == {LedgerAccount.PROVIDER: -1_500, LedgerAccount.FEES: 1_500}
    await tell(session, it, DisputeStatus.WON)
    [refund] = await session.scalars(select(Refund))
    assert refund.amount == 9_900
    await session.commit()
    await assert_books_agree(shop)


def current(refund: Refund) -> RefundStatus:
    """The status as it is now; the type checker would remember the one compared before."""
    return refund.status


async def refunded_then_disputed(session: AsyncSession) -> tuple[Disputed, Refund]:
    """A cancelled order whose refund the provider has refused, because the customer disputes the payment."""
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    order = await lock_order(session, order.id)
    [refund] = await refund_everything(session, order, reason="x", cause=Cause(NOW))
    report = dispute_report(payment)
    await record_dispute(session, SANDBOX, report, Cause(NOW))
    await fail_refund(session, refund.id, reason="disputed", retry_after=DAY, cause=Cause(NOW))
    return Disputed(order, payment, report), refund


async def test_a_refund_of_what_is_disputed_is_neither_transferred_nor_credited(
    shop: Shop, session: AsyncSession
) -> None:
    it, refund = await refunded_then_disputed(session)
    balances = await ledger_balances(session, it.order)

    for give in (
        confirm_refund(session, refund.id, reference="BANK", cause=Cause(NOW)),
        redirect_refund(session, refund.id, cause=Cause(NOW)),
    ):
        with pytest.raises(DomainError, match="wait until that is decided") as refused:
            await give
        assert refused.value.code is ErrorCode.WRONG_STATE
    assert (refund.status, refund.target) == (RefundStatus.FAILED, RefundTarget.ORIGINAL)
    assert await ledger_balances(session, it.order) == balances

    await tell(session, it, DisputeStatus.WON)
    await confirm_refund(session, refund.id, reference="BANK", cause=Cause(NOW))
    await session.commit()
    await assert_books_agree(shop)


async def test_a_lost_dispute_settles_the_refund_whose_money_it_took_and_an_appeal_leaves_it_to_staff(
    shop: Shop, session: AsyncSession
) -> None:
    it, refund = await refunded_then_disputed(session)

    await tell(session, it, DisputeStatus.LOST)

    assert (refund.status, refund.provider_reference) == (RefundStatus.SUCCEEDED, "dp_1")
    balances = await ledger_balances(session, it.order)
    assert balances == {LedgerAccount.PROVIDER: -1_500, LedgerAccount.FEES: 1_500}
    await session.commit()
    await assert_books_agree(shop)
    await tell(session, it, DisputeStatus.WON)
    assert await ledger_balances(session, it.order) == {
        LedgerAccount.PROVIDER: 8_400,
        LedgerAccount.FEES: 1_500,
        LedgerAccount.CUSTOMER: -9_900,
    }
    refund = await session.get_one(Refund, refund.id)
    assert current(refund) is RefundStatus.ABNORMAL
    await confirm_refund(session, refund.id, reference="BANK", cause=Cause(NOW))
    assert await ledger_balances(session, it.order) == {
        LedgerAccount.PROVIDER: 8_400,
        LedgerAccount.FEES: 1_500,
        LedgerAccount.BANK: -9_900,
    }
    await session.commit()
    await assert_books_agree(shop)


@pytest.mark.parametrize("status", [RefundStatus.PENDING, RefundStatus.FAILED, RefundStatus.ABNORMAL])
async def test_a_refund_of_which_a_lost_dispute_has_given_a_part_is_a_task_that_names_the_part(
    shop: Shop, session: AsyncSession, status: RefundStatus
) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    order = await lock_order(session, order.id)
    [refund] = await refund_everything(session, order, reason="x", cause=Cause(NOW))
    if status is not RefundStatus.PENDING:
        await fail_refund(session, refund.id, reason="disputed", retry_after=DAY, cause=Cause(NOW))
    if status is RefundStatus.ABNORMAL:
        await end_abnormally(session, order, refund, "disputed", cause=Cause(NOW))
    it = Disputed(order, payment, dispute_report(payment, amount=5_000))
    await record_dispute(session, SANDBOX, it.report, Cause(NOW))
    tasks = (await events_of(session, order)).count("refund.abnormal")

    await tell(session, it, DisputeStatus.LOST)

    assert current(refund) is RefundStatus.ABNORMAL
    assert refund.failure == "A lost dispute has given the customer 50.00 CNY of it."
    assert (await events_of(session, order)).count("refund.abnormal") == tasks + 1
    await tell(session, it, DisputeStatus.LOST)
    assert (await events_of(session, order)).count("refund.abnormal") == tasks + 1
    await session.commit()
    await assert_books_agree(shop)


async def test_of_a_refund_that_a_lost_dispute_has_paid_in_part_the_staff_transfer_the_rest(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    order = await lock_order(session, order.id)
    [refund] = await refund_everything(session, order, reason="x", cause=Cause(NOW))
    it = Disputed(order, payment, dispute_report(payment, amount=5_000))
    await record_dispute(session, SANDBOX, it.report, Cause(NOW))
    await tell(session, it, DisputeStatus.LOST)

    paid = await confirm_refund(session, refund.id, reference="BANK", cause=Cause(NOW))

    assert (paid.amount, paid.provider_reference, paid.status) == (4_900, "BANK", RefundStatus.SUCCEEDED)
    rows = await session.scalars(select(Refund).order_by(Refund.id))
    given = [(each.amount, each.provider_reference, each.status) for each in rows]
    assert given == [(4_900, "BANK", RefundStatus.SUCCEEDED), (5_000, "dp_1", RefundStatus.SUCCEEDED)]
    assert await ledger_balances(session, order) == {
        LedgerAccount.PROVIDER: 3_400,
        LedgerAccount.FEES: 1_500,
        LedgerAccount.BANK: -4_900,
    }
    await session.commit()
    await assert_books_agree(shop)
    await tell(session, it, DisputeStatus.WON)
    rows = await session.scalars(select(Refund).order_by(Refund.id))
    taken_again = [(each.amount, current(each)) for each in rows]
    assert taken_again == [(4_900, RefundStatus.SUCCEEDED), (5_000, RefundStatus.ABNORMAL)]
    await session.commit()
    await assert_books_agree(shop)


async def waiting_then_disputed(
    session: AsyncSession,
    *,
    goodwill: bool = False,
    target: RefundTarget = RefundTarget.ORIGINAL,
    amount: int = 9_900,
) -> tuple[Disputed, Refund]:
    """A paid order whose refund waits for a second person when the customer disputes the payment."""
    session.info[APPROVAL_LIMITS_KEY] = {CNY: 0}
    order = await create_order(session, account=await create_account(session), status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    if goodwill:
        order.status = OrderStatus.COMPLETED
    else:
        await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    [refund] = await refund_everything(
        session, await lock_order(session, order.id), target=target, reason="x", cause=Cause(NOW)
    )
    refund.goodwill = goodwill
    report = dispute_report(payment, amount=amount)
    await record_dispute(session, SANDBOX, report, Cause(NOW))
    assert refund.status is RefundStatus.WAITING
    return Disputed(order, payment, report), refund


@pytest.mark.parametrize("target", RefundTarget)
async def test_nobody_approves_a_refund_of_what_is_disputed(
    shop: Shop, session: AsyncSession, target: RefundTarget
) -> None:
    it, refund = await waiting_then_disputed(session, target=target)
    clerk = await create_account(session, role=Role.MANAGER)
    balances = await ledger_balances(session, it.order)

    with pytest.raises(DomainError, match="wait until that is decided") as refused:
        await approve_refund(session, refund.id, reason="seen", cause=Cause(NOW, clerk.id))

    assert refused.value.code is ErrorCode.WRONG_STATE
    assert current(refund) is RefundStatus.WAITING
    assert await ledger_balances(session, it.order) == balances
    await tell(session, it, DisputeStatus.WON)
    await approve_refund(session, refund.id, reason="seen", cause=Cause(NOW, clerk.id))
    assert current(refund) is RefundStatus.PENDING
    await session.commit()
    await assert_books_agree(shop)


@pytest.mark.parametrize("target", RefundTarget)
async def test_a_lost_dispute_settles_a_refund_that_waited_for_a_second_person(
    shop: Shop, session: AsyncSession, target: RefundTarget
) -> None:
    it, refund = await waiting_then_disputed(session, target=target)

    await tell(session, it, DisputeStatus.LOST)

    assert (current(refund), refund.provider_reference) == (RefundStatus.SUCCEEDED, "dp_1")
    balances = await ledger_balances(session, it.order)
    assert balances == {LedgerAccount.PROVIDER: -1_500, LedgerAccount.FEES: 1_500}
    await session.commit()
    await assert_books_agree(shop)


@pytest.mark.parametrize("target", RefundTarget)
async def test_the_rest_of_a_refund_that_a_lost_dispute_has_paid_in_part_waits_on_for_a_second_person(
    shop: Shop, session: AsyncSession, target: RefundTarget
) -> None:
    it, refund = await waiting_then_disputed(session, target=target, amount=5_000)
    staff = [await create_account(session, role=Role.MANAGER) for _ in range(2)]

    await tell(session, it, DisputeStatus.LOST)

    rows = await session.scalars(select(Refund).order_by(Refund.id))
    assert [(each.amount, current(each)) for each in rows] == [
        (4_900, RefundStatus.WAITING),
        (5_000, RefundStatus.SUCCEEDED),
    ]
    with pytest.raises(DomainError) as refused:
        await confirm_refund(session, refund.id, reference="BANK", cause=Cause(NOW, staff[0].id))
    assert refused.value.code is ErrorCode.WRONG_STATE
    await session.commit()
    await assert_books_agree(shop)
    rest = await approve_refund(session, refund.id, reason="seen", cause=Cause(NOW, staff[1].id))
    assert (rest.amount, current(rest), rest.target) == (4_900, RefundStatus.PENDING, target)
    await session.commit()
    await assert_books_agree(shop)


async def test_a_lost_dispute_leaves_nothing_of_goodwill_that_waited_for_a_second_person(
    shop: Shop, session: AsyncSession
) -> None:
    it, refund = await waiting_then_disputed(session, goodwill=True)

    await tell(session, it, DisputeStatus.LOST)

    assert current(refund) is RefundStatus.DECLINED
    assert await ledger_balances(session, it.order) == {
        LedgerAccount.PROVIDER: -1_500,
        LedgerAccount.FEES: 1_500,
        LedgerAccount.WRITE_OFF: 9_900,
        LedgerAccount.SALES: -9_900,
    }
    await session.commit()
    await assert_books_agree(shop)


async def test_store_credit_is_not_given_for_what_is_disputed_since_its_refund_was_requested(
    shop: Shop, session: AsyncSession
) -> None:
    account = await create_account(session)
    order = await create_order(session, account=account, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    [refund] = await refund_everything(
        session,
        await lock_order(session, order.id),
        target=RefundTarget.STORE_CREDIT,
        reason="x",
        cause=Cause(NOW),
    )
    it = Disputed(order, payment, dispute_report(payment))
    await tell(session, it, DisputeStatus.OPEN)

    await pay_credit_refund(session, refund.id, cause=Cause(NOW))
    assert (current(refund), refund.query_at) == (RefundStatus.PENDING, NOW + QUERY_AFTER)

    await tell(session, it, DisputeStatus.WON)
    await pay_credit_refund(session, refund.id, cause=Cause(NOW))
    assert current(refund) is RefundStatus.SUCCEEDED
    await session.commit()
    await assert_books_agree(shop)


async def test_a_payment_that_is_disputed_before_the_shop_knows_of_it_is_not_refunded_beside_that(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    attempt = await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
    await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
    named = replace(dispute_report(payment, amount=9_900), attempt_reference=attempt.reference)
    await record_dispute(session, SANDBOX, replace(named, status=DisputeStatus.LOST), Cause(NOW))

    captured = AttemptReport(attempt.reference, None, AttemptStatus.CAPTURED, attempt.total)
    await settle_attempt(session, method=SANDBOX, report=captured, cause=Cause(NOW))

    assert (payment.captured_amount, payment.refunded_amount) == (9_900, 0)
    assert (await session.scalars(select(Refund))).all() == []
    await session.commit()
    await assert_books_agree(shop)


async def test_a_dispute_names_its_payment_as_the_provider_does(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    [attempt] = await session.scalars(select(PaymentAttempt))
    attempt.provider_reference = "pi_1"
    report = replace(dispute_report(payment), attempt_reference=None, attempt_provider_reference="pi_1")

    dispute = await record_dispute(session, SANDBOX, report, Cause(NOW))

    assert (dispute.payment_id, dispute.attempt_id) == (payment.id, attempt.id)
    await session.commit()


@pytest.mark.parametrize(
    "changed",
    [
        {"attempt_reference": "nobody"},
        {"attempt_reference": None},
        {"amount": Money(9_901, CNY)},
        {"amount": Money(0, CNY)},
        {"amount": Money(9_900, CurrencyCode.USD)},
        {"fee": Money(1, CurrencyCode.USD)},
    ],
    ids=[
        "another payment",
        "no payment named",
        "more than was paid",
        "nothing",
        "another currency",
        "a fee in another currency",
    ],
)
async def test_a_dispute_that_does_not_fit_changes_nothing(
    shop: Shop, session: AsyncSession, changed: dict[str, object]
) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    await session.commit()
    report = dispute_report(payment)
    with pytest.raises(PaymentMismatch):
        await record_dispute(session, SANDBOX, replace(report, **changed), Cause(NOW))  # type: ignore[arg-type]
    await session.rollback()
    assert await session.scalar(select(func.count(Dispute.id))) == 0
    await session.commit()


async def test_a_fee_is_posted_once_and_one_that_is_given_back_is_posted_the_other_way(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [payment] = await payments_of(session, order)
    fees = [
        ProviderFee(order_id=order.id, payment_id=payment.id, reference="A", fee=Money(60, CNY)),
        ProviderFee(order_id=order.id, payment_id=payment.id, reference="B", fee=Money(-20, CNY)),
        ProviderFee(order_id=order.id, payment_id=payment.id, reference="C", fee=Money(0, CNY)),
    ]
    assert [await post_fees(session, fees, now=NOW) for _ in range(2)] == [2, 0]
    await session.refresh(payment)
    assert payment.fee_amount == 40
    assert (await ledger_balances(session, order))[LedgerAccount.FEES] == 40
    await session.commit()
    await assert_books_agree(shop)


async def test_the_audit_finds_a_minor_unit_too_much_in_every_entry_of_fees_and_disputes(
    shop: Shop, session: AsyncSession
) -> None:
    it = await disputed_order(session)
    await tell(session, it, DisputeStatus.LOST)
    kinds = (PostingKind.FEE_CHARGED, PostingKind.DISPUTE_OPENED, PostingKind.DISPUTE_LOST)
    entries = await session.scalars(
        select(LedgerEntry.id)
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(Posting.kind.in_(kinds))
    )
    ids = entries.all()
    assert len(ids) == 6
    for entry_id in ids:
        for change in (1, -1):
            assert (await audit_books(session) == []) is (change == 1)
            await session.execute(
                update(LedgerEntry)
                .where(LedgerEntry.id == entry_id)
                .values(amount=LedgerEntry.amount + change)
                .execution_options(synchronize_session=False)
            )
    await session.commit()
