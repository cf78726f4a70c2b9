from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select

from loaders.base import ByKey, ManyByKey, loader
from loaders.page import Key, Sort
from models import Payment, PaymentMethod, Refund, RefundStatus

OLDEST_REFUND = Sort("oldest", (Key(Refund.id),))


def refunds_wanted(
    *, status: Collection[RefundStatus] | None = None, method: Collection[PaymentMethod] | None = None
) -> Select[Any]:
    wanted = select(Refund)
    if status is not None:
        wanted = wanted.where(Refund.status.in_(status))
    if method is not None:
        wanted = wanted.join(Payment, Payment.id == Refund.payment_id).where(Payment.method.in_(method))
    return wanted


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


class RefundById(ByKey[int, Refund]):
    key = Refund.id


class PaymentLoaders:
    payment = loader(PaymentById)
    order_payments = loader(PaymentsByOrder)
    payment_refunds = loader(RefundsByPayment)
    refund = loader(RefundById)
