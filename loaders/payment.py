"""Loading payments and refunds."""

from collections.abc import Collection

from sqlalchemy import select

from loaders.base import ByKey, ManyByKey, loader
from loaders.page import Key, Sort
from models import Payment, PaymentAttempt, PaymentMethod, Refund, RefundStatus
from models.sql.types import AnySelect

OLDEST_REFUND = Sort("oldest", (Key(Refund.id),))


def select_refunds(
    *, status: Collection[RefundStatus] | None = None, method: Collection[PaymentMethod] | None = None
) -> AnySelect:
    """Select refunds that meet every condition given; `method` is that of the refunded payment."""
    statement = select(Refund)
    if status is not None:
        statement = statement.where(Refund.status.in_(status))
    if method is not None:
        statement = statement.join(Payment, Payment.id == Refund.payment_id).where(Payment.method.in_(method))
    return statement


class PaymentById(ByKey[int, Payment]):
    key = Payment.id


class PaymentsByOrder(ManyByKey[int, Payment]):
    key = Payment.order_id
    order_by = (Payment.position, Refund.id)
    primes = "payment"
    brings = {"payment_refunds": (Payment.id, Refund.payment_id)}


class RefundsByPayment(ManyByKey[int, Refund]):
    key = Refund.payment_id
    order_by = Refund.id


class AttemptsByPayment(ManyByKey[int, PaymentAttempt]):
    key = PaymentAttempt.payment_id
    order_by = PaymentAttempt.number
    primes = "payment_attempt"


class PaymentAttemptById(ByKey[int, PaymentAttempt]):
    key = PaymentAttempt.id


class RefundById(ByKey[int, Refund]):
    key = Refund.id


class PaymentLoaders:
    payment = loader(PaymentById)
    order_payments = loader(PaymentsByOrder)
    payment_refunds = loader(RefundsByPayment)
    refund = loader(RefundById)
    payment_attempt = loader(PaymentAttemptById)
    payment_attempts = loader(AttemptsByPayment)
