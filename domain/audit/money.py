"""The ledger against payments, refunds and orders."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, literal, or_, select

from domain.audit.comparing import differing, summed, total_of, wrong_rows
from domain.audit.orders import summing
from domain.ledger import TAKEN, status_that_follows
from models import (
    LedgerAccount,
    LedgerEntry,
    Order,
    OrderStatus,
    Payment,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
)

OF_CUSTOMER = LedgerEntry.account == LedgerAccount.CUSTOMER


def unbalanced() -> Select[Any]:
    """Debit and credit of a posting are the same, in one currency."""
    total = func.sum(LedgerEntry.amount)
    entries = (
        select(LedgerEntry.posting_id, total.label("total"), func.min(LedgerEntry.currency).label("currency"))
        .group_by(LedgerEntry.posting_id)
        .having(func.min(LedgerEntry.currency) == func.max(LedgerEntry.currency))
        .subquery()
    )
    return (
        wrong_rows(Posting.key, expected=literal(0), found=entries.c.total)
        .outerjoin(entries, entries.c.posting_id == Posting.id)
        .where(or_(entries.c.total.is_(None), entries.c.total != 0))
    )


def wrongly_captured() -> Select[Any]:
    """What a payment says it has taken is what was posted for it."""
    taken = posted(TAKEN)
    return differing(Payment.reference, expected=-total_of(taken), found=Payment.captured_amount).outerjoin(
        taken, taken.c.payment_id == Payment.id
    )


def wrongly_promised() -> Select[Any]:
    """What a payment says goes back is the sum of its refunds."""
    refunds = summed(Refund.payment_id, Refund.amount)
    return differing(Payment.reference, expected=total_of(refunds), found=Payment.refunded_amount).outerjoin(
        refunds, refunds.c.payment_id == Payment.id
    )


def wrongly_refunded() -> Select[Any]:
    """What went back over a payment is what was posted for it."""
    refunds = summed(Refund.payment_id, Refund.amount, Refund.status == RefundStatus.SUCCEEDED)
    returned = posted((PostingKind.REFUNDED,))
    return (
        differing(Payment.reference, expected=total_of(returned), found=total_of(refunds))
        .outerjoin(refunds, refunds.c.payment_id == Payment.id)
        .outerjoin(returned, returned.c.payment_id == Payment.id)
    )


def posted(kinds: tuple[PostingKind, ...]) -> Subquery:
    """What postings of some kinds did to the customer's side, by payment."""
    return (
        select(Posting.payment_id, func.sum(LedgerEntry.amount).label("total"))
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(Posting.kind.in_(kinds), OF_CUSTOMER)
        .group_by(Posting.payment_id)
        .subquery()
    )


def wrong_invoice() -> Select[Any]:
    """An order's total was invoiced, and what was cancelled before it was paid."""
    invoiced = by_order(func.sum(LedgerEntry.amount).label("total"), kind=PostingKind.INVOICED)
    return summing(Order.total_amount + Order.cancelled_amount, invoiced)


def wrong_sales() -> Select[Any]:
    """What still counts as sold is the total less what goes back; of a cancelled order, nothing."""
    refunds = summed(Refund.order_id, Refund.amount)
    sales = summed(LedgerEntry.order_id, -LedgerEntry.amount, LedgerEntry.account == LedgerAccount.SALES)
    kept = case((Order.status == OrderStatus.CANCELLED, 0), else_=Order.total_amount - total_of(refunds))
    return (
        differing(Order.number, expected=kept, found=total_of(sales))
        .outerjoin(refunds, refunds.c.order_id == Order.id)
        .outerjoin(sales, sales.c.order_id == Order.id)
    )


def wrong_status() -> Select[Any]:
    """An order's payment status is what its books say."""
    taken = func.sum(case((Posting.kind.in_(TAKEN), -LedgerEntry.amount), else_=0))
    back = func.sum(case((Posting.kind == PostingKind.REFUNDED, LedgerEntry.amount), else_=0))
    entries = by_order(taken.label("total"), back.label("returned"))
    follows = status_that_follows(
        total=Order.total_amount,
        taken=total_of(entries),
        returned=func.coalesce(entries.c.returned, 0),
    )
    return differing(Order.number, expected=follows, found=Order.payment_status).outerjoin(
        entries, entries.c.order_id == Order.id
    )


def by_order(*sums: ColumnElement[Any], kind: PostingKind | None = None) -> Subquery:
    """Sums over the customer's side of the ledger, of all postings or of one kind."""
    entries = (
        select(LedgerEntry.order_id, *sums)
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(OF_CUSTOMER)
        .group_by(LedgerEntry.order_id)
    )
    return (entries if kind is None else entries.where(Posting.kind == kind)).subquery()
