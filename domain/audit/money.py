"""The ledger against payments, refunds and orders."""

from sqlalchemy import Subquery, and_, case, func, literal, or_, select

from domain.aftersales.states import REFUND_TYPES
from domain.audit.comparison import select_differences, select_rows, sum_by, total_of
from domain.audit.orders import select_wrong_sums
from domain.ledger import CAPTURE_KINDS, REFUND_KINDS, payment_status_expression, select_waiting_payments
from models import (
    OFFLINE_METHODS,
    AttemptStatus,
    LedgerAccount,
    LedgerEntry,
    Order,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
    RefundTarget,
    Ticket,
    TicketStatus,
)
from models.sql.types import AnyExpression, AnySelect

NOT_DECLINED = Refund.status != RefundStatus.DECLINED
NOT_CREDITED = (RefundStatus.WAITING, RefundStatus.DECLINED)
"""What only waits for a second person, or was declined, has not reduced the sales."""
OF_CUSTOMER = LedgerEntry.account == LedgerAccount.CUSTOMER


def find_unbalanced_postings() -> AnySelect:
    """Postings whose debit and credit differ or have several currencies."""
    total = func.sum(LedgerEntry.amount)
    entries = (
        select(LedgerEntry.posting_id, total.label("total"), func.min(LedgerEntry.currency).label("currency"))
        .group_by(LedgerEntry.posting_id)
        .having(func.min(LedgerEntry.currency) == func.max(LedgerEntry.currency))
        .subquery()
    )
    return (
        select_rows(Posting.key, expected=literal(0), found=entries.c.total)
        .outerjoin(entries, entries.c.posting_id == Posting.id)
        .where(or_(entries.c.total.is_(None), entries.c.total != 0))
    )


def find_wrong_captures() -> AnySelect:
    """Payments whose captured amount is not what was posted for them."""
    taken = sum_postings(CAPTURE_KINDS)
    return select_differences(
        Payment.reference, expected=-total_of(taken), found=Payment.captured_amount
    ).outerjoin(taken, taken.c.payment_id == Payment.id)


def find_unknown_money() -> AnySelect:
    """Attempts that have brought money, or whose providers say so, and payments that do not know of it."""
    known = sum_by(Payment.attempt_reference, Payment.captured_amount, Payment.attempt_reference.is_not(None))
    brought = or_(
        PaymentAttempt.status == PaymentAttemptStatus.CAPTURED,
        PaymentAttempt.reported == AttemptStatus.CAPTURED.value,
    )
    return select_differences(
        PaymentAttempt.reference,
        expected=case((brought, PaymentAttempt.amount), else_=0),
        found=total_of(known),
    ).outerjoin(known, known.c.attempt_reference == PaymentAttempt.reference)


def find_wrong_refund_requests() -> AnySelect:
    """Payments whose refunded amount is not the sum of their refunds."""
    refunds = sum_by(Refund.payment_id, Refund.amount, NOT_DECLINED)
    return select_differences(
        Payment.reference, expected=total_of(refunds), found=Payment.refunded_amount
    ).outerjoin(refunds, refunds.c.payment_id == Payment.id)


def find_wrong_refunds() -> AnySelect:
    """Payments whose succeeded refunds are not what was posted for them."""
    refunds = sum_by(Refund.payment_id, Refund.amount, Refund.status == RefundStatus.SUCCEEDED)
    returned = sum_postings(REFUND_KINDS)
    return (
        select_differences(Payment.reference, expected=total_of(returned), found=total_of(refunds))
        .outerjoin(refunds, refunds.c.payment_id == Payment.id)
        .outerjoin(returned, returned.c.payment_id == Payment.id)
    )


