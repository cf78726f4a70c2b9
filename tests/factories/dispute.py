"""Payments to which their customers object."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.payment import record_dispute
from models import CurrencyCode, Dispute, DisputeReport, DisputeStatus, Money, Order, Payment
from tests.factories.order import NOW, SANDBOX, payments_of

FEE_OF_DISPUTE = 1_500
"""Minor units that the provider charges for each."""


def dispute_report(
    payment: Payment, *, amount: int | None = None, status: DisputeStatus = DisputeStatus.OPEN
) -> DisputeReport:
    """What a provider reports of a dispute, for which it charges 15.00 CNY; of everything by default."""
    minor = payment.captured_amount if amount is None else amount
    return DisputeReport(
        reference="dp_1",
        attempt_reference=payment.attempt_reference,
        attempt_provider_reference=None,
        status=status,
        amount=Money(minor, CurrencyCode.CNY),
        fee=Money(FEE_OF_DISPUTE, CurrencyCode.CNY),
        reason="not received",
    )


async def create_dispute(session: AsyncSession, order: Order, reference: str = "dp_1") -> Dispute:
    """All of the first payment of an order, disputed."""
    payment = (await payments_of(session, order))[0]
    report = replace(dispute_report(payment), reference=reference)
    return await record_dispute(session, SANDBOX, report, Cause(NOW))
