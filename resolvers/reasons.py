"""Reasons that are stored with orders, payments and tickets: people's own words, or the shop's sentences."""

from collections.abc import Mapping

from domain.aftersales.order_editing.editing import EDIT_REASON
from domain.aftersales.order_editing.extra_payment import NOT_POSSIBLE_ANY_MORE
from domain.aftersales.reasons import REASON_TEXTS
from domain.aftersales.undelivered import NOT_DELIVERED
from domain.aftersales.withdrawal import AlreadyPacked
from domain.delivery_run.driving import TRACKING_BY_OUTCOME, WITH_OUR_COURIER
from domain.delivery_run.ending import NOT_BROUGHT
from domain.order.lifecycle import NOT_PAID, NOTHING_KEPT
from domain.payment.dispute import DISPUTE_WON
from domain.payment.lifecycle import PAID_AFTER_END
from domain.payment.provider_reports import PAYMENT_ENDED, PAYMENT_FAILED
from domain.payment.surplus import PAID_TWICE
from domain.pickup.collecting import AT_THE_COUNTER, READY
from domain.pickup.ending import NOT_COLLECTED
from events.payment import ORDER_CANCELLED, TIME_OVER
from models import Order, Payment, PaymentAttempt, Refund, ReportedEvent, Ticket
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
        EDIT_REASON,
        NOT_POSSIBLE_ANY_MORE,
        PAYMENT_ENDED,
        TIME_OVER,
        READY,
        AT_THE_COUNTER,
        WITH_OUR_COURIER,
        NOT_BROUGHT,
        *(text for _, text in TRACKING_BY_OUTCOME.values()),
        AlreadyPacked().message,
    )
} | {reason.value: text for reason, text in REASON_TEXTS.items()}
"""The shop's own sentences as they are stored: in English, or as the reason of a ticket."""


def cancel_reason(root: Order, info: Info) -> str | None:
    """Why it was cancelled."""
    return read_reason(root.cancel_reason, info)


def refund_reason(root: Refund, info: Info) -> str:
    """Why it is refunded."""
    return read_reason(root.reason, info) or ""


def refund_failure(root: Refund, info: Info) -> str | None:
    """Why the provider refused it last; null if it never did."""
    return read_reason(root.failure, info)


def payment_failure(root: Payment, info: Info) -> str | None:
    """Why it failed last; null if it never did."""
    return read_reason(root.failure, info)


def attempt_failure(root: PaymentAttempt, info: Info) -> str | None:
    """Why it failed; null if it did not."""
    return read_reason(root.failure, info)


def tracking_description(root: ReportedEvent, info: Info) -> str:
    """What happened, as the carrier describes it."""
    return read_reason(root.description, info) or ""


def ticket_refusal(root: Ticket, info: Info) -> str | None:
    """Why the shop refused it, the last time it did."""
    return read_reason(root.refusal, info)


def read_reason(stored: str | None, info: Info) -> str | None:
    """People's own words as they are, a sentence of the shop in the reader's language."""
    if stored is None:
        return None
    return info.context.viewer_of(info).text_of(SENTENCES.get(stored, stored))
