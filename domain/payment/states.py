"""The transitions of payments and refunds."""

from domain.state import transition_table
from models import PaymentAttemptStatus, PaymentStatus, RefundStatus

TRANSITIONS = transition_table(
    PaymentStatus.PENDING,
    {
        PaymentStatus.PENDING: {PaymentStatus.STARTED, PaymentStatus.CAPTURED, PaymentStatus.CLOSED},
        PaymentStatus.STARTED: {PaymentStatus.CAPTURED, PaymentStatus.FAILED, PaymentStatus.CLOSED},
        PaymentStatus.FAILED: {PaymentStatus.STARTED, PaymentStatus.CAPTURED, PaymentStatus.CLOSED},
        PaymentStatus.CAPTURED: set(),
        PaymentStatus.CLOSED: {PaymentStatus.CAPTURED},
    },
)
"""Money that arrives is always captured, even for a FAILED or CLOSED payment."""

ATTEMPT_TRANSITIONS = transition_table(
    PaymentAttemptStatus.STARTED,
    {
        PaymentAttemptStatus.STARTED: {
            PaymentAttemptStatus.ACTION_NEEDED,
            PaymentAttemptStatus.PROCESSING,
            PaymentAttemptStatus.CAPTURED,
            PaymentAttemptStatus.DECLINED,
            PaymentAttemptStatus.CLOSED,
        },
        PaymentAttemptStatus.ACTION_NEEDED: {
            PaymentAttemptStatus.PROCESSING,
            PaymentAttemptStatus.CAPTURED,
            PaymentAttemptStatus.DECLINED,
            PaymentAttemptStatus.CLOSED,
        },
        PaymentAttemptStatus.PROCESSING: {
            PaymentAttemptStatus.ACTION_NEEDED,
            PaymentAttemptStatus.CAPTURED,
            PaymentAttemptStatus.DECLINED,
            PaymentAttemptStatus.CLOSED,
        },
        PaymentAttemptStatus.DECLINED: {PaymentAttemptStatus.CAPTURED, PaymentAttemptStatus.CLOSED},
        PaymentAttemptStatus.CLOSED: {PaymentAttemptStatus.CAPTURED},
        PaymentAttemptStatus.CAPTURED: set(),
    },
)
"""As of payments: money that arrives is always captured."""

REFUND_TRANSITIONS = transition_table(
    RefundStatus.WAITING,
    {
        RefundStatus.WAITING: {RefundStatus.PENDING, RefundStatus.DECLINED},
        RefundStatus.PENDING: {RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.ABNORMAL},
        RefundStatus.FAILED: {RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.ABNORMAL},
        RefundStatus.ABNORMAL: {RefundStatus.PENDING, RefundStatus.SUCCEEDED},
        RefundStatus.SUCCEEDED: {RefundStatus.ABNORMAL},
        RefundStatus.DECLINED: set(),
    },
)
"""SUCCEEDED is not the end at every provider: a card that was closed sends the money back."""

OPEN = frozenset({PaymentStatus.PENDING, PaymentStatus.FAILED})
"""Not paid and not under way: the amount may still change."""

SETTLED_STATUSES = (PaymentStatus.CAPTURED, PaymentStatus.CLOSED)
"""No more money is expected for payments with these."""
