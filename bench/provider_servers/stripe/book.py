"""What the server has in its book: intents, refunds, disputes and movements of the balance."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Json = dict[str, object]

PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
DISPUTE_FEE = 1500
API_VERSION = "2026-10-28.endive"

CARDS = {
    "pm_card_visa": "succeeded",
    "pm_card_chargeDeclined": "declined",
    "pm_card_authenticationRequired": "requires_action",
    "pm_card_slow": "processing",
}
"""What each card of the server does when an attempt is confirmed with it."""


class ApiProblem(Exception):
    """An error as the API answers it."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"type": kind, "code": code, "message": message}}


def refuse(code: str, message: str, status: int = 400) -> ApiProblem:
    return ApiProblem(status, "invalid_request_error", code, message)


@dataclass(slots=True)
class Movement:
    """A balance transaction."""

    id: str
    amount: int
    fee: int
    currency: str
    created: int
    category: str
    source: "Intent | Refund | Dispute"

    def show(self, expand: Sequence[str] = ()) -> Json:
        expanded = "data.source" in expand
        return {
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "fee": self.fee,
            "net": self.amount - self.fee,
            "currency": self.currency,
            "created": self.created,
            "reporting_category": self.category,
            "source": self.source.show_source() if expanded else self.source.source_id,
        }


@dataclass(slots=True)
class Intent:
    id: str
    amount: int
    currency: str
    created: int
    metadata: Mapping[str, str]
    livemode: bool
    client_secret: str
    status: str = "requires_payment_method"
    error: Json | None = None
    charge_id: str | None = None
    charged_at: int = 0
    movement: Movement | None = None
    refunded: int = 0
    disputed: bool = False

    @property
    def source_id(self) -> str:
        return self.charge_id or ""

    def show(self, expand: Sequence[str] = ()) -> Json:
        charge: object = self.charge_id
        if self.charge_id and any(each.startswith("latest_charge") for each in expand):
            charge = self.show_charge()
        return {
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_received": self.amount if self.status == "succeeded" else 0,
            "currency": self.currency,
            "created": self.created,
            "metadata": self.metadata,
            "livemode": self.livemode,
            "client_secret": self.client_secret,
            "status": self.status,
            "last_payment_error": self.error,
            "latest_charge": charge,
        }

    def show_charge(self) -> Json:
        return {
            "id": self.charge_id,
            "object": "charge",
            "amount": self.amount,
            "currency": self.currency,
            "created": self.charged_at,
            "payment_intent": self.id,
            "metadata": self.metadata,
            "balance_transaction": self.movement.show() if self.movement else None,
        }

    def show_source(self) -> Json:
        return self.show_charge() | {"balance_transaction": self.movement.id if self.movement else None}


@dataclass(slots=True)
class Refund:
    id: str
    intent: Intent
    amount: int
    created: int
    metadata: Mapping[str, str]
    status: str
    failure_reason: str | None = None

    @property
    def source_id(self) -> str:
        return self.id

    def show(self, expand: Sequence[str] = ()) -> Json:
        return {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "currency": self.intent.currency,
            "created": self.created,
            "metadata": self.metadata,
            "status": self.status,
            "failure_reason": self.failure_reason,
            "payment_intent": self.intent.id,
            "charge": self.intent.charge_id,
        }

    def show_source(self) -> Json:
        return self.show()


@dataclass(slots=True)
class Dispute:
    id: str
    intent: Intent
    reason: str
    status: str
    created: int
    movements: list[Movement] = field(default_factory=list)

    @property
    def source_id(self) -> str:
        return self.id

    def show(self, expand: Sequence[str] = ()) -> Json:
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.intent.amount,
            "currency": self.intent.currency,
            "created": self.created,
            "reason": self.reason,
            "status": self.status,
            "charge": self.intent.charge_id,
            "payment_intent": self.intent.show() if "payment_intent" in expand else self.intent.id,
            "balance_transactions": [each.show() for each in self.movements],
            "metadata": {},
        }

    def show_source(self) -> Json:
        return self.show() | {"balance_transactions": []}


@dataclass(slots=True)
class Notice:
    """An event that waits to be sent."""

    id: str
    type: str
    body: Json


