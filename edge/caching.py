"""What a CDN needs: how long an answer may be kept and by what it differs, and 304 for who has it already."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta

from starlette.datastructures import Headers
from starlette.responses import Response

from settings import Settings

PRIVATE = "private, no-store"
VARY = "Accept-Language, Authorization, X-Cart-Token, X-Currency"
"""Everything in a request, beside its address, that can change an answer."""

CREDENTIALS = ("authorization", "x-cart-token", "cookie")
"""Whoever sends one of them is somebody, and gets an answer of their own."""


def is_nobody(headers: Mapping[str, str]) -> bool:
    """Whether a request says nothing about who sends it."""
    return not any(name in headers for name in CREDENTIALS)


def public(fresh: timedelta, settings: Settings) -> str:
    """`Cache-Control` of an answer that is the same for everybody."""
    seconds = int(min(fresh, settings.public_max_age).total_seconds())
    stale = int(settings.public_stale_while_revalidate.total_seconds())
    return f"public, max-age={seconds}, stale-while-revalidate={stale}"


def etagged(response: Response, request: Headers) -> Response:
    """The same answer with a strong ETag, or 304 where the client has it."""
    digest = hashlib.sha256(bytes(response.body)).digest()[:18]
    etag = f'"{base64.urlsafe_b64encode(digest).decode()}"'
    response.headers["ETag"] = etag
    if not matches(request.get("if-none-match", ""), etag):
        return response
    kept = {name: response.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
    return Response(status_code=304, headers=kept)


def matches(given: str, etag: str) -> bool:
    """If-None-Match, by the weak comparison (RFC 9110, 13.1.2)."""
    candidates = [each.strip().removeprefix("W/") for each in given.split(",")]
    return given.strip() == "*" or etag in candidates
