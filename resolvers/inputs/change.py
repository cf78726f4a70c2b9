import strawberry

from resolvers.described import input_type


@input_type
class CancelledLineInput:
    """Units of an order line that are not wanted after all."""

    line_id: strawberry.ID
    """The line."""
    quantity: int
    """How many units of it."""
