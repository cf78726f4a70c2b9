import strawberry

from domain.cart import Wanted
from resolvers.described import input_type
from resolvers.ids import row_id


@input_type
class CartLineInput:
    """Units of a variant for a cart."""

    variant_id: strawberry.ID
    """What to add."""
    quantity: int = 1
    """How many to add to those already in it."""

    def wanted(self, index: int) -> Wanted:
        field = ("lines", index)
        return Wanted(row_id(self.variant_id, "Variant", field=(*field, "variant_id")), self.quantity, field)
