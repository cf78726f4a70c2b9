from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.cart import COUPONS_LIMIT, CartOwner
from domain.errors import LimitReached, collect_refusals
from domain.order import OrderRequest, PlannedPayment, RequestedDelivery, RequestedLine
from models import (
    ClaimExclusion,
    CurrencyCode,
    DeliveryWindow,
    FulfilmentStatus,
    OrderDisplayStatus,
    OrderPaymentStatus,
    OrderStatus,
    PaymentMethod,
    ShippingMethod,
)
from resolvers.descriptions import input_type
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
    """How many units."""


@input_type
class DeliveryAddressInput:
    """Where a delivery goes: exactly one of the two."""

    id: strawberry.ID | None = None
    """An entry of the buyer's address book."""
    postal: PostalAddressInput | None = None
    """An address for this order only."""


@input_type
class DeliveryWindowInput:
    """When something is to come: at least an hour, at most 30 days ahead."""

    begins: datetime
    """When it may come at the earliest."""
    ends: datetime
    """When it may come at the latest."""

    def wished_window(self) -> DeliveryWindow:
        return DeliveryWindow(self.begins, self.ends)


@input_type
class DeliveryInput:
    """What goes to one address."""

    address: DeliveryAddressInput | None = None
    """Where it goes; left out for PICKUP."""
    pickup_place_id: strawberry.ID | None = None
    """The warehouse or shop where it is collected, for PICKUP only."""
    method: ShippingMethod = ShippingMethod.STANDARD
    """How it is sent."""
    lines: list[OrderLineInput] | None = None
    """What goes there; everything when left out, where there is no other delivery."""
    window: DeliveryWindowInput | None = None
    """When it is to come, as the buyer wishes; any time will do when left out. Not for PICKUP."""

    def requested_delivery(self, index: int) -> RequestedDelivery:
        field = ("deliveries", index)
        id = self.address.id if self.address else None
        postal = self.address.postal if self.address else None
        place = self.pickup_place_id
        with collect_refusals() as check:
            address_field, place_field = (*field, "address", "id"), (*field, "pickup_place_id")
            address_id = check.value(row_id, 0, id, "Address", field=address_field) if id else None
            place_id = check.value(row_id, 0, place, "Warehouse", field=place_field) if place else None
            lines = check.value(build_requested_lines, None, self.lines, (*field, "lines"))
        return RequestedDelivery(
            method=self.method,
            address_id=address_id,
            postal=postal.postal() if postal else None,
            pickup_warehouse_id=place_id,
            lines=lines,
            window=self.window.wished_window() if self.window else None,
        )


@input_type
class ExclusionConfirmationInput:
    """The buyer knows that something cannot be returned without a reason, and why."""

    variant_id: strawberry.ID
    """The variant."""
    exclusion: ClaimExclusion
    """Why, as the quote or the product shows it."""


@input_type
class PaymentInput:
    """A part of the total, and how it is paid."""

    method: PaymentMethod
    """How it is paid."""
    amount: MoneyInput
    """How much of the total."""

    def planned_payment(self, index: int) -> PlannedPayment:
        return PlannedPayment(self.method, self.amount.money(field=("payments", index, "amount")))


@input_type
class CheckoutQuoteInput:
    """What would be ordered, and where it would go."""

    lines: list[OrderLineInput] | None = None
    """What would be ordered, each variant once; what is in the cart when left out."""
    deliveries: list[DeliveryInput] = strawberry.field(
        default_factory=list, description="Where it would go; without any the quote has no fees."
    )
    coupon_codes: list[str] | None = None
    """Coupons in place of those on the cart."""
    currency: CurrencyCode | None = None
    """The currency of `lines`; the viewer's when left out. A cart has its own."""
    customer_id: strawberry.ID | None = None
    """The customer for whom the staff ask; nobody else gives one."""

    def request(self, owner: CartOwner, currency: CurrencyCode) -> OrderRequest:
        return build_order_request(
            owner, self.lines, self.deliveries, self.coupon_codes, currency=self.currency or currency
        )


@input_type
class GuestContactInput:
    """Where a guest is reached: by an e-mail address, a phone number or both."""

    email: str | None = None
    """The e-mail address."""
    phone: str | None = None
    """The phone number; without a country code it is a Chinese one."""


