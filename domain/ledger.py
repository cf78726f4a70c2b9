"""The double-entry ledger: balanced postings with unique keys, and what follows from their sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    LedgerAccount,
    LedgerEntry,
    Money,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderPaymentStatus,
    Payment,
    Posting,
    PostingKind,
    TicketDifference,
)
from models.sql.upsert import upsert_into

ACCOUNTS_BY_KIND: Mapping[PostingKind, tuple[LedgerAccount, LedgerAccount]] = {
    PostingKind.INVOICED: (LedgerAccount.CUSTOMER, LedgerAccount.SALES),
    PostingKind.CAPTURED: (LedgerAccount.PROVIDER, LedgerAccount.CUSTOMER),
    PostingKind.CASH_COLLECTED: (LedgerAccount.CASH, LedgerAccount.CUSTOMER),
    PostingKind.CREDITED: (LedgerAccount.SALES, LedgerAccount.CUSTOMER),
    PostingKind.REFUNDED: (LedgerAccount.CUSTOMER, LedgerAccount.PROVIDER),
    PostingKind.REFUND_RETURNED: (LedgerAccount.PROVIDER, LedgerAccount.CUSTOMER),
    PostingKind.WRITTEN_OFF: (LedgerAccount.WRITE_OFF, LedgerAccount.CUSTOMER),
    PostingKind.CREDIT_SPENT: (LedgerAccount.STORE_CREDIT, LedgerAccount.CUSTOMER),
    PostingKind.CREDIT_FORFEITED: (LedgerAccount.STORE_CREDIT, LedgerAccount.FORFEITED),
    PostingKind.BONUS_GRANTED: (LedgerAccount.BONUSES, LedgerAccount.STORE_CREDIT),
    PostingKind.BONUS_REVOKED: (LedgerAccount.STORE_CREDIT, LedgerAccount.BONUSES),
    PostingKind.GIFT_CARD_ISSUED: (LedgerAccount.GIFTS, LedgerAccount.GIFT_CARDS),
    PostingKind.GIFT_CARD_REDEEMED: (LedgerAccount.GIFT_CARDS, LedgerAccount.STORE_CREDIT),
    PostingKind.GIFT_CARD_VOIDED: (LedgerAccount.GIFT_CARDS, LedgerAccount.GIFTS),
    PostingKind.GIFT_CARD_EXPIRED: (LedgerAccount.GIFT_CARDS, LedgerAccount.FORFEITED),
    PostingKind.CASH_HANDED_IN: (LedgerAccount.TILL, LedgerAccount.CASH),
    PostingKind.CASH_SHORT: (LedgerAccount.CASH_DIFFERENCES, LedgerAccount.CASH),
    PostingKind.CASH_OVER: (LedgerAccount.CASH, LedgerAccount.CASH_DIFFERENCES),
    PostingKind.CASH_GIVEN_BACK: (LedgerAccount.CASH, LedgerAccount.TILL),
    PostingKind.FEE_CHARGED: (LedgerAccount.FEES, LedgerAccount.PROVIDER),
    PostingKind.FEE_RETURNED: (LedgerAccount.PROVIDER, LedgerAccount.FEES),
    PostingKind.DISPUTE_OPENED: (LedgerAccount.DISPUTED, LedgerAccount.PROVIDER),
    PostingKind.DISPUTE_WON: (LedgerAccount.PROVIDER, LedgerAccount.DISPUTED),
    PostingKind.DISPUTE_LOST: (LedgerAccount.WRITE_OFF, LedgerAccount.DISPUTED),
}
"""The account that is debited and the one that is credited, by kind of posting."""

CAPTURE_KINDS = (PostingKind.CAPTURED, PostingKind.CASH_COLLECTED, PostingKind.CREDIT_SPENT)
REFUND_KINDS = (PostingKind.REFUNDED, PostingKind.REFUND_RETURNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPosting:
    """A balanced posting to be written, unless its key was posted before."""

    order_id: int | None
    """None for what concerns no order, such as a gift card."""
    payment_id: int | None
    kind: PostingKind
    amount: Money
    key: str
    credit: LedgerAccount | None = None
    """Another account to credit than the usual one: a refund by transfer leaves the BANK."""
    debit: LedgerAccount | None = None
    """Another account to debit than the usual one: a lost dispute pays a CUSTOMER what the shop owes them."""

    @property
    def accounts(self) -> tuple[LedgerAccount, LedgerAccount]:
        """The account that is debited and the one that is credited."""
        debit, credit = ACCOUNTS_BY_KIND[self.kind]
        return self.debit or debit, self.credit or credit


async def write_posting(
    session: AsyncSession,
    *,
    order_id: int | None,
    payment_id: int | None,
    kind: PostingKind,
    amount: Money,
    key: str,
    now: datetime,
    credit: LedgerAccount | None = None,
) -> bool:
    """Write one balanced posting; False, and nothing written, when `key` was posted before."""
    posting = NewPosting(
        order_id=order_id,
        payment_id=payment_id,
        kind=kind,
        amount=amount,
        key=key,
        credit=credit,
    )
    return bool(await write_postings(session, [posting], now=now))


async def write_postings(session: AsyncSession, postings: Sequence[NewPosting], *, now: datetime) -> set[str]:
    """Write balanced postings in two statements; returns the keys that were not posted before.

    ValueError for an amount that is not positive.
    """
    for each in postings:
        if each.amount.minor <= 0:
            raise ValueError(f"{each.kind} of {each.amount}: a posting moves money, its kind says which way")
    if not postings:
        return set()
    rows = await session.execute(
        upsert_into(session, Posting)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Posting.key, Posting.id),
        [posting_values(each, now) for each in postings],
    )
    ids = dict(iter(rows))
    entries = [
        {"posting_id": ids[each.key], "order_id": each.order_id} | side
        for each in postings
        if each.key in ids
        for side in ledger_entries(each.kind, each.amount, credit=each.credit, debit=each.debit)
    ]
    if entries:
        await session.execute(insert(LedgerEntry), entries)
    return set(ids)


def posting_values(posting: NewPosting, now: datetime) -> dict[str, object]:
    """The columns of a Posting."""
    return {
        "order_id": posting.order_id,
        "payment_id": posting.payment_id,
        "kind": posting.kind,
        "key": posting.key,
        "created_at": now,
    }


def ledger_entries(
    kind: PostingKind,
    amount: Money,
    *,
    credit: LedgerAccount | None = None,
    debit: LedgerAccount | None = None,
) -> list[dict[str, object]]:
    """The columns of both entries of a posting, debit and credit, in minor units."""
    usual_debit, usual_credit = ACCOUNTS_BY_KIND[kind]
    return [
        {"account": debit or usual_debit, "currency": amount.currency, "amount": amount.minor},
        {"account": credit or usual_credit, "currency": amount.currency, "amount": -amount.minor},
    ]


async def net_sales(session: AsyncSession, order: Order) -> Money:
    """What was invoiced for an order and not credited since."""
    return order.money((await net_sales_by_order(session, [order.id])).get(order.id, 0))


async def net_sales_by_order(session: AsyncSession, order_ids: Sequence[int]) -> Mapping[int, int]:
    """Minor units invoiced and not credited since, by order id; orders without sales are left out."""
    rows = await session.execute(
        select(LedgerEntry.order_id, func.sum(LedgerEntry.amount))
        .where(LedgerEntry.order_id.in_(order_ids), LedgerEntry.account == LedgerAccount.SALES)
        .group_by(LedgerEntry.order_id)
    )
    return {order_id: -int(balance) for order_id, balance in rows if order_id is not None}


async def captured_and_refunded(session: AsyncSession, order_id: int) -> tuple[int, int]:
    """Minor units ever captured for an order, and minor units refunded of them."""
    rows = await session.execute(
        select(Posting.kind, func.sum(LedgerEntry.amount))
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(LedgerEntry.order_id == order_id, LedgerEntry.account == LedgerAccount.CUSTOMER)
        .group_by(Posting.kind)
    )
    by_kind = {kind: int(total) for kind, total in rows}
    captured = -sum(by_kind.get(kind, 0) for kind in CAPTURE_KINDS)
    return captured, sum(by_kind.get(kind, 0) for kind in REFUND_KINDS)


def payment_status_for(*, total: int, cancelled: int, captured: int, refunded: int) -> OrderPaymentStatus:
    """The payment status of an order that costs `total`, from sums of the ledger; all minor units.

    One that never cost anything is paid, one of which all was cancelled before it was paid is not.
    """
    if refunded:
        return OrderPaymentStatus.REFUNDED if refunded >= captured else OrderPaymentStatus.PARTIALLY_REFUNDED
    if captured >= total and (captured or not cancelled):
        return OrderPaymentStatus.PAID
    return OrderPaymentStatus.PARTIALLY_PAID if captured else OrderPaymentStatus.UNPAID


def payment_status_expression(
    *,
    total: SQLColumnExpression[int],
    cancelled: SQLColumnExpression[int],
    captured: ColumnElement[int],
    refunded: ColumnElement[int],
) -> ColumnElement[OrderPaymentStatus]:
    """`payment_status_for` as an expression in SQL."""
    status_type = Order.payment_status.type
    return case(
        (and_(refunded != 0, refunded >= captured), literal(OrderPaymentStatus.REFUNDED, status_type)),
        (refunded != 0, literal(OrderPaymentStatus.PARTIALLY_REFUNDED, status_type)),
        (
            and_(captured >= total, or_(captured != 0, cancelled == 0)),
            literal(OrderPaymentStatus.PAID, status_type),
        ),
        (captured != 0, literal(OrderPaymentStatus.PARTIALLY_PAID, status_type)),
        else_=literal(OrderPaymentStatus.UNPAID, status_type),
    )


async def refresh_payment_status(session: AsyncSession, order: Order) -> None:
    """Set the payment status of an order to what the ledger says."""
    captured, refunded = await captured_and_refunded(session, order.id)
    order.payment_status = payment_status_for(
        total=order.total_amount - await sum_waiting_payments(session, order),
        cancelled=order.cancelled_amount,
        captured=captured,
        refunded=refunded,
    )


async def sum_waiting_payments(session: AsyncSession, order: Order) -> int:
    """Minor units of an order's payments for what waits for them: until then it is as it was."""
    if not order.extra_amount:
        return 0
    statement = select_waiting_payments().where(Payment.order_id == order.id).subquery()
    return int(await session.scalar(select(statement.c.total)) or 0)


def select_waiting_payments() -> Select[int, int]:
    """Minor units of the payments that edits and replacements wait for, by order."""
    return (
        select(Payment.order_id, func.sum(Payment.amount).label("total"))
        .where(is_waited_for())
        .group_by(Payment.order_id)
    )


def is_waited_for() -> ColumnElement[bool]:
    """Whether an edit, or the replacement of a ticket, waits for a payment: it is made for nothing else."""
    by_edit = select(OrderEdit.id).where(
        OrderEdit.payment_id == Payment.id, OrderEdit.status == OrderEditStatus.AWAITING_PAYMENT
    )
    by_ticket = select(TicketDifference.id).where(
        TicketDifference.payment_id == Payment.id, TicketDifference.paid_at.is_(None)
    )
    return or_(by_edit.exists(), by_ticket.exists())
