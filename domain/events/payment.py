"""Events of money; each is an event of the order it belongs to."""

from collections.abc import Sequence

from domain.events.types import OrderEvent


class PaymentStarted(OrderEvent, name="payment.started"):
    payment_id: int


class PaymentCaptured(OrderEvent, name="payment.captured"):
    payment_id: int


class PaymentFailed(OrderEvent, name="payment.failed"):
    payment_id: int
    reason: str


class PaymentsClosed(OrderEvent, name="payment.closed"):
    payment_ids: Sequence[int]


class CashCollected(OrderEvent, name="cash.collected"):
    payment_id: int
    shipment_ids: Sequence[int] = ()


class CashWrittenOff(OrderEvent, name="cash.written_off"):
    shipment_id: int
    reason: str


class RefundRequested(OrderEvent, name="refund.requested"):
    refund_ids: Sequence[int]
    ticket_id: int | None


class RefundApprovalNeeded(OrderEvent, name="refund.approval_needed"):
    refund_ids: Sequence[int]
    ticket_id: int | None


class RefundApproved(OrderEvent, name="refund.approved"):
    refund_id: int
    reason: str


class RefundDeclined(OrderEvent, name="refund.declined"):
    refund_id: int
    reason: str


class RefundAbnormal(OrderEvent, name="refund.abnormal"):
    refund_id: int
    ticket_id: int | None
    reason: str


class RefundSucceeded(OrderEvent, name="refund.succeeded"):
    refund_id: int
    ticket_id: int | None


class RefundFailed(OrderEvent, name="refund.failed"):
    refund_id: int
    ticket_id: int | None
    reason: str


class DisputeOpened(OrderEvent, name="dispute.opened"):
    dispute_id: int
    payment_id: int


class DisputeSettled(OrderEvent, name="dispute.settled"):
    dispute_id: int
    payment_id: int
