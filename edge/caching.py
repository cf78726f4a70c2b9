"""HTTP caching headers: how long an answer may be kept, by what it differs, ETag and 304."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta

from starlette.datastructures import Headers
from starlette.responses import Response

from settings import Settings

PRIVATE = "private, no-store"
STALE_WHILE_REVALIDATE = timedelta(seconds=30)
"""How long a CDN may still answer with an expired answer while it fetches a new one."""

VARY = "Accept, Accept-Language, Authorization, X-Cart-Token, X-Currency"
"""Every request header that can change an answer."""

CREDENTIALS = ("authorization", "x-cart-token", "cookie")
"""Headers that identify the sender; an answer to a request with one of them is private."""


def is_anonymous(headers: Mapping[str, str]) -> bool:
    """Whether no header identifies the sender."""
    return not any(name in headers for name in CREDENTIALS)


def public_cache_control(fresh: timedelta, settings: Settings) -> str:
    """`Cache-Control` of an answer that is the same for everybody and may be kept for `fresh`."""
    seconds = int(min(fresh, settings.caching.public_max_age).total_seconds())
    stale = int(STALE_WHILE_REVALIDATE.total_seconds())
    return f"public, max-age={seconds}, stale-while-revalidate={stale}"


def add_etag(response: Response, request: Headers) -> Response:
    """Return the response with a strong ETag, or an empty 304 where the client has this content."""
    digest = hashlib.sha256(bytes(response.body)).digest()[:18]
    etag = f'"{base64.urlsafe_b64encode(digest).decode()}"'
    response.headers["ETag"] = etag
    if not matches_etag(request.get("if-none-match", ""), etag):
        return response
    headers = {name: response.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
    return Response(status_code=304, headers=headers)


def matches_etag(if_none_match: str, etag: str) -> bool:
    """Whether `If-None-Match` names this ETag, by the weak comparison (RFC 9110, 13.1.2)."""
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return if_none_match.strip() == "*" or etag in candidates
