"""The books: what moves money is written twice, debit and credit, and only once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.upsert import insert
from models import LedgerAccount, LedgerEntry, Money, Order, OrderPaymentStatus, Posting, PostingKind

SIDES: Mapping[PostingKind, tuple[LedgerAccount, LedgerAccount]] = {
    PostingKind.INVOICED: (LedgerAccount.CUSTOMER, LedgerAccount.SALES),
    PostingKind.CAPTURED: (LedgerAccount.PROVIDER, LedgerAccount.CUSTOMER),
    PostingKind.CASH_COLLECTED: (LedgerAccount.CASH, LedgerAccount.CUSTOMER),
    PostingKind.CREDITED: (LedgerAccount.SALES, LedgerAccount.CUSTOMER),
    PostingKind.REFUNDED: (LedgerAccount.CUSTOMER, LedgerAccount.PROVIDER),
    PostingKind.WRITTEN_OFF: (LedgerAccount.WRITE_OFF, LedgerAccount.CUSTOMER),
}
"""Why money moves -> the book it is debited to and the one it is credited to."""

TAKEN = (PostingKind.CAPTURED, PostingKind.CASH_COLLECTED)


async def post(
    session: AsyncSession,
    *,
    order_id: int,
    payment_id: int | None,
    kind: PostingKind,
    amount: Money,
    key: str,
    now: datetime,
    credit: LedgerAccount | None = None,
) -> bool:
    """Write one balanced posting; False, and nothing written, when `key` was posted before.

    `credit` names another book than the usual one: a refund by transfer leaves the BANK.
    """
    if amount.minor <= 0:
        raise ValueError(f"{kind} of {amount}: a posting moves money, and its kind says which way")
    posting_id = await session.scalar(
        insert(session, Posting)
        .values(order_id=order_id, payment_id=payment_id, kind=kind, key=key, created_at=now)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Posting.id)
    )
    if posting_id is None:
        return False
    shared = {"posting_id": posting_id, "order_id": order_id}
    await session.execute(
        insert(session, LedgerEntry).values([shared | side for side in sides(kind, amount, credit=credit)])
    )
    return True


def sides(kind: PostingKind, amount: Money, *, credit: LedgerAccount | None = None) -> list[dict[str, Any]]:
    """Both entries of a posting: debit and credit."""
    debit, usual_credit = SIDES[kind]
    return [
        {"account": debit, "currency": amount.currency, "amount": amount.minor},
        {"account": credit or usual_credit, "currency": amount.currency, "amount": -amount.minor},
    ]


async def sold(session: AsyncSession, order: Order) -> Money:
    """What still counts as sold on an order: invoiced and not credited since."""
    balance = await session.scalar(
        select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(
            LedgerEntry.order_id == order.id, LedgerEntry.account == LedgerAccount.SALES
        )
    )
    return order.money(-int(balance or 0))


async def taken_and_returned(session: AsyncSession, order_id: int) -> tuple[int, int]:
    """What was ever taken for an order and what of it went back, in minor units."""
    rows = await session.execute(
        select(Posting.kind, func.sum(LedgerEntry.amount))
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(LedgerEntry.order_id == order_id, LedgerEntry.account == LedgerAccount.CUSTOMER)
        .group_by(Posting.kind)
    )
    by_kind = {kind: int(total) for kind, total in rows}
    return -sum(by_kind.get(kind, 0) for kind in TAKEN), by_kind.get(PostingKind.REFUNDED, 0)


def payment_status(*, total: int, taken: int, returned: int) -> OrderPaymentStatus:
    """The word for what the books say has been paid."""
    if returned:
        return OrderPaymentStatus.REFUNDED if returned >= taken else OrderPaymentStatus.PARTIALLY_REFUNDED
    if taken >= total:
        return OrderPaymentStatus.PAID
    return OrderPaymentStatus.PARTIALLY_PAID if taken else OrderPaymentStatus.UNPAID


def status_that_follows(
    *, total: SQLColumnExpression[int], taken: ColumnElement[int], returned: ColumnElement[int]
) -> ColumnElement[OrderPaymentStatus]:
    """`payment_status` for the database."""
    word = Order.payment_status.type
    return case(
        (and_(returned != 0, returned >= taken), literal(OrderPaymentStatus.REFUNDED, word)),
        (returned != 0, literal(OrderPaymentStatus.PARTIALLY_REFUNDED, word)),
        (taken >= total, literal(OrderPaymentStatus.PAID, word)),
        (taken != 0, literal(OrderPaymentStatus.PARTIALLY_PAID, word)),
        else_=literal(OrderPaymentStatus.UNPAID, word),
    )


async def refresh_payment_status(session: AsyncSession, order: Order) -> None:
    """Say on the order what its books say."""
    taken, returned = await taken_and_returned(session, order.id)
    order.payment_status = payment_status(total=order.total_amount, taken=taken, returned=returned)
