"""Store credit and gift cards: movements against the ledger, payments, refunds and cards."""

from sqlalchemy import String, and_, case, cast, func, literal, select, union_all

from domain.audit.comparison import select_differences, select_rows, sum_by, total_of
from models import (
    CurrencyCode,
    GiftCard,
    GiftCardStatus,
    LedgerAccount,
    LedgerEntry,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundStatus,
    RefundTarget,
    StoreCreditMovement,
)
from models.sql.types import AnySelect


def find_wrong_credit_postings() -> AnySelect:
    """Currencies in which the ledger owes customers another amount than the movements say."""
    moved = sum_by(StoreCreditMovement.currency, StoreCreditMovement.amount)
    owed = sum_by(
        LedgerEntry.currency, -LedgerEntry.amount, LedgerEntry.account == LedgerAccount.STORE_CREDIT
    )
    currencies = union_all(
        *(select(literal(each.value, String).label("currency")) for each in CurrencyCode)
    ).subquery()
    return (
        select_differences(currencies.c.currency, expected=total_of(owed), found=total_of(moved))
        .outerjoin(owed, cast(owed.c.currency, String) == currencies.c.currency)
        .outerjoin(moved, cast(moved.c.currency, String) == currencies.c.currency)
    )


def find_wrong_credit_movements() -> AnySelect:
    """Payments with store credit and refunds into it of which another amount was moved."""
    moved = StoreCreditMovement
    captured = case((Payment.status == PaymentStatus.CAPTURED, Payment.captured_amount), else_=0)
    paid = select_rows(Payment.reference, expected=captured, found=func.coalesce(-moved.amount, 0)).outerjoin(
        moved, moved.payment_id == Payment.id
    )
    settled = and_(Refund.status == RefundStatus.SUCCEEDED, Refund.target == RefundTarget.STORE_CREDIT)
    credited = case((settled, Refund.amount), else_=0)
    refunded = select_rows(
        Refund.reference, expected=credited, found=func.coalesce(moved.amount, 0)
    ).outerjoin(moved, moved.refund_id == Refund.id)
    wrong_payments = paid.where(
        Payment.method == PaymentMethod.STORE_CREDIT, captured != func.coalesce(-moved.amount, 0)
    )
    wrong_refunds = refunded.where(credited != func.coalesce(moved.amount, 0))
    rows = union_all(wrong_payments, wrong_refunds).subquery()
    return select(rows)


def find_overdrawn_credit() -> AnySelect:
    """Store credits of which more was spent than came in."""
    balances = sum_by(StoreCreditMovement.store_credit_id, StoreCreditMovement.amount)
    row = cast(balances.c.store_credit_id, String)
    return select_rows(row, expected=literal(0), found=balances.c.total).where(balances.c.total < 0)


def find_wrong_gift_cards() -> AnySelect:
    """Currencies in which the ledger has another amount of open gift cards than there are."""
    issued = sum_by(GiftCard.currency, GiftCard.amount, GiftCard.status == GiftCardStatus.ISSUED)
    owed = sum_by(LedgerEntry.currency, -LedgerEntry.amount, LedgerEntry.account == LedgerAccount.GIFT_CARDS)
    currencies = union_all(
        *(select(literal(each.value, String).label("currency")) for each in CurrencyCode)
    ).subquery()
    return (
        select_differences(currencies.c.currency, expected=total_of(owed), found=total_of(issued))
        .outerjoin(owed, cast(owed.c.currency, String) == currencies.c.currency)
        .outerjoin(issued, cast(issued.c.currency, String) == currencies.c.currency)
    )
