import strawberry

from resolvers.descriptions import input_type


@input_type
class CancelledLineInput:
    """Units of an order line to cancel."""

    order_line_id: strawberry.ID
    """The order line."""
    quantity: int
    """How many units."""
