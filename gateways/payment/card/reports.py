"""What Stripe's objects mean to the shop."""

from collections.abc import Mapping
from datetime import UTC, datetime

from gateways.payment.card.amounts import is_priced_in, money_of
from gateways.payment.card.api import clean_text
from gateways.payment.card.objects import BalanceTransaction, Dispute, Intent, StripeCharge, StripeRefund
from gateways.payment.provider import ProviderError
from models import (
    AttemptReport,
    AttemptStatus,
    DisputeReport,
    DisputeStatus,
    Money,
    RefundOutcome,
    RefundReport,
)

INTENT_STATUSES: Mapping[str, AttemptStatus] = {
    "requires_payment_method": AttemptStatus.WAITING,
    "requires_confirmation": AttemptStatus.WAITING,
    "requires_action": AttemptStatus.ACTION_NEEDED,
    "processing": AttemptStatus.PROCESSING,
    "requires_capture": AttemptStatus.PROCESSING,
    "succeeded": AttemptStatus.CAPTURED,
    "canceled": AttemptStatus.CLOSED,
}

REFUND_OUTCOMES: Mapping[str, RefundOutcome] = {
    "pending": RefundOutcome.PENDING,
    "requires_action": RefundOutcome.PENDING,
    "succeeded": RefundOutcome.SUCCEEDED,
    "failed": RefundOutcome.FAILED,
    "canceled": RefundOutcome.FAILED,
}

CARD_UNREACHABLE = frozenset({"lost_or_stolen_card", "expired_or_canceled_card", "declined", "unknown"})
"""Why refunds fail that fail again however often they are tried: the card takes no money."""

DECLINED = "The card was declined."


def report_intent(intent: Intent, reference: str) -> AttemptReport:
    """The report of an attempt; ProviderError unless the intent is the one that the shop started for it."""
    if intent.reference != reference:
        raise ProviderError("an answer about another attempt")
    status = status_of(intent)
    charge = intent.latest_charge if isinstance(intent.latest_charge, StripeCharge) else None
    captured = status is AttemptStatus.CAPTURED
    return AttemptReport(
        reference=reference,
        provider_reference=intent.id,
        status=status,
        amount=money_of(intent.amount_received if captured else intent.amount, intent.currency),
        captured_at=moment_of(charge.created) if captured and charge else None,
        reason=decline_reason(intent) if status is AttemptStatus.DECLINED else None,
        fee=fee_of(charge) if captured else None,
    )


def status_of(intent: Intent) -> AttemptStatus:
    """Its status; after a decline it waits for a payment method again, with the error beside it."""
    status = INTENT_STATUSES.get(intent.status)
    if status is None:
        raise ProviderError("an attempt with an unknown status")
    if intent.status == "requires_payment_method" and intent.last_payment_error is not None:
        return AttemptStatus.DECLINED
    return status


def decline_reason(intent: Intent) -> str:
    """What Stripe wrote for the customer; its messages of other kinds are for programmers."""
    error = intent.last_payment_error
    return clean_text(error.message) if error and error.type == "card_error" and error.message else DECLINED


def fee_of(charge: StripeCharge | None) -> Money | None:
    """What Stripe keeps, once the money has been booked, where it is in a currency of the shop."""
    if charge is None or not isinstance(charge.balance_transaction, BalanceTransaction):
        return None
    booked = charge.balance_transaction
    return money_of(booked.fee, booked.currency) if is_priced_in(booked.currency) else None


def report_refund(refund: StripeRefund, reference: str) -> RefundReport:
    """The report of a refund; ProviderError unless it is the one that the shop started."""
    if refund.reference != reference:
        raise ProviderError("an answer about another refund")
    outcome = REFUND_OUTCOMES.get(refund.status or "pending")
    if outcome is None:
        raise ProviderError("a refund with an unknown status")
    if outcome is RefundOutcome.FAILED and refund.failure_reason in CARD_UNREACHABLE:
        outcome = RefundOutcome.ABNORMAL
    ended_badly = outcome in {RefundOutcome.FAILED, RefundOutcome.ABNORMAL}
    return RefundReport(
        reference=reference,
        provider_reference=refund.id,
        outcome=outcome,
        amount=money_of(refund.amount, refund.currency),
        reason=clean_text(refund.failure_reason or refund.status or "") if ended_badly else None,
        settled_at=moment_of(refund.created) if outcome is RefundOutcome.SUCCEEDED else None,
    )


def dispute_status(dispute: Dispute) -> DisputeStatus | None:
    """How it stands; None as long as it moves no money: an inquiry, or one not yet booked."""
    moved = [booked.amount for booked in dispute.balance_transactions]
    if not any(amount < 0 for amount in moved):
        return None
    match dispute.status:
        case "won":
            return DisputeStatus.WON if any(amount > 0 for amount in moved) else None
        case "lost":
            return DisputeStatus.LOST
        case "needs_response" | "under_review" | "appeal_needs_response" | "appeal_under_review":
            return DisputeStatus.OPEN
        case _:
            return None


def report_dispute(dispute: Dispute, intent: Intent, status: DisputeStatus) -> DisputeReport:
    """The report of a dispute about an intent."""
    return DisputeReport(
        reference=dispute.id,
        attempt_reference=intent.reference,
        attempt_provider_reference=intent.id,
        status=status,
        amount=money_of(dispute.amount, dispute.currency),
        fee=dispute_fee(dispute),
        reason=clean_text(dispute.reason),
    )


def dispute_fee(dispute: Dispute) -> Money | None:
    """What Stripe has kept for it until now, where that is in a currency of the shop."""
    booked = dispute.balance_transactions
    if not booked or not is_priced_in(booked[0].currency):
        return None
    return money_of(sum(each.fee for each in booked), booked[0].currency)


def moment_of(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ProviderError("a moment that is none") from None
