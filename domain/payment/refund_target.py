"""Where refunds go: back the way they were paid, or into the store credit of the customer."""

from models import Payment, RefundTarget


def target_of(payment: Payment, requested: RefundTarget) -> RefundTarget:
    """Where a refund of a payment goes: what was paid with store credit is store credit again."""
    return RefundTarget.STORE_CREDIT if payment.method.paid_when_placed else requested
