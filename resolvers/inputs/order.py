from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.cart import COUPONS_LIMIT, Owner
from domain.errors import LimitReached
from domain.order import WantedDelivery, WantedLine, WantedPayment, Wish
from models import (
    CurrencyCode,
    FulfilmentStatus,
    OrderHeadline,
    OrderPaymentStatus,
    OrderStatus,
    PaymentMethod,
    ShippingMethod,
)
from resolvers.described import input_type
from resolvers.ids import row_id
from resolvers.inputs.account import PostalAddressInput
from resolvers.inputs.money import MoneyInput

Path = tuple[str | int, ...]


@input_type
class OrderLineInput:
    """Units of a variant."""

    variant_id: strawberry.ID
    """The variant."""
    quantity: int
    """How many units of it."""


@input_type
class DeliveryAddressInput:
    """Where a delivery goes: give one of the two."""

    id: strawberry.ID | None = None
    """An entry of one's own address book."""
    postal: PostalAddressInput | None = None
    """An address for this order only."""


@input_type
class DeliveryInput:
    """What goes to one address."""

    address: DeliveryAddressInput
    """Where it goes."""
    method: ShippingMethod = ShippingMethod.STANDARD
    """How fast it travels."""
    lines: list[OrderLineInput] | None = None
    """What goes there; everything, where there is one delivery and this is left out."""

    def wanted(self, index: int) -> WantedDelivery:
        field = ("deliveries", index)
        id, postal = self.address.id, self.address.postal
        return WantedDelivery(
            method=self.method,
            address_id=row_id(id, "Address", field=(*field, "address", "id")) if id else None,
            postal=postal.postal() if postal else None,
            lines=wanted_lines(self.lines, (*field, "lines")),
        )


@input_type
class PaymentInput:
    """A part of the total and how it is paid."""

    method: PaymentMethod
    """How it is paid."""
    amount: MoneyInput
    """How much of the total."""

    def wanted(self, index: int) -> WantedPayment:
        return WantedPayment(self.method, self.amount.money(field=("payments", index, "amount")))


@input_type
class CheckoutQuoteInput:
    """What somebody would order."""

    lines: list[OrderLineInput] | None = None
    """What would be ordered, each variant once; what is in the cart when left out."""
    deliveries: list[DeliveryInput] = strawberry.field(
        default_factory=list, description="Where it would go; without any, nothing is said about fees."
    )
    coupon_codes: list[str] | None = None
    """Coupons in place of those on the cart."""
    currency: CurrencyCode | None = None
    """The currency of `lines`; the viewer's when left out. A cart has its own."""

    def wish(self, owner: Owner, currency: CurrencyCode) -> Wish:
        return wish_of(
            owner, self.lines, self.deliveries, self.coupon_codes, currency=self.currency or currency
        )


@input_type
class OrderFilter:
    """Which orders; everything given must hold."""

    status: list[OrderStatus] | None = None
    """In one of these states."""
    payment_status: list[OrderPaymentStatus] | None = None
    """With one of these states of payment."""
    fulfilment_status: list[FulfilmentStatus] | None = None
    """With one of these states of fulfilment."""
    headline: list[OrderHeadline] | None = None
    """Of which this is the one word that customers read."""
    number: str | None = None
    """Whose number begins so."""
    phone: str | None = None
    """With a delivery to a phone number that ends so: four digits or more."""
    product_id: strawberry.ID | None = None
    """With a line of this product."""
    variant_id: strawberry.ID | None = None
    """With a line of this variant."""
    words: str | None = None
    """With a line of something that has this SKU, or all of these words in its title."""
    customer: str | None = None
    """Of whoever has this e-mail address, phone number or exact name; for the staff."""
    placed_from: datetime | None = None
    """Placed at this moment or later."""
    placed_before: datetime | None = None
    """Placed before this moment."""


def wish_of(
    owner: Owner,
    lines: Sequence[OrderLineInput] | None,
    deliveries: Sequence[DeliveryInput],
    coupon_codes: Sequence[str] | None,
    *,
    currency: CurrencyCode,
) -> Wish:
    return Wish(
        owner=owner,
        lines=wanted_lines(lines, ("lines",)),
        deliveries=[delivery.wanted(index) for index, delivery in enumerate(deliveries)],
        coupon_codes=limited(coupon_codes),
        currency=currency,
    )


def limited(codes: Sequence[str] | None) -> Sequence[str] | None:
    if codes is not None and len(codes) > COUPONS_LIMIT:
        raise LimitReached(f"An order has at most {COUPONS_LIMIT} coupons.", field=("coupon_codes",))
    return codes


def wanted_lines(lines: Sequence[OrderLineInput] | None, field: Path) -> list[WantedLine] | None:
    if lines is None:
        return None
    return [
        WantedLine(row_id(line.variant_id, "Variant", field=(*field, index, "variant_id")), line.quantity)
        for index, line in enumerate(lines)
    ]
