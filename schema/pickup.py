"""Collecting deliveries at a warehouse or shop."""

import strawberry

from resolvers import pickup as resolve
from resolvers.guard import Permission
from schema.mutation import mutation
from schema.order import Delivery


@strawberry.type
class PickupMutation:
    pickup_ready = mutation(resolve.pickup_ready, returns=Delivery, allow=Permission.SHIPMENT_PACK)
    pickup_hand_over = mutation(resolve.pickup_hand_over, returns=Delivery, allow=Permission.SHIPMENT_PACK)
    pickup_code_renew = mutation(resolve.pickup_code_renew, returns=Delivery, allow=Permission.BUY)
    pickup_cancel = mutation(resolve.pickup_cancel, returns=Delivery, allow=Permission.ORDER_CHANGE)