@input_type
class OrderPlaceInput:
    """What `orderPlace` needs."""

    payments: list[PaymentInput]
    """How it is paid; the amounts add up to the quoted total exactly."""
    idempotency_key: str
    """Chosen by the client, the same for every attempt at the same order."""
    deliveries: list[DeliveryInput] = strawberry.field(
        default_factory=list,
        description=(
            "Where it goes; every unit to exactly one address or place. What needs no shipping goes nowhere."
        ),
    )
    lines: list[OrderLineInput] | None = None
    """What is ordered, each variant once; what is in the cart when left out."""
    coupon_codes: list[str] | None = None
    """Coupons in place of those on the cart."""
    currency: CurrencyCode | None = None
    """The currency of `lines`; the viewer's when left out."""
    note: str = ""
    """A message to the shop, up to 500 characters."""
    confirmed_exclusions: list[ExclusionConfirmationInput] = strawberry.field(
        default_factory=list,
        description="What the buyer knows to be excluded from returns without a reason: everything of "
        "which the quote says so.",
    )
    contact: GuestContactInput | None = None
    """Where a guest is reached, who needs a cart, too; customers have theirs."""
    customer_id: strawberry.ID | None = None
    """The customer for whom the staff order; nobody else gives one."""


@input_type
class OrderFilter:
    """Which orders; all conditions that are given must hold."""

    status: list[OrderStatus] | None = None
    """With one of these statuses."""
    payment_status: list[OrderPaymentStatus] | None = None
    """With one of these payment statuses."""
    fulfilment_status: list[FulfilmentStatus] | None = None
    """With one of these fulfilment statuses."""
    display_status: list[OrderDisplayStatus] | None = None
    """With one of these statuses that customers read."""
    number: str | None = None
    """Whose number begins so."""
    phone: str | None = None
    """With a delivery to a phone number that ends so: four digits or more."""
    product_id: strawberry.ID | None = None
    """With a line of this product."""
    variant_id: strawberry.ID | None = None
    """With a line of this variant."""
    query: str | None = None
    """With a line that has this SKU, or all of these words in its title."""
    customer: str | None = None
    """Of the customer with this e-mail address, phone number or exact name; for the staff."""
    placed_from: datetime | None = None
    """Placed at this moment or later."""
    placed_before: datetime | None = None
    """Placed before this moment."""


def build_order_request(
    owner: CartOwner,
    lines: Sequence[OrderLineInput] | None,
    deliveries: Sequence[DeliveryInput],
    coupon_codes: Sequence[str] | None,
    *,
    currency: CurrencyCode,
    confirmed_exclusions: Sequence[ExclusionConfirmationInput] = (),
) -> OrderRequest:
    requested_deliveries = []
    with collect_refusals() as check:
        requested_lines = check.value(build_requested_lines, None, lines, ("lines",))
        for index, delivery in enumerate(deliveries):
            with check:
                requested_deliveries.append(delivery.requested_delivery(index))
        if coupon_codes is not None and len(coupon_codes) > COUPONS_LIMIT:
            template = "An order has at most {limit} coupons."
            check.add(LimitReached(template, limit=COUPONS_LIMIT, field=("coupon_codes",)))
    return OrderRequest(
        owner=owner,
        lines=requested_lines,
        deliveries=requested_deliveries,
        coupon_codes=coupon_codes,
        currency=currency,
        confirmed_exclusions={
            row_id(each.variant_id, "Variant", field=("confirmed_exclusions", index, "variant_id")): (
                each.exclusion
            )
            for index, each in enumerate(confirmed_exclusions)
        },
    )


def build_requested_lines(lines: Sequence[OrderLineInput] | None, field: Path) -> list[RequestedLine] | None:
    if lines is None:
        return None
    with collect_refusals() as check:
        variant_ids = [
            check.value(row_id, 0, line.variant_id, "Variant", field=(*field, index, "variant_id"))
            for index, line in enumerate(lines)
        ]
    return [
        RequestedLine(variant_id, line.quantity) for variant_id, line in zip(variant_ids, lines, strict=True)
    ]
