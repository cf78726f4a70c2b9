"""What a client asks to be ordered, and how it will be paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.address import PostalAddress
from domain.cart import CartOwner
from models import ClaimExclusion, CurrencyCode, DeliveryWindow, Money, PaymentMethod, ShippingMethod


@dataclass(frozen=True, slots=True)
class RequestedLine:
    """Units of a variant."""

    variant_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class RequestedDelivery:
    """What goes to one address, which is an entry of the buyer's address book or written out.

    What is collected has a place instead.
    """

    method: ShippingMethod
    address_id: int | None = None
    postal: PostalAddress | None = None
    pickup_warehouse_id: int | None = None
    """Where it is collected."""
    lines: Sequence[RequestedLine] | None = None
    """Everything when None, where there is no other delivery."""
    window: DeliveryWindow | None = None
    """When it is to come, as the customer wishes."""


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """An amount and the method by which it will be paid."""

    method: PaymentMethod
    amount: Money


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What is to be ordered, and where it goes."""

    owner: CartOwner
    lines: Sequence[RequestedLine] | None = None
    """What is in the owner's cart when None."""
    deliveries: Sequence[RequestedDelivery] = ()
    coupon_codes: Sequence[str] | None = None
    """In place of those on the cart."""
    currency: CurrencyCode = CurrencyCode.CNY
    """Of `lines`; a cart has a currency of its own."""
    confirmed_exclusions: Mapping[int, ClaimExclusion] = field(default_factory=dict)
    """Which variants the buyer knows to be excluded from returns without a reason, and why."""


@dataclass(frozen=True, slots=True)
class PaymentPlan:
    """How an order will be paid, the buyer's note, and the key that makes the request unique."""

    payments: Sequence[PlannedPayment]
    note: str
    idempotency_key: str
