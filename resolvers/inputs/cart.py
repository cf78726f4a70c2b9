import strawberry

from domain.cart import CartAddition
from resolvers.descriptions import input_type
from resolvers.ids import row_id


@input_type
class CartLineInput:
    """Units of a variant to add to a cart."""

    variant_id: strawberry.ID
    """The variant."""
    quantity: int = 1
    """How many units to add to those already in the cart."""

    def addition(self, index: int) -> CartAddition:
        field = ("lines", index)
        variant_id = row_id(self.variant_id, "Variant", field=(*field, "variant_id"))
        return CartAddition(variant_id, self.quantity, field)
