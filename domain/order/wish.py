"""What somebody asks for: plain facts, as they were given."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.address import Postal
from domain.cart import Owner
from models import CurrencyCode, Money, PaymentMethod, ShippingMethod


@dataclass(frozen=True, slots=True)
class WantedLine:
    """Units of a variant."""

    variant_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class WantedDelivery:
    """What goes to one address; without `lines`, everything."""

    method: ShippingMethod
    address_id: int | None = None
    postal: Postal | None = None
    lines: Sequence[WantedLine] | None = None


@dataclass(frozen=True, slots=True)
class WantedPayment:
    """How much is paid how."""

    method: PaymentMethod
    amount: Money


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as somebody would like it; without `lines`, what is in the cart."""

    owner: Owner
    lines: Sequence[WantedLine] | None = None
    deliveries: Sequence[WantedDelivery] = ()
    coupon_codes: Sequence[str] | None = None
    """In place of those on the cart."""
    currency: CurrencyCode = CurrencyCode.CNY
    """Of `lines`; a cart has a currency of its own."""


@dataclass(frozen=True, slots=True)
class Promise:
    """How an order will be paid, and what its buyer says to it."""

    payments: Sequence[WantedPayment]
    note: str
    idempotency_key: str
