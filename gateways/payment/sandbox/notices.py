"""Notices of the sandbox: how they are signed, written and read, and in which ways they may go wrong.

A notice is a POST of JSON `{reference, status, amount, currency, reason}`, amount in minor units, with three
headers: a Unix timestamp in seconds, a nonce, and the HMAC of "timestamp.nonce.body".
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gateways.payment.provider import NoticeRefused
from models import AttemptReport, AttemptStatus, CurrencyCode, Money

TIMESTAMP_HEADER = "sandbox-timestamp"
NONCE_HEADER = "sandbox-nonce"
SIGNATURE_HEADER = "sandbox-signature"

EARLIER_NOTICE = timedelta(seconds=30)
"""How long before the last notice the one was signed that comes after it."""


class NoticeFault(StrEnum):
    """How a payer of the sandbox wants the shop to be told."""

    NONE = "NONE"
    """Once, at once and rightly."""
    TWICE = "TWICE"
    """The same notice comes twice."""
    LATE = "LATE"
    """It comes some time after the money."""
    OUT_OF_ORDER = "OUT_OF_ORDER"
    """An older notice, which says something else, comes after it."""
    WRONG_AMOUNT = "WRONG_AMOUNT"
    """It names another amount."""


def list_sendings(report: AttemptReport, fault: NoticeFault) -> Sequence[tuple[AttemptReport, timedelta]]:
    """What is told one after the other, and how long ago each was signed."""
    now = timedelta()
    if fault is NoticeFault.OUT_OF_ORDER:
        was_paid = report.status is AttemptStatus.CAPTURED
        before = AttemptStatus.DECLINED if was_paid else AttemptStatus.WAITING
        return [(report, now), (replace(report, status=before, reason=None), EARLIER_NOTICE)]
    if fault is NoticeFault.WRONG_AMOUNT and report.amount:
        other = Money(report.amount.minor + 1, report.amount.currency)
        return [(replace(report, amount=other), now)]
    return [(report, now)]


def encode_report(report: AttemptReport) -> bytes:
    return json.dumps(
        {
            "reference": report.reference,
            "status": report.status,
            "amount": report.amount.minor if report.amount else 0,
            "currency": report.amount.currency if report.amount else "",
            "reason": report.reason,
        }
    ).encode()


def parse_report(body: bytes) -> AttemptReport:
    """The report in the body of a notification; NoticeRefused when it cannot be read."""
    try:
        content = json.loads(body)
        reference = parse_text(content["reference"])
        return AttemptReport(
            reference=reference,
            provider_reference=f"SANDBOX-{reference}",
            status=AttemptStatus(content["status"]),
            amount=Money(int(content["amount"]), CurrencyCode(content["currency"])),
            reason=content["reason"] and parse_text(content["reason"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise NoticeRefused(f"unreadable: {type(error).__name__}") from None


def parse_text(value: object) -> str:
    """The value as text; ValueError unless it is printable: databases take no NUL and no lone surrogate."""
    text = str(value)
    if not text.isprintable():
        raise ValueError("not a text")
    return text


def parse_timestamp(seconds: str) -> datetime:
    """A Unix timestamp in seconds as a time in UTC; NoticeRefused when it is none."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise NoticeRefused("no time") from None


def notification_signing_input(timestamp: str, nonce: str, body: bytes) -> bytes:
    """What the signature of a notification covers."""
    return f"{timestamp}.{nonce}.".encode() + body
