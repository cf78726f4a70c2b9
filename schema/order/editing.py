"""Changing orders after they were placed."""

import strawberry

from resolvers.guard import Permission
from resolvers.order import editing as resolve
from schema.cart import Cart
from schema.mutation import mutation
from schema.order import Delivery, Order, OrderLine, OrderNote
from schema.rows import field, row_type


@row_type(resolve.NotBoughtAgainLine)
class NotBoughtAgain:
    """A line of an old order that could not be added to the cart."""

    line: OrderLine
    """The order line."""
    message: str = field(resolve.not_bought_message)


@strawberry.type
class OrderEditingMutation:
    order_lines_cancel = mutation(resolve.order_lines_cancel, returns=Order, allow=Permission.ORDER_CHANGE)
    order_buy_again = mutation(
        resolve.order_buy_again,
        returns=Cart,
        allow=Permission.CART,
        further_fields={
            "left_out": (list[NotBoughtAgain], "The lines that could not be added to it; null when refused.")
        },
    )
    order_address_change = mutation(
        resolve.order_address_change, returns=Delivery, allow=Permission.ORDER_CHANGE
    )
    order_hold = mutation(resolve.order_hold, returns=Order, allow=Permission.ORDER_HOLD)
    order_release = mutation(resolve.order_release, returns=Order, allow=Permission.ORDER_HOLD)
    order_note_add = mutation(resolve.order_note_add, returns=OrderNote, allow=Permission.ORDER_NOTE)
