"""Payments and refunds: started, taken, given back."""

from domain.payment.incoming import (
    capture_payment,
    close_payments,
    collect_cash,
    fail_payment,
    lock_payment,
    start_payment,
)
from domain.payment.refund import (
    captured_legs,
    confirm_refund,
    fail_refund,
    refund_everything,
    refund_in_goodwill,
    refundable,
    request_refund,
    retry_refund,
    settle_refund,
)
from domain.payment.reports import NotOurs, Outcome, first_notice, settle_payment
from domain.payment.states import REFUND_TRANSITIONS, TRANSITIONS

__all__ = [
    "REFUND_TRANSITIONS",
    "TRANSITIONS",
    "NotOurs",
    "Outcome",
    "capture_payment",
    "captured_legs",
    "close_payments",
    "collect_cash",
    "confirm_refund",
    "fail_payment",
    "fail_refund",
    "first_notice",
    "lock_payment",
    "refund_everything",
    "refund_in_goodwill",
    "refundable",
    "request_refund",
    "retry_refund",
    "settle_payment",
    "settle_refund",
    "start_payment",
]
