"""Notices of Stripe: an HMAC over time and raw body, then JSON."""

import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from pydantic import ValidationError

from gateways.payment.card.objects import StripeEvent
from gateways.payment.provider import NoticeRefused, NoticeRequest

SIGNATURE_HEADER = "stripe-signature"
TOLERANCE = timedelta(minutes=5)
"""How far a notice may be from our clock, either way; Stripe signs anew each time it sends one again."""

HEADER_FORM = re.compile(r"t=[0-9]{1,12}(,[a-z0-9]{1,8}=[0-9a-f]{1,128}){1,16}")
"""One time and the signatures after it: one for each secret that is valid, further kinds may come."""


def read_event(request: NoticeRequest, secrets: Sequence[str], *, is_live: bool, account: str) -> StripeEvent:
    """The event of a genuine and fresh notice to this account; NoticeRefused for any other."""
    verify_notice(request, secrets)
    try:
        event = StripeEvent.model_validate_json(request.body)
    except ValidationError:
        raise NoticeRefused("unreadable") from None
    if event.object != "event" or not event.id.startswith("evt_"):
        raise NoticeRefused("not an event")
    if event.livemode is not is_live:
        raise NoticeRefused("of the other mode, test or live")
    if (event.account or "") != account:
        raise NoticeRefused("of another account")
    return event


def verify_notice(request: NoticeRequest, secrets: Sequence[str]) -> None:
    """NoticeRefused unless one of the secrets has signed the notice within TOLERANCE of its arrival."""
    header = request.headers.get(SIGNATURE_HEADER, "")
    if not HEADER_FORM.fullmatch(header):
        raise NoticeRefused("no signature that can be read")
    (_, time), *signatures = [item.split("=") for item in header.split(",")]
    given = [value for scheme, value in signatures if scheme == "v1"]
    expected = [sign_notice(secret, time, request.body) for secret in secrets]
    matches = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(matches):
        raise NoticeRefused("wrong signature")
    if abs(request.received_at - parse_time(time)) > TOLERANCE:
        raise NoticeRefused("not fresh")


def sign_notice(secret: str, time: str, body: bytes) -> str:
    """The signature of the scheme "v1", in hex."""
    return hmac.new(secret.encode(), f"{time}.".encode() + body, sha256).hexdigest()


def parse_time(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise NoticeRefused("no time") from None