def find_wrong_ticket_refunds() -> AnySelect:
    """Tickets that have brought back another amount than was refunded for them."""
    refunds = sum_by(Refund.ticket_id, Refund.amount, Refund.ticket_id.is_not(None))
    settled = and_(Ticket.status == TicketStatus.COMPLETED, Ticket.type.in_(REFUND_TYPES))
    return (
        select_differences(Ticket.number, expected=total_of(refunds), found=Ticket.refund_amount)
        .outerjoin(refunds, refunds.c.ticket_id == Ticket.id)
        .where(or_(settled, refunds.c.total.is_not(None)))
    )


def find_forgotten_refunds() -> AnySelect:
    """Refunds on their way at a provider that nobody will ask about, send again or transfer."""
    unattended = and_(Refund.query_at.is_(None), Payment.method.not_in(OFFLINE_METHODS))
    return (
        select_rows(Refund.reference, expected=literal("a time to ask"), found=Refund.status)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == RefundStatus.PENDING, unattended)
    )


def find_stuck_refunds() -> AnySelect:
    """Refunds into store credit that the shop itself, who pays them, has left unpaid."""
    return select_rows(Refund.reference, expected=literal(RefundStatus.PENDING), found=Refund.status).where(
        Refund.target == RefundTarget.STORE_CREDIT,
        Refund.status.in_((RefundStatus.FAILED, RefundStatus.ABNORMAL)),
    )


def sum_postings(kinds: tuple[PostingKind, ...]) -> Subquery:
    """Sums of the customer's side of postings of some kinds, by payment."""
    return (
        select(Posting.payment_id, func.sum(LedgerEntry.amount).label("total"))
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(Posting.kind.in_(kinds), OF_CUSTOMER)
        .group_by(Posting.payment_id)
        .subquery()
    )


def find_wrong_invoices() -> AnySelect:
    """Orders whose invoiced amount is not their total and what came off it: cancelled, or made cheaper."""
    invoiced = sum_by_order(func.sum(LedgerEntry.amount).label("total"), kind=PostingKind.INVOICED)
    return select_wrong_sums(Order.total_amount + Order.cancelled_amount + Order.credited_amount, invoiced)


def find_wrong_sales() -> AnySelect:
    """Orders whose sales are not their total less their refunds, or not zero when cancelled."""
    refunds = sum_by(Refund.order_id, Refund.amount, Refund.status.not_in(NOT_CREDITED))
    sales = sum_by(LedgerEntry.order_id, -LedgerEntry.amount, LedgerEntry.account == LedgerAccount.SALES)
    kept = case((Order.status == OrderStatus.CANCELLED, 0), else_=Order.total_amount - total_of(refunds))
    return (
        select_differences(Order.number, expected=kept, found=total_of(sales))
        .outerjoin(refunds, refunds.c.order_id == Order.id)
        .outerjoin(sales, sales.c.order_id == Order.id)
    )


def find_wrong_payment_statuses() -> AnySelect:
    """Orders whose payment status does not follow from the ledger."""
    taken = func.sum(case((Posting.kind.in_(CAPTURE_KINDS), -LedgerEntry.amount), else_=0))
    back = func.sum(case((Posting.kind.in_(REFUND_KINDS), LedgerEntry.amount), else_=0))
    entries = sum_by_order(taken.label("total"), back.label("returned"))
    waiting = select_waiting_payments().subquery()
    follows = payment_status_expression(
        total=Order.total_amount - total_of(waiting),
        cancelled=Order.cancelled_amount,
        captured=total_of(entries),
        refunded=func.coalesce(entries.c.returned, 0),
    )
    return (
        select_differences(Order.number, expected=follows, found=Order.payment_status)
        .outerjoin(entries, entries.c.order_id == Order.id)
        .outerjoin(waiting, waiting.c.order_id == Order.id)
    )


def sum_by_order(*sums: AnyExpression, kind: PostingKind | None = None) -> Subquery:
    """Sums over the customer's side of the ledger by order, of all postings or of one kind."""
    entries = (
        select(LedgerEntry.order_id, *sums)
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(OF_CUSTOMER)
        .group_by(LedgerEntry.order_id)
    )
    return (entries if kind is None else entries.where(Posting.kind == kind)).subquery()
