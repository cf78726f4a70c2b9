"""Commands on payments and refunds, each under the lock of its order."""

from domain.payment.cash import collect_cash
from domain.payment.further import add_payments
from domain.payment.lifecycle import (
    capture_payment,
    close_payments,
    fail_payment,
    find_payment_deadline,
    lock_payment,
    start_payment,
)
from domain.payment.provider_reports import (
    PaymentMismatch,
    PaymentOutcome,
    register_notification,
    settle_payment,
)
from domain.payment.refund import (
    confirm_refund,
    fail_refund,
    find_captured_payments,
    refund_everything,
    refund_in_goodwill,
    refund_payment,
    refundable_amount,
    request_refund,
    retry_refund,
    settle_refund,
)
from domain.payment.states import REFUND_TRANSITIONS, TRANSITIONS
from domain.payment.write_off import write_off_cash

__all__ = [
    "REFUND_TRANSITIONS",
    "TRANSITIONS",
    "PaymentMismatch",
    "PaymentOutcome",
    "add_payments",
    "capture_payment",
    "close_payments",
    "collect_cash",
    "confirm_refund",
    "fail_payment",
    "fail_refund",
    "find_captured_payments",
    "find_payment_deadline",
    "lock_payment",
    "refund_everything",
    "refund_in_goodwill",
    "refund_payment",
    "refundable_amount",
    "register_notification",
    "request_refund",
    "retry_refund",
    "settle_payment",
    "settle_refund",
    "start_payment",
    "write_off_cash",
]
