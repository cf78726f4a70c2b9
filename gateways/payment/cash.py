"""Cash at the door: nobody outside is asked; people carry it in and transfer it back."""

from dataclasses import dataclass
from datetime import datetime

from gateways.payment import (
    ActionKind,
    Charge,
    NextAction,
    NotificationRefused,
    PaymentReport,
    ProviderStatus,
    RefundReport,
)
from models import Money, PaymentMethod


@dataclass(frozen=True, slots=True)
class Cash:
    """The courier takes it, a clerk gives it back."""

    method: PaymentMethod = PaymentMethod.CASH_ON_DELIVERY

    async def start(self, charge: Charge) -> NextAction:
        return NextAction(ActionKind.NONE, "")

    async def query(self, charge: Charge) -> PaymentReport:
        return PaymentReport(charge.reference, ProviderStatus.WAITING, charge.amount, charge.order_number)

    async def close(self, charge: Charge) -> None:
        """There is nobody to tell."""

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        return RefundReport("", pending=True)

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        raise NotificationRefused("cash sends no messages")
