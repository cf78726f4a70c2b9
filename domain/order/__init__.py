"""Orders: quoted, placed, changed."""

from domain.order.change import (
    assume_receipt,
    cancel_order,
    close_if_refunded,
    close_unpaid,
    confirm_if_secured,
    confirm_receipt,
    lock_order,
    stated,
)
from domain.order.refusals import AmountMismatch, NotOffered
from domain.order.states import IN_HOUSE, OVER, TRANSITIONS

__all__ = [
    "IN_HOUSE",
    "OVER",
    "TRANSITIONS",
    "AmountMismatch",
    "NotOffered",
    "assume_receipt",
    "cancel_order",
    "close_if_refunded",
    "close_unpaid",
    "confirm_if_secured",
    "confirm_receipt",
    "lock_order",
    "stated",
]
