"""What SF's codes of operations mean to the shop, as data."""

from collections.abc import Mapping

from models import ShipmentStatus as S

STATUSES: Mapping[str, S] = {
    "50": S.PICKED_UP,
    "54": S.PICKED_UP,
    "30": S.IN_TRANSIT,  # loaded, and leaves a place
    "31": S.IN_TRANSIT,  # has come to a place
    "36": S.IN_TRANSIT,
    "44": S.OUT_FOR_DELIVERY,
    "204": S.OUT_FOR_DELIVERY,
    "125": S.READY_FOR_PICKUP,  # in a locker
    "33": S.DELIVERY_FAILED,
    "70": S.DELIVERY_FAILED,
    "80": S.DELIVERED,
    "8000": S.DELIVERED,
    "99": S.RETURNING,
    "648": S.RETURNING,
}
"""50, 44 and 80 as SF documents them; the others as its customers have published them."""
