"""The address at which a client reaches the shop, for the absolute URLs in answers."""

import re

from starlette.datastructures import Headers
from starlette.types import Scope

from settings import Settings

HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
"""A host name or an address, with a port (RFC 3986, 3.2.2)."""

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def shop_address(scope: Scope, settings: Settings) -> str:
    """PUBLIC_URL, or in development the address that was requested; without a slash at the end.

    In production the header `Host`, which a stranger writes, never decides what is in an answer.
    """
    host = Headers(scope=scope).get("host", "")
    if settings.server.public_url or settings.deployment.is_production or not HOST.fullmatch(host):
        return settings.server.address
    return f"{SCHEMES[scope['scheme']]}://{host}"
