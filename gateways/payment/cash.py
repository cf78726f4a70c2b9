"""Cash on delivery: no provider is called; couriers collect it and staff transfer refunds."""

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
class CashGateway:
    """Always waiting until the courier has collected; refunds stay pending until staff confirm them."""

    method: PaymentMethod = PaymentMethod.CASH_ON_DELIVERY

    async def start(self, charge: Charge) -> NextAction:
        return NextAction(ActionKind.NONE, "")

    async def query(self, charge: Charge) -> PaymentReport:
        return PaymentReport(charge.reference, ProviderStatus.WAITING, charge.amount, charge.order_number)

    async def close(self, charge: Charge) -> None:
        """Nothing is to be closed."""

    async def refund(self, charge: Charge, *, amount: Money, reference: str, reason: str) -> RefundReport:
        return RefundReport("", pending=True)

    def verify(self, headers: dict[str, str], body: bytes, *, now: datetime) -> PaymentReport:
        raise NotificationRefused("cash sends no messages")
