"""Addresses of private pictures: signed, and good for a short time only."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateways.secrets import sign_message, verify_signature

MESSAGE = "picture:"
"""Stands before what is signed, so that the signature of nothing else is one of an address."""
LIFETIME = timedelta(minutes=30)
"""How long an address is good at least; at most twice as long, so that it stays the same for a while and
browsers keep what it opens."""
TOKEN = re.compile(r"(?P<expires>[0-9]{1,12})\.(?P<signature>[0-9a-f]{64})")


def sign_picture_path(key: str, path: str, *, now: datetime) -> str:
    """The path of a picture with the moment until which it opens, and a signature of both."""
    step = int(LIFETIME.total_seconds())
    expires = (int(now.timestamp()) // step + 2) * step
    return f"{path}?token={expires}.{sign_message(key, describe(path, expires))}"


def may_open_picture(keys: Sequence[str], path: str, token: str, *, now: datetime) -> bool:
    """Whether a token opens this picture at this moment."""
    found = TOKEN.fullmatch(token)
    if found is None or not any(
        verify_signature(key, describe(path, int(found["expires"])), found["signature"]) for key in keys
    ):
        return False
    return now < datetime.fromtimestamp(int(found["expires"]), UTC)


def describe(path: str, expires: int) -> bytes:
    return f"{MESSAGE}{expires}.{path}".encode()
