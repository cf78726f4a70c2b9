"""Out of which account refunds were paid, by the ledger."""

from sqlalchemy import String, and_, case, cast, exists, literal

from models import LedgerAccount, LedgerEntry, Posting, Refund, RefundStatus
from models.sql.types import AnyExpression


def is_paid_out_of(account: LedgerAccount) -> AnyExpression:
    """Whether the refund of a row is paid, and out of an account; what came back before does not count."""
    key = literal("refunded:").concat(Refund.reference)
    paid_again = key.concat(":").concat(cast(Refund.returns, String))
    return and_(
        Refund.status == RefundStatus.SUCCEEDED,
        exists().where(
            Posting.key == case((Refund.returns > 0, paid_again), else_=key),
            LedgerEntry.posting_id == Posting.id,
            LedgerEntry.account == account,
        ),
    )
