"""What may become of a payment and of a refund."""

from domain.state import table
from models import PaymentStatus, RefundStatus

TRANSITIONS = table(
    PaymentStatus.PENDING,
    {
        PaymentStatus.PENDING: {PaymentStatus.STARTED, PaymentStatus.CAPTURED, PaymentStatus.CLOSED},
        PaymentStatus.STARTED: {PaymentStatus.CAPTURED, PaymentStatus.FAILED, PaymentStatus.CLOSED},
        PaymentStatus.FAILED: {PaymentStatus.STARTED, PaymentStatus.CAPTURED, PaymentStatus.CLOSED},
        PaymentStatus.CAPTURED: set(),
        PaymentStatus.CLOSED: {PaymentStatus.CAPTURED},
    },
)
"""Money that arrives is taken whatever we thought of the payment: FAILED and CLOSED are not the last word."""

REFUND_TRANSITIONS = table(
    RefundStatus.PENDING,
    {
        RefundStatus.PENDING: {RefundStatus.SUCCEEDED, RefundStatus.FAILED},
        RefundStatus.FAILED: {RefundStatus.PENDING, RefundStatus.SUCCEEDED},
        RefundStatus.SUCCEEDED: set(),
    },
)

SETTLED = (PaymentStatus.CAPTURED, PaymentStatus.CLOSED)
"""Nothing more is expected of these."""
