"""What the shop reads of Stripe's objects; further fields may come any day."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

REFERENCE = "reference"
"""The key in an object's metadata under which the shop's reference stands."""


class StripeObject(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Item(StripeObject):
    """An object that has a name."""

    id: str = Field(pattern=r"^[A-Za-z0-9_]{1,255}$")


class Tagged(Item):
    """An object that the shop has given metadata."""

    metadata: Mapping[str, str] | None = None

    @property
    def reference(self) -> str | None:
        return (self.metadata or {}).get(REFERENCE)


class Source(Tagged):
    """What a movement of the balance is about."""

    amount: int | None = None
    currency: str | None = None
    payment_intent: str | None = None
    charge: str | None = None


class BalanceTransaction(Item):
    """A movement of the account's balance, in the currency the account is kept in."""

    amount: int
    fee: int
    net: int
    currency: str
    created: int
    reporting_category: str
    source: Source | str | None = None


class StripeCharge(Item):
    created: int
    balance_transaction: BalanceTransaction | str | None = None


class PaymentError(StripeObject):
    type: str
    code: str | None = None
    message: str | None = None


class Intent(Tagged):
    """An attempt to pay, by its name at Stripe."""

    status: str
    amount: int
    amount_received: int = 0
    currency: str
    created: int
    client_secret: str | None = Field(None, repr=False)
    last_payment_error: PaymentError | None = None
    latest_charge: StripeCharge | str | None = None


class StripeRefund(Tagged):
    status: str | None = None
    amount: int
    currency: str
    created: int
    failure_reason: str | None = None


class Dispute(Item):
    status: str
    reason: str
    amount: int
    currency: str
    payment_intent: Intent | str | None = None
    balance_transactions: list[BalanceTransaction] = Field(default_factory=list)


ItemT = TypeVar("ItemT", bound=Item)


class StripePage(StripeObject, Generic[ItemT]):
    """A page of a list or of a search."""

    data: list[ItemT]
    has_more: bool = False


class ApiError(StripeObject):
    type: str
    code: str | None = None
    message: str | None = None


class ErrorAnswer(StripeObject):
    error: ApiError


class EventData(StripeObject):
    object: Item


class StripeEvent(Item):
    """A notice. Of the object it is about only the name is read: what became of it is asked for anew."""

    object: str
    type: str
    livemode: bool
    account: str | None = None
    data: EventData
