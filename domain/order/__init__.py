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
    unpaid_at,
)
from domain.order.place import (
    CASH_LIMITS,
    Outcome,
    Placement,
    SoldMeanwhile,
    Terms,
    place_order,
    place_orders,
    placed_before,
)
from domain.order.quote import Quote, QuotedDelivery, QuotedLine, quote_order
from domain.order.redirect import change_address
from domain.order.refusals import AmountMismatch, NotOffered
from domain.order.staff import add_note, hold_order, release_order
from domain.order.states import IN_HOUSE, OVER, TRANSITIONS
from domain.order.wish import Promise, WantedDelivery, WantedLine, WantedPayment, Wish

__all__ = [
    "CASH_LIMITS",
    "IN_HOUSE",
    "OVER",
    "TRANSITIONS",
    "AmountMismatch",
    "NotOffered",
    "Outcome",
    "Placement",
    "Promise",
    "Quote",
    "QuotedDelivery",
    "QuotedLine",
    "SoldMeanwhile",
    "Terms",
    "WantedDelivery",
    "WantedLine",
    "WantedPayment",
    "Wish",
    "add_note",
    "assume_receipt",
    "cancel_order",
    "change_address",
    "close_if_refunded",
    "close_unpaid",
    "confirm_if_secured",
    "confirm_receipt",
    "hold_order",
    "lock_order",
    "place_order",
    "place_orders",
    "placed_before",
    "quote_order",
    "release_order",
    "stated",
    "unpaid_at",
]
