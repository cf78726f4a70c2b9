"""Where refunds go: back the way they were paid, or into store credit; and by when they are there."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from models import Payment, PaymentMethod, Refund, RefundStatus, RefundTarget

EXPECTED_WITHIN: Mapping[PaymentMethod, timedelta] = {
    PaymentMethod.ALIPAY: timedelta(days=5),
    PaymentMethod.WECHAT_PAY: timedelta(days=5),
    PaymentMethod.CARD: timedelta(days=14),
    PaymentMethod.CASH_ON_DELIVERY: timedelta(days=7),
    PaymentMethod.STORE_CREDIT: timedelta(0),
    PaymentMethod.SANDBOX: timedelta(days=1),
}
"""How long it takes at most until the customer has the money: balances have it at once, banks take working
days, and what was paid in cash is transferred by the staff, who have seven days by law."""

EXPECTED_AT_MOST = timedelta(days=14)
"""For a provider that is not named above."""

EXPECTED_STATUSES = frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED})


def target_of(payment: Payment, requested: RefundTarget) -> RefundTarget:
    """Where a refund of a payment goes: what was paid with store credit is store credit again."""
    return RefundTarget.STORE_CREDIT if payment.method.paid_when_placed else requested


def expected_by(refund: Refund, method: PaymentMethod) -> datetime | None:
    """By when the customer has the money of a refund; None while it waits for a person."""
    if refund.status not in EXPECTED_STATUSES and refund.retry_at is None:
        return None
    way = PaymentMethod.STORE_CREDIT if refund.target is RefundTarget.STORE_CREDIT else method
    return (refund.retry_at or refund.decided_at or refund.created_at) + EXPECTED_WITHIN.get(
        way, EXPECTED_AT_MOST
    )
