"""Payments and refunds at their providers, which are called with no transaction open."""

from events.payment.cash import OVERDUE_CASH
from events.payment.closing import (
    ORDER_CANCELLED,
    change_stopping_payments,
    close_attempts,
    settle_cancelled_order,
)
from events.payment.notices import take_notice
from events.payment.queries import ADOPTED_PAYMENTS, TIME_OVER, UNSETTLED_PAYMENTS, query_attempt
from events.payment.refunds import (
    LATE_CREDIT_REFUNDS,
    REFUND_CALLS,
    REFUSED_REFUNDS,
    credit_refunds,
    look_after_refund,
)
from events.payment.retention import OLD_NOTIFICATIONS
from events.payment.sandbox import DELAYED_SANDBOX_CHARGES
from events.payment.start import PaymentStart, StartedPayment, begin_payment

__all__ = [
    "ADOPTED_PAYMENTS",
    "DELAYED_SANDBOX_CHARGES",
    "LATE_CREDIT_REFUNDS",
    "OLD_NOTIFICATIONS",
    "ORDER_CANCELLED",
    "OVERDUE_CASH",
    "REFUND_CALLS",
    "REFUSED_REFUNDS",
    "TIME_OVER",
    "UNSETTLED_PAYMENTS",
    "PaymentStart",
    "StartedPayment",
    "begin_payment",
    "change_stopping_payments",
    "close_attempts",
    "credit_refunds",
    "look_after_refund",
    "query_attempt",
    "settle_cancelled_order",
    "take_notice",
]
