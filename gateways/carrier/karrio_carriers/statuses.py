"""What karrio's names of steps mean to the shop."""

from collections.abc import Mapping

from models import ShipmentStatus as S

STATUSES: Mapping[str, S] = {
    "pending": S.PENDING,
    "picked_up": S.PICKED_UP,
    "in_transit": S.IN_TRANSIT,
    "out_for_delivery": S.OUT_FOR_DELIVERY,
    "ready_for_pickup": S.READY_FOR_PICKUP,
    "delivered": S.DELIVERED,
    "delivery_failed": S.DELIVERY_FAILED,
    "delivery_delayed": S.ON_HOLD,
    "on_hold": S.ON_HOLD,
    "cancelled": S.ON_HOLD,
    "return_to_sender": S.RETURNING,
}
