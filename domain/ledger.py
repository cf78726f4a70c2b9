"""The books: what moves money is written twice, debit and credit, and only once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPost:
    """A balanced posting that is to be written, once."""

    order_id: int
    payment_id: int | None
    kind: PostingKind
    amount: Money
    key: str
    credit: LedgerAccount | None = None
    """Another book than the usual one: a refund by transfer leaves the BANK."""


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
    """Write one balanced posting; False, and nothing written, when `key` was posted before."""
    wanted = ToPost(
        order_id=order_id, payment_id=payment_id, kind=kind, amount=amount, key=key, credit=credit
    )
    return bool(await post_all(session, [wanted], now=now))


async def post_all(session: AsyncSession, wanted: Sequence[ToPost], *, now: datetime) -> set[str]:
    """Write balanced postings, two statements for all; the keys that were not posted before."""
    for each in wanted:
        if each.amount.minor <= 0:
            raise ValueError(f"{each.kind} of {each.amount}: a posting moves money, its kind says which way")
    if not wanted:
        return set()
    rows = await session.execute(
        insert(session, Posting)
        .values([as_row(each, now) for each in wanted])
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Posting.key, Posting.id)
    )
    ids = dict(iter(rows))
    entries = [
        {"posting_id": ids[each.key], "order_id": each.order_id} | side
        for each in wanted
        if each.key in ids
        for side in sides(each.kind, each.amount, credit=each.credit)
    ]
    if entries:
        await session.execute(insert(session, LedgerEntry).values(entries))
    return set(ids)


def as_row(wanted: ToPost, now: datetime) -> dict[str, Any]:
    return {
        "order_id": wanted.order_id,
        "payment_id": wanted.payment_id,
        "kind": wanted.kind,
        "key": wanted.key,
        "created_at": now,
    }


def sides(kind: PostingKind, amount: Money, *, credit: LedgerAccount | None = None) -> list[dict[str, Any]]:
    """Both entries of a posting: debit and credit."""
    debit, usual_credit = SIDES[kind]
    return [
        {"account": debit, "currency": amount.currency, "amount": amount.minor},
        {"account": credit or usual_credit, "currency": amount.currency, "amount": -amount.minor},
    ]


async def sold(session: AsyncSession, order: Order) -> Money:
    """What still counts as sold on an order: invoiced and not credited since."""
    return order.money((await sold_of(session, [order.id])).get(order.id, 0))


async def sold_of(session: AsyncSession, order_ids: Sequence[int]) -> Mapping[int, int]:
    """The same for several orders, in minor units."""
    rows = await session.execute(
        select(LedgerEntry.order_id, func.sum(LedgerEntry.amount))
        .where(LedgerEntry.order_id.in_(order_ids), LedgerEntry.account == LedgerAccount.SALES)
        .group_by(LedgerEntry.order_id)
    )
    return {order_id: -int(balance) for order_id, balance in rows}


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
