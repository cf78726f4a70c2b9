"""Store credit: sums of movements, spent at placing, given back; gift cards; the books of both."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode
from domain.payment import pay_credit_refund, refund_everything, request_refund
from domain.personal_data import erase_account, request_erasure
from domain.store_credit import (
    expire_gift_card,
    find_balances,
    redeem_gift_card,
    void_gift_card,
)
from events.shop import Shop
from models import (
    CurrencyCode,
    GiftCard,
    GiftCardStatus,
    LedgerAccount,
    LedgerEntry,
    Money,
    Order,
    OrderPaymentStatus,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
    RefundTarget,
    StoreCreditMovement,
)
from models.database import Database
from tests.factories.account import create_account
from tests.factories.order import CASH, NOW, SANDBOX, create_order, deliver, payments_of
from tests.factories.store_credit import create_gift_card, give_credit
from tests.given import ledger_balances

CNY = CurrencyCode.CNY
CREDIT = PaymentMethod.STORE_CREDIT


async def test_a_gift_card_becomes_store_credit_once(shop: Shop, session: AsyncSession) -> None:
    first, second = await create_account(session), await create_account(session)
    card = await create_gift_card(session, 10_000)
    for _ in range(2):
        await redeem_gift_card(session, first.id, card.code_hash, cause=Cause(NOW, first.id))
    with pytest.raises(DomainError) as refused:
        await redeem_gift_card(session, second.id, card.code_hash, cause=Cause(NOW, second.id))

    assert refused.value.code is ErrorCode.COUPON_REFUSED
    assert await find_balances(session, first.id) == [Money(10_000, CNY)]
    assert await find_balances(session, second.id) == []
    assert await audit_books(session) == []


async def test_unknown_withdrawn_and_expired_gift_cards_are_refused_alike(
    shop: Shop, session: AsyncSession
) -> None:
    customer = await create_account(session)
    withdrawn = await create_gift_card(session)
    await void_gift_card(session, withdrawn.id, reason="Lost.", cause=Cause(NOW))
    expired = await create_gift_card(session, lasts=timedelta(days=1))
    later = NOW + timedelta(days=1)
    messages = set()
    for code_hash in ("unknown", withdrawn.code_hash, expired.code_hash):
        with pytest.raises(DomainError) as refused:
            await redeem_gift_card(session, customer.id, code_hash, cause=Cause(later, customer.id))
        messages.add((refused.value.code, str(refused.value)))

    assert messages == {(ErrorCode.COUPON_REFUSED, "This gift card cannot be redeemed.")}
    assert await find_balances(session, customer.id) == []


async def test_what_is_left_of_an_expired_gift_card_is_booked(shop: Shop, session: AsyncSession) -> None:
    card = await create_gift_card(session, 700, lasts=timedelta(days=1))
    assert not await expire_gift_card(session, card.id, now=NOW)
    assert await expire_gift_card(session, card.id, now=NOW + timedelta(days=1))
    assert not await expire_gift_card(session, card.id, now=NOW + timedelta(days=2))

    rows = await session.execute(
        select(LedgerEntry.account, func.sum(LedgerEntry.amount)).group_by(LedgerEntry.account)
    )
    assert dict(iter(rows)) == {
        LedgerAccount.GIFTS: 700,
        LedgerAccount.GIFT_CARDS: 0,
        LedgerAccount.FORFEITED: -700,
    }
    assert card.status is GiftCardStatus.EXPIRED
    assert await audit_books(session) == []


async def test_an_order_paid_with_store_credit_is_confirmed_when_it_is_placed(
    shop: Shop, session: AsyncSession
) -> None:
    customer = await create_account(session)
    await give_credit(session, customer, 12_000)
    order = await create_order(session, account=customer, payments={CREDIT: None})
    [payment] = await payments_of(session, order)

    assert (order.status, order.payment_status) == (OrderStatus.CONFIRMED, OrderPaymentStatus.PAID)
    assert (payment.status, payment.captured_amount) == (PaymentStatus.CAPTURED, 9_900)
    assert order.payment_due_at is None
    assert await find_balances(session, customer.id) == [Money(2_100, CNY)]
    assert await ledger_balances(session, order) == {
        LedgerAccount.SALES: -9_900,
        LedgerAccount.STORE_CREDIT: 9_900,
    }
    assert await audit_books(session) == []


async def test_part_of_an_order_is_paid_with_store_credit_and_the_rest_is_waited_for(
    shop: Shop, session: AsyncSession
) -> None:
    customer = await create_account(session)
    await give_credit(session, customer, 4_000)
    order = await create_order(session, account=customer, payments={CREDIT: 4_000, SANDBOX: None})

    assert (order.status, order.payment_status) == (OrderStatus.PENDING, OrderPaymentStatus.PARTIALLY_PAID)
    assert order.payment_due_at is not None
    assert await find_balances(session, customer.id) == []
    assert await audit_books(session) == []


async def test_more_store_credit_than_there_is_cannot_be_spent(shop: Shop, session: AsyncSession) -> None:
    customer = await create_account(session)
    await give_credit(session, customer, 9_899)
    with pytest.raises(DomainError, match=r"You have 98\.99 CNY of store credit") as refused:
        await create_order(session, account=customer, payments={CREDIT: None})

    assert refused.value.code is ErrorCode.AMOUNT_MISMATCH
    assert await session.scalar(select(func.count(Order.id))) == 0
    assert await find_balances(session, customer.id) == [Money(9_899, CNY)]


async def test_a_refund_goes_into_store_credit_where_the_customer_wants_it(
    shop: Shop, session: AsyncSession
) -> None:
    customer = await create_account(session)
    await give_credit(session, customer, 2_000)
    order = await create_order(
        session,
        account=customer,
        status=OrderStatus.CONFIRMED,
        payments={SANDBOX: None, CASH: 4_000, CREDIT: 2_000},
    )
    await deliver(session, order)
    target = RefundTarget.STORE_CREDIT
    refunds = await request_refund(
        session, order, Money(1_001, CNY), target=target, reason="a scratch", cause=Cause(NOW)
    )
    for refund in refunds:
        for _ in range(2):
            await pay_credit_refund(session, refund.id, cause=Cause(NOW))

    assert sorted(refund.amount for refund in refunds) == [202, 394, 405]
    assert await find_balances(session, customer.id) == [Money(1_001, CNY)]
    assert order.payment_status is OrderPaymentStatus.PARTIALLY_REFUNDED
    assert await audit_books(session) == []


async def test_store_credit_comes_back_as_store_credit(shop: Shop, session: AsyncSession) -> None:
    customer = await create_account(session)
    await give_credit(session, customer, 2_000)
    payments = {SANDBOX: None, CREDIT: 2_000}
    order = await create_order(session, account=customer, status=OrderStatus.CONFIRMED, payments=payments)
    refunds = await refund_everything(session, order, reason="cancelled", cause=Cause(NOW))

    assert [(refund.amount, refund.target) for refund in refunds] == [
        (7_900, RefundTarget.ORIGINAL),
        (2_000, RefundTarget.STORE_CREDIT),
    ]


@pytest.mark.parametrize("change", [1, -1])
async def test_the_audit_finds_one_cent_in_every_movement(
    shop: Shop, session: AsyncSession, change: int
) -> None:
    customer = await create_account(session)
    await give_credit(session, customer, 12_000)
    order = await create_order(session, account=customer, payments={CREDIT: None})
    [refund] = await request_refund(session, order, order.money(100), reason="x", cause=Cause(NOW))
    await pay_credit_refund(session, refund.id, cause=Cause(NOW))
    await create_gift_card(session)
    assert await audit_books(session) == []

    for model in (StoreCreditMovement, GiftCard, LedgerEntry):
        for row_id in await session.scalars(select(model.id)):
            for by in (change, -change):
                changed = update(model).where(model.id == row_id).values(amount=model.amount + by)
                await session.execute(changed.execution_options(synchronize_session=False))
                is_open = model is not GiftCard or await session.scalar(
                    select(GiftCard.status == GiftCardStatus.ISSUED).where(GiftCard.id == row_id)
                )
                if by == change and is_open:
                    assert await audit_books(session) != [], (model, row_id)


async def test_an_account_with_store_credit_is_erased_only_when_it_is_given_up(
    shop: Shop, session: AsyncSession
) -> None:
    customer = await create_account(session)
    await give_credit(session, customer, 500)
    with pytest.raises(DomainError, match=r"store credit of 5\.00 CNY") as refused:
        await request_erasure(session, customer.id, cause=Cause(NOW, customer.id))
    assert refused.value.code is ErrorCode.WRONG_STATE
    assert customer.erasure_due_at is None

    await request_erasure(session, customer.id, forfeit=True, cause=Cause(NOW, customer.id))
    assert await erase_account(session, customer.id, now=NOW + timedelta(minutes=1))
    assert await find_balances(session, customer.id) == []
    assert await audit_books(session) == []


async def test_two_orders_at_once_never_spend_the_same_credit(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        customer = await create_account(session)
        await give_credit(session, customer, 15_000)

    async def order_once() -> object:
        try:
            async with crowd.writes.begin() as session:
                return await create_order(session, account=customer, payments={CREDIT: None})
        except DomainError as refusal:
            return refusal.code

    results = await asyncio.gather(*(order_once() for _ in range(8)))

    async with crowd.writes.begin() as session:
        assert await find_balances(session, customer.id) == [Money(5_100, CNY)]
        assert await audit_books(session) == []
    assert sorted(isinstance(each, Order) for each in results) == [False] * 7 + [True]


async def test_a_gift_card_redeemed_by_many_at_once_is_given_once(crowd: Database) -> None:
    async with crowd.writes.begin() as session:
        customers = [await create_account(session) for _ in range(8)]
        card = await create_gift_card(session, 1_000)

    async def redeem(account_id: int) -> bool:
        try:
            async with crowd.writes.begin() as session:
                await redeem_gift_card(session, account_id, card.code_hash, cause=Cause(NOW, account_id))
        except DomainError:
            return False
        return True

    given = await asyncio.gather(*(redeem(customer.id) for customer in customers))

    assert sum(given) == 1
    async with crowd.writes.begin() as session:
        assert await session.scalar(select(func.sum(StoreCreditMovement.amount))) == 1_000
        assert await audit_books(session) == []
