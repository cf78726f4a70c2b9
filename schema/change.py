"""What may happen to an order once it is placed."""

import strawberry

from resolvers import change as resolve
from resolvers.guard import CARERS, STAFF, SUPPORT, WAREHOUSE
from schema.mutation import mutation
from schema.order import Delivery, Order, OrderNote


@strawberry.type
class ChangeMutation:
    order_lines_cancel = mutation(resolve.order_lines_cancel, returns=Order, allow=CARERS)
    order_address_change = mutation(resolve.order_address_change, returns=Delivery, allow=CARERS)
    order_hold = mutation(resolve.order_hold, returns=Order, allow=SUPPORT | WAREHOUSE)
    order_release = mutation(resolve.order_release, returns=Order, allow=SUPPORT | WAREHOUSE)
    order_note_add = mutation(resolve.order_note_add, returns=OrderNote, allow=STAFF)
