"""Payments and refunds at their providers, which are called with no transaction open."""

from events.payment.closing import ORDER_CANCELLED, close_payments_at_providers, settle_cancelled_order
from events.payment.notices import take_notice
from events.payment.queries import ADOPTED_PAYMENTS, UNSETTLED_PAYMENTS, query_attempt
from events.payment.refunds import (
    REFUSED_REFUNDS,
    STALLED_REFUNDS,
    look_after_refund,
    send_refunds,
)
from events.payment.sandbox import DELAYED_SANDBOX_CHARGES
from events.payment.start import PaymentStart, StartedPayment, begin_payment

__all__ = [
    "ADOPTED_PAYMENTS",
    "DELAYED_SANDBOX_CHARGES",
    "ORDER_CANCELLED",
    "REFUSED_REFUNDS",
    "STALLED_REFUNDS",
    "UNSETTLED_PAYMENTS",
    "PaymentStart",
    "StartedPayment",
    "begin_payment",
    "close_payments_at_providers",
    "look_after_refund",
    "query_attempt",
    "send_refunds",
    "settle_cancelled_order",
    "take_notice",
]
