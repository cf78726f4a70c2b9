"""The books: twice, once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from domain.ledger import payment_status, post, sold, taken_and_returned
from events.shop import Shop
from models import LedgerAccount, LedgerEntry, OrderPaymentStatus, Posting, PostingKind
from tests.factories.order import NOW, create_order

AMOUNTS = st.integers(min_value=0, max_value=10_000)


async def test_a_posting_is_written_on_two_sides_that_balance(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        entries = (
            await session.execute(
                select(LedgerEntry.account, LedgerEntry.amount)
                .where(LedgerEntry.order_id == order.id)
                .order_by(LedgerEntry.amount.desc())
            )
        ).all()

    assert [tuple(entry) for entry in entries] == [
        (LedgerAccount.CUSTOMER, 9_900),
        (LedgerAccount.SALES, -9_900),
    ]


async def test_the_same_key_posts_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        facts = {"order_id": order.id, "payment_id": None, "kind": PostingKind.CAPTURED, "now": NOW}
        first = await post(session, amount=order.total, key="captured-1", **facts)  # type: ignore[arg-type]
        second = await post(session, amount=order.total, key="captured-1", **facts)  # type: ignore[arg-type]
        taken, returned = await taken_and_returned(session, order.id)
        postings = await session.scalar(select(func.count()).where(Posting.key == "captured-1"))

    assert (first, second, postings) == (True, False, 1)
    assert (taken, returned) == (9_900, 0)


async def test_nothing_is_posted_without_an_amount(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        with pytest.raises(ValueError, match="a posting moves money"):
            await post(
                session,
                order_id=order.id,
                payment_id=None,
                kind=PostingKind.REFUNDED,
                amount=order.money(0),
                key="nothing",
                now=NOW,
            )
        assert await sold(session, order) == order.total


@pytest.mark.parametrize(
    ("taken", "returned", "said"),
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
def test_what_has_been_paid_in_one_word(taken: int, returned: int, said: OrderPaymentStatus) -> None:
    assert payment_status(total=100, taken=taken, returned=returned) is said


def test_what_costs_nothing_is_paid() -> None:
    assert payment_status(total=0, taken=0, returned=0) is OrderPaymentStatus.PAID


@given(total=AMOUNTS, taken=AMOUNTS)
def test_an_order_is_paid_exactly_when_all_of_it_is_here(total: int, taken: int) -> None:
    said = payment_status(total=total, taken=taken, returned=0)

    assert (said is OrderPaymentStatus.PAID) == (taken >= total)
