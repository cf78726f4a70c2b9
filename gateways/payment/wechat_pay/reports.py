"""What WeChat Pay says of attempts and refunds, in the words of the Protocol."""

from gateways.payment.provider import ProviderError
from gateways.payment.wechat_pay.content import RefundContent, Transaction
from models import AttemptReport, AttemptStatus, RefundOutcome, RefundReport

STATUSES = {
    "NOTPAY": AttemptStatus.WAITING,
    "USERPAYING": AttemptStatus.WAITING,
    "ACCEPT": AttemptStatus.PROCESSING,
    "SUCCESS": AttemptStatus.CAPTURED,
    # It was paid, and some of it was given back: refunds are asked after one by one.
    "REFUND": AttemptStatus.CAPTURED,
    "PAYERROR": AttemptStatus.DECLINED,
    "CLOSED": AttemptStatus.CLOSED,
    "REVOKED": AttemptStatus.CLOSED,
}

OUTCOMES = {
    "PROCESSING": RefundOutcome.PENDING,
    "SUCCESS": RefundOutcome.SUCCEEDED,
    "CLOSED": RefundOutcome.FAILED,
    "ABNORMAL": RefundOutcome.ABNORMAL,
}

REASONS = {
    RefundOutcome.FAILED: "WeChat Pay has closed the refund.",
    RefundOutcome.ABNORMAL: "The customer's account takes no money.",
}


def report_transaction(transaction: Transaction) -> AttemptReport:
    """ProviderError for a status that WeChat Pay had not when this was written."""
    status = STATUSES.get(transaction.trade_state)
    if status is None:
        raise ProviderError(f"an unknown status {transaction.trade_state[:40]}")
    return AttemptReport(
        reference=transaction.out_trade_no,
        provider_reference=transaction.transaction_id,
        status=status,
        amount=transaction.amount.money if transaction.amount else None,
        captured_at=transaction.success_time if status is AttemptStatus.CAPTURED else None,
    )


def report_refund(refund: RefundContent) -> RefundReport:
    """ProviderError for a status that WeChat Pay had not when this was written."""
    outcome = OUTCOMES.get(refund.status)
    if outcome is None:
        raise ProviderError(f"an unknown status {refund.status[:40]}")
    return RefundReport(
        reference=refund.out_refund_no,
        provider_reference=refund.refund_id,
        outcome=outcome,
        amount=refund.amount.money,
        reason=REASONS.get(outcome),
        settled_at=refund.success_time,
    )
