"""The ledger against what payment providers keep, and take back."""

from sqlalchemy import String, Subquery, cast, func, literal, select

from domain.audit.comparison import select_differences, sum_by, total_of
from models import Dispute, DisputeStatus, LedgerAccount, LedgerEntry, Payment, Posting, PostingKind
from models.sql.types import AnySelect


def find_wrong_fees() -> AnySelect:
    """Payments whose fees are not what was posted for them."""
    posted = sum_account(LedgerAccount.FEES)
    return select_differences(
        Payment.reference, expected=total_of(posted), found=Payment.fee_amount
    ).outerjoin(posted, posted.c.payment_id == Payment.id)


def find_wrong_disputed_amounts() -> AnySelect:
    """Payments whose disputed amount is not that of their disputes that are open or lost."""
    disputes = sum_by(Dispute.payment_id, Dispute.amount, Dispute.status != DisputeStatus.WON)
    return select_differences(
        Payment.reference, expected=total_of(disputes), found=Payment.disputed_amount
    ).outerjoin(disputes, disputes.c.payment_id == Payment.id)


def find_wrong_open_disputes() -> AnySelect:
    """Payments of which the ledger has another amount in dispute than their open disputes."""
    disputes = sum_by(Dispute.payment_id, Dispute.amount, Dispute.status == DisputeStatus.OPEN)
    posted = sum_account(LedgerAccount.DISPUTED)
    return (
        select_differences(Payment.reference, expected=total_of(disputes), found=total_of(posted))
        .outerjoin(disputes, disputes.c.payment_id == Payment.id)
        .outerjoin(posted, posted.c.payment_id == Payment.id)
    )


def find_wrong_disputes() -> AnySelect:
    """Payments of which another amount was posted as disputed than that of all their disputes."""
    disputes = sum_by(Dispute.payment_id, Dispute.amount)
    posted = sum_account(LedgerAccount.DISPUTED, kind=PostingKind.DISPUTE_OPENED)
    return (
        select_differences(Payment.reference, expected=total_of(disputes), found=total_of(posted))
        .outerjoin(disputes, disputes.c.payment_id == Payment.id)
        .outerjoin(posted, posted.c.payment_id == Payment.id)
    )


def sum_account(account: LedgerAccount, *, kind: PostingKind | None = None) -> Subquery:
    """Sums of the entries in an account by payment, of all postings or of one kind."""
    entries = (
        select(Posting.payment_id, func.sum(LedgerEntry.amount).label("total"))
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(LedgerEntry.account == account)
        .group_by(Posting.payment_id)
    )
    return (entries if kind is None else entries.where(Posting.kind == kind)).subquery()


def find_wrong_dispute_fees() -> AnySelect:
    """Disputes whose fee is not what was posted for them."""
    key = literal("fee:dispute:").concat(cast(Dispute.method, String)).concat(":").concat(Dispute.reference)
    posted = (
        select(Posting.key, func.sum(LedgerEntry.amount).label("total"))
        .join(LedgerEntry, LedgerEntry.posting_id == Posting.id)
        .where(LedgerEntry.account == LedgerAccount.FEES)
        .group_by(Posting.key)
        .subquery()
    )
    return select_differences(
        Dispute.reference, expected=total_of(posted), found=Dispute.fee_amount
    ).outerjoin(posted, posted.c.key == key)
