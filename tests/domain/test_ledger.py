"""Postings of the ledger, and the payment status that follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ledger import captured_and_refunded, net_sales, payment_status_for, write_posting
from events.shop import Shop
from models import LedgerAccount, LedgerEntry, OrderPaymentStatus, Posting, PostingKind
from tests.factories.order import NOW, create_order

AMOUNTS = st.integers(min_value=0, max_value=10_000)


async def test_a_posting_has_two_entries_that_balance(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    entries = (
        await session.execute(
            select(LedgerEntry.account, LedgerEntry.amount)
            .where(LedgerEntry.order_id == order.id)
            .order_by(LedgerEntry.amount.desc())
        )
    ).all()
    await session.commit()

    assert [tuple(entry) for entry in entries] == [
        (LedgerAccount.CUSTOMER, 9_900),
        (LedgerAccount.SALES, -9_900),
    ]


async def test_the_same_key_posts_once(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    facts = {"order_id": order.id, "payment_id": None, "kind": PostingKind.CAPTURED, "now": NOW}
    first = await write_posting(session, amount=order.total, key="captured-1", **facts)  # type: ignore[arg-type]
    second = await write_posting(session, amount=order.total, key="captured-1", **facts)  # type: ignore[arg-type]
    captured, refunded = await captured_and_refunded(session, order.id)
    postings = await session.scalar(select(func.count()).where(Posting.key == "captured-1"))
    await session.commit()

    assert (first, second, postings) == (True, False, 1)
    assert (captured, refunded) == (9_900, 0)


async def test_an_amount_of_zero_cannot_be_posted(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    with pytest.raises(ValueError, match="a posting moves money"):
        await write_posting(
            session,
            order_id=order.id,
            payment_id=None,
            kind=PostingKind.REFUNDED,
            amount=order.money(0),
            key="nothing",
            now=NOW,
        )
    assert await net_sales(session, order) == order.total
    await session.commit()


@pytest.mark.parametrize(
    ("captured", "refunded", "status"),
    [
        (0, 0, OrderPaymentStatus.UNPAID),
        (1, 0, OrderPaymentStatus.PARTIALLY_PAID),
        (99, 0, OrderPaymentStatus.PARTIALLY_PAID),
        (100, 0, OrderPaymentStatus.PAID),
        (100, 1, OrderPaymentStatus.PARTIALLY_REFUNDED),
        (60, 59, OrderPaymentStatus.PARTIALLY_REFUNDED),
        (60, 60, OrderPaymentStatus.REFUNDED),
        (100, 100, OrderPaymentStatus.REFUNDED),
    ],
)
def test_the_payment_status_follows_from_what_was_captured_and_refunded(
    captured: int, refunded: int, status: OrderPaymentStatus
) -> None:
    assert payment_status_for(total=100, cancelled=0, captured=captured, refunded=refunded) is status


def test_an_order_that_costs_nothing_is_paid() -> None:
    assert payment_status_for(total=0, cancelled=0, captured=0, refunded=0) is OrderPaymentStatus.PAID


def test_an_order_of_which_all_was_cancelled_before_it_was_paid_is_unpaid() -> None:
    assert payment_status_for(total=0, cancelled=100, captured=0, refunded=0) is OrderPaymentStatus.UNPAID


@given(total=AMOUNTS, cancelled=AMOUNTS)
def test_an_order_of_which_a_part_was_cancelled_is_paid_only_with_money(total: int, cancelled: int) -> None:
    status = payment_status_for(total=total, cancelled=cancelled, captured=0, refunded=0)

    assert (status is OrderPaymentStatus.PAID) == (total == cancelled == 0)


@given(total=AMOUNTS, captured=AMOUNTS)
def test_an_order_is_paid_exactly_when_all_of_it_was_captured(total: int, captured: int) -> None:
    status = payment_status_for(total=total, cancelled=0, captured=captured, refunded=0)

    assert (status is OrderPaymentStatus.PAID) == (captured >= total)
