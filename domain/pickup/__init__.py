"""Collecting: deliveries that wait at a warehouse or shop for who has their code."""

from domain.pickup.collecting import TRIES_LIMIT, hand_over_pickup, make_pickup_ready, renew_pickup_code
from domain.pickup.ending import (
    cancel_pickup,
    end_overdue_pickup,
    end_pickups_of_order,
    select_overdue_pickups,
)
from domain.pickup.states import TRANSITIONS, find_pickup, pickup_subject

__all__ = [
    "TRANSITIONS",
    "TRIES_LIMIT",
    "cancel_pickup",
    "end_overdue_pickup",
    "end_pickups_of_order",
    "find_pickup",
    "hand_over_pickup",
    "make_pickup_ready",
    "pickup_subject",
    "renew_pickup_code",
    "select_overdue_pickups",
]
