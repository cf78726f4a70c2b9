"""What may happen to an order once it is placed."""

import strawberry

from resolvers import change as resolve
from resolvers.guard import CARERS, CUSTOMERS, STAFF, SUPPORT, WAREHOUSE
from schema.cart import Cart
from schema.mutation import mutation
from schema.order import Delivery, Order, OrderLine, OrderNote
from schema.rows import row_type


@row_type(resolve.NotAgain)
class NotBoughtAgain:
    """Something of an old order that is not in the cart."""

    line: OrderLine
    """What was bought then."""
    message: str
    """Why not now: words a customer can read."""


@strawberry.type
class ChangeMutation:
    order_lines_cancel = mutation(resolve.order_lines_cancel, returns=Order, allow=CARERS)
    order_buy_again = mutation(
        resolve.order_buy_again,
        returns=Cart,
        allow=CUSTOMERS,
        beside={"left_out": (list[NotBoughtAgain], "What could not be put into it; null when refused.")},
    )
    order_address_change = mutation(resolve.order_address_change, returns=Delivery, allow=CARERS)
    order_hold = mutation(resolve.order_hold, returns=Order, allow=SUPPORT | WAREHOUSE)
    order_release = mutation(resolve.order_release, returns=Order, allow=SUPPORT | WAREHOUSE)
    order_note_add = mutation(resolve.order_note_add, returns=OrderNote, allow=STAFF)
