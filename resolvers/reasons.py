"""Reasons that are stored with orders, payments and tickets: people's own words, or the shop's sentences."""

from collections.abc import Mapping

from domain.aftersales.undelivered import NOT_DELIVERED
from domain.aftersales.withdrawal import AlreadyPacked
from domain.order.lifecycle import NOT_PAID, NOTHING_KEPT
from domain.payment.dispute import DISPUTE_WON
from domain.payment.lifecycle import PAID_AFTER_END
from domain.payment.provider_reports import PAYMENT_FAILED
from domain.payment.surplus import PAID_TWICE
from domain.pickup.ending import NOT_COLLECTED
from events.payment import ORDER_CANCELLED
from models import Order, Refund, Ticket
from resolvers.context import Info
from text.messages import Message

SENTENCES: Mapping[str, Message] = {
    str(each): each
    for each in (
        NOT_PAID,
        NOTHING_KEPT,
        NOT_COLLECTED,
        NOT_DELIVERED,
        PAID_AFTER_END,
        PAID_TWICE,
        PAYMENT_FAILED,
        ORDER_CANCELLED,
        DISPUTE_WON,
        AlreadyPacked().message,
    )
}
"""The shop's own reasons as they are stored: in English."""


def cancel_reason(root: Order, info: Info) -> str | None:
    """Why it was cancelled."""
    return read_reason(root.cancel_reason, info)


def refund_reason(root: Refund, info: Info) -> str:
    """Why it is refunded."""
    return read_reason(root.reason, info) or ""


def ticket_refusal(root: Ticket, info: Info) -> str | None:
    """Why the shop refused it, the last time it did."""
    return read_reason(root.refusal, info)


def read_reason(stored: str | None, info: Info) -> str | None:
    """People's own words as they are, a sentence of the shop in the reader's language."""
    if stored is None:
        return None
    return info.context.viewer_of(info).text_of(SENTENCES.get(stored, stored))
