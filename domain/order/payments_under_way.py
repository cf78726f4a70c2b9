"""Payments that their customers are making, so that nothing else can be done with them."""

from collections.abc import Sequence

from domain.errors import WrongState
from models import Payment, PaymentStatus
from text.messages import Message

BEING_MADE = Message("A payment is being made; try again when it is through.")


class PaymentUnderWay(WrongState):
    """A payment is being made; what is refused works once its attempts are closed at the provider."""


def check_none_under_way(payments: Sequence[Payment], refusal: Message = BEING_MADE) -> None:
    """Raise PaymentUnderWay where the customer is making one of these payments of a locked order."""
    if any(payment.status is PaymentStatus.STARTED for payment in payments):
        raise PaymentUnderWay(refusal, field=("id",))
