import strawberry

from resolvers.descriptions import input_type
from resolvers.inputs.order import DeliveryAddressInput


@input_type
class CancelledLineInput:
    """Units of an order line to cancel."""

    order_line_id: strawberry.ID
    """The order line."""
    quantity: int
    """How many units."""


@input_type
class OrderLineChangeInput:
    """What becomes of an order line."""

    order_line_id: strawberry.ID
    """The order line."""
    quantity: int
    """How many units there are to be, of those that were neither cancelled nor returned; 0 takes it off."""
    variant_id: strawberry.ID | None = None
    """Another variant in its place, at today's price; the same one when left out."""


@input_type
class OrderAdditionInput:
    """Units to be added at today's price."""

    variant_id: strawberry.ID
    """The variant."""
    quantity: int
    """How many units."""
    delivery_id: strawberry.ID | None = None
    """Where they go; needed only where the order has several deliveries."""


@input_type
class OrderAddressInput:
    """Where a delivery goes instead."""

    delivery_id: strawberry.ID
    """The delivery."""
    address: DeliveryAddressInput
    """Its new address."""


@input_type
class OrderChangesInput:
    """All that is to be changed on an order in one step; what is left out stays as it is."""

    lines: list[OrderLineChangeInput] = strawberry.field(
        default_factory=list, description="Other quantities, or variants, of lines."
    )
    additions: list[OrderAdditionInput] = strawberry.field(default_factory=list, description="What is added.")
    addresses: list[OrderAddressInput] = strawberry.field(
        default_factory=list, description="New addresses of deliveries."
    )
    add_coupon_codes: list[str] = strawberry.field(
        default_factory=list, description="Coupons to be used, by today's rules."
    )
    remove_coupon_codes: list[str] = strawberry.field(
        default_factory=list, description="Coupons not to be used any more."
    )
