"""Commands on payments and refunds, each under the lock of its order."""

from domain.payment.approval_limit import unapproved_amount
from domain.payment.attempts import (
    AttemptUnderWay,
    close_attempt,
    end_attempt,
    fail_attempt,
    save_action,
    start_payment,
)
from domain.payment.cash import collect_cash
from domain.payment.cash_hand_in import accept_difference, correct_hand_in, hand_in_cash, mark_cash_overdue
from domain.payment.cash_in_hand import select_overdue_cash
from domain.payment.credit_refund import pay_credit_refund
from domain.payment.dispute import DISPUTE_TRANSITIONS, record_dispute
from domain.payment.fees import ProviderFee, fee_key, post_fees
from domain.payment.further import add_payments, replace_payment
from domain.payment.goodwill import refund_in_goodwill
from domain.payment.lifecycle import (
    capture_payment,
    close_payments,
    find_payment_deadline,
    find_payment_method,
    lock_payment,
)
from domain.payment.provider_reports import (
    PaymentMismatch,
    delete_notifications,
    register_notification,
    register_sending,
    select_old_notifications,
    settle_attempt,
)
from domain.payment.refund import (
    fail_refund,
    find_captured_payments,
    refund_cancelled_order,
    refund_everything,
    refund_payment,
    refundable_amount,
    request_refund,
    retry_refund,
    settle_refund,
)
from domain.payment.refund_approval import approve_refund, decline_refund
from domain.payment.refund_reports import report_refund
from domain.payment.staff_refund import confirm_refund, redirect_refund
from domain.payment.states import ATTEMPT_TRANSITIONS, REFUND_TRANSITIONS, TRANSITIONS
from domain.payment.write_off import write_off_cash

__all__ = [
    "ATTEMPT_TRANSITIONS",
    "DISPUTE_TRANSITIONS",
    "REFUND_TRANSITIONS",
    "TRANSITIONS",
    "AttemptUnderWay",
    "PaymentMismatch",
    "ProviderFee",
    "accept_difference",
    "add_payments",
    "approve_refund",
    "capture_payment",
    "close_attempt",
    "close_payments",
    "collect_cash",
    "confirm_refund",
    "correct_hand_in",
    "decline_refund",
    "delete_notifications",
    "end_attempt",
    "fail_attempt",
    "fail_refund",
    "fee_key",
    "find_captured_payments",
    "find_payment_deadline",
    "find_payment_method",
    "hand_in_cash",
    "lock_payment",
    "mark_cash_overdue",
    "pay_credit_refund",
    "post_fees",
    "record_dispute",
    "redirect_refund",
    "refund_cancelled_order",
    "refund_everything",
    "refund_in_goodwill",
    "refund_payment",
    "refundable_amount",
    "register_notification",
    "register_sending",
    "replace_payment",
    "report_refund",
    "request_refund",
    "retry_refund",
    "save_action",
    "select_old_notifications",
    "select_overdue_cash",
    "settle_attempt",
    "settle_refund",
    "start_payment",
    "unapproved_amount",
    "write_off_cash",
]