@dataclass(slots=True)
class Book:
    """All that the server knows; `ahead` seconds are added to its clock."""

    livemode: bool = False
    ahead: float = 0
    refunds_pend: bool = False
    intents: dict[str, Intent] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    movements: dict[str, Movement] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    changed: dict[str, None] = field(default_factory=dict)
    """Intents of which something was told since they were kept last."""

    def now(self) -> int:
        return int(time.time() + self.ahead)

    def create_intent(self, amount: int, currency: str, metadata: Mapping[str, str]) -> Intent:
        name = new_id("pi")
        secret = f"{name}_secret_{secrets.token_hex(12)}"
        intent = Intent(name, amount, currency, self.now(), metadata, self.livemode, secret)
        self.intents[name] = intent
        self.tell("payment_intent.created", intent)
        return intent

    def confirm(self, intent: Intent, card: str) -> None:
        """Take the card; ApiProblem where it is declined."""
        if intent.status not in PAYABLE:
            raise unexpected_state(intent)
        match CARDS.get(card):
            case "succeeded":
                self.capture(intent)
            case "declined":
                raise self.decline(intent)
            case "requires_action":
                intent.status, intent.error = "requires_action", None
                self.tell("payment_intent.requires_action", intent)
            case "processing":
                intent.status, intent.error = "processing", None
                self.tell("payment_intent.processing", intent)
            case _:
                raise refuse("resource_missing", "No such PaymentMethod.")

    def decline(self, intent: Intent) -> ApiProblem:
        problem = ApiProblem(402, "card_error", "card_declined", "Your card was declined.")
        error = problem.body["error"]
        assert isinstance(error, dict)
        intent.status, intent.error = "requires_payment_method", error
        self.tell("payment_intent.payment_failed", intent)
        return problem

    def capture(self, intent: Intent) -> None:
        intent.status, intent.error = "succeeded", None
        intent.charge_id, intent.charged_at = new_id("ch"), self.now()
        fee = (intent.amount * 29 + 999) // 1000 + 30
        intent.movement = self.book(intent.amount, fee, "charge", intent.currency, intent)
        self.tell("payment_intent.succeeded", intent)

    def cancel(self, intent: Intent) -> None:
        if intent.status not in PAYABLE:
            raise unexpected_state(intent)
        intent.status = "canceled"
        self.tell("payment_intent.canceled", intent)

    def create_refund(self, intent: Intent, amount: int, metadata: Mapping[str, str]) -> Refund:
        if intent.status != "succeeded":
            raise refuse("charge_not_found", "This PaymentIntent has no successful charge.")
        if intent.disputed:
            raise refuse("charge_disputed", "The charge has been disputed.")
        if intent.refunded == intent.amount:
            raise refuse("charge_already_refunded", "The charge has already been refunded.")
        if amount > intent.amount - intent.refunded:
            raise refuse("amount_too_large", "The refund is greater than what is left of the charge.")
        intent.refunded += amount
        refund = Refund(new_id("re"), intent, amount, self.now(), metadata, "pending")
        self.refunds[refund.id] = refund
        self.book(-amount, 0, "refund", intent.currency, refund)
        if not self.refunds_pend:
            refund.status = "succeeded"
        self.tell("refund.created", refund)
        self.tell("charge.refunded", intent)
        return refund

    def end_refund(self, refund: Refund, status: str, failure_reason: str | None) -> None:
        """Give a refund another status; the money of a failed one comes back."""
        if status in {"failed", "canceled"} and refund.status not in {"failed", "canceled"}:
            refund.intent.refunded -= refund.amount
            self.book(refund.amount, 0, "refund_failure", refund.intent.currency, refund)
        refund.status, refund.failure_reason = status, failure_reason
        self.tell("refund.updated", refund)
        if status == "failed":
            self.tell("refund.failed", refund)

    def open_dispute(self, intent: Intent, reason: str, *, is_inquiry: bool) -> Dispute:
        status = "warning_needs_response" if is_inquiry else "needs_response"
        dispute = Dispute(new_id("dp"), intent, reason, status, self.now())
        self.disputes[dispute.id] = dispute
        self.tell("charge.dispute.created", dispute)
        if not is_inquiry:
            intent.disputed = True
            taken = self.book(-intent.amount, DISPUTE_FEE, "dispute", intent.currency, dispute)
            dispute.movements.append(taken)
            self.tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute: Dispute, status: str) -> None:
        dispute.status = status
        self.tell("charge.dispute.closed", dispute)
        if status == "won":
            dispute.intent.disputed = False
            given = self.book(dispute.intent.amount, 0, "dispute_reversal", dispute.intent.currency, dispute)
            dispute.movements.append(given)
            self.tell("charge.dispute.funds_reinstated", dispute)

    def book(
        self, amount: int, fee: int, category: str, currency: str, source: Intent | Refund | Dispute
    ) -> Movement:
        movement = Movement(new_id("txn"), amount, fee, currency, self.now(), category, source)
        self.movements[movement.id] = movement
        return movement

    def tell(self, kind: str, about: Intent | Refund | Dispute) -> None:
        name = new_id("evt")
        body: Json = {
            "id": name,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "livemode": self.livemode,
            "type": kind,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": about.show()},
        }
        self.notices.append(Notice(name, kind, body))
        self.changed[about.id if isinstance(about, Intent) else about.intent.id] = None

    def dump(self) -> Json:
        """What other books are compared with: payments and refunds by the shop's references."""
        return {
            "payments": [
                {
                    "reference": each.metadata.get("reference"),
                    "provider_reference": each.id,
                    "amount": each.amount,
                    "currency": each.currency.upper(),
                    "status": each.status,
                    "captured": each.amount if each.status == "succeeded" else 0,
                    "refunded": each.refunded,
                    "fee": each.movement.fee if each.movement else 0,
                }
                for each in self.intents.values()
            ],
            "refunds": [
                {
                    "reference": each.metadata.get("reference"),
                    "provider_reference": each.id,
                    "payment": each.intent.metadata.get("reference"),
                    "amount": each.amount,
                    "currency": each.intent.currency.upper(),
                    "status": each.status,
                }
                for each in self.refunds.values()
            ],
            "disputes": [each.show() for each in self.disputes.values()],
            "balance": sum(each.amount - each.fee for each in self.movements.values()),
        }


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


def unexpected_state(intent: Intent) -> ApiProblem:
    message = f"This PaymentIntent has a status of {intent.status}."
    return refuse("payment_intent_unexpected_state", message)
