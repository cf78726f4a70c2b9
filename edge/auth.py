"""Who asks: read from HTTP headers or from a WebSocket's first message, without asking the database."""

import re
from collections.abc import Mapping

from domain.language import canonical
from events.shop import Shop
from gateways.tokens import AccessToken, TokenRefused, read_token
from models import CurrencyCode, Role
from resolvers.context import Viewer

LANGUAGES = frozenset({"zh", "en"})
"""Primary languages that texts are kept in."""

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
ACCEPTED_LIMIT = 20
"""Languages of one `Accept-Language` that are looked at."""

CART_TOKEN_LIMIT = 100
ROBOT = re.compile(r"bot\b|crawl|spider|slurp|preview|headless|facebookexternalhit|lighthouse", re.IGNORECASE)
"""How programs that look at pages for nobody call themselves."""


class CredentialsRefused(Exception):
    """Credentials were given, but they are forged, expired or not understood: that makes nobody a guest."""

    def __init__(self) -> None:
        super().__init__("Your access token is not valid any more. Refresh it or sign in again.")


def viewer_of(given: Mapping[str, str], shop: Shop) -> Viewer:
    """The viewer named by `authorization`, `x-cart-token`, `accept-language` and `x-currency`.

    `given` finds its values by lower-case names. Without `authorization` it is a guest; a language or
    currency the shop does not have becomes its default.
    """
    token = _access_token(given.get("authorization", ""), shop)
    return Viewer(
        language=_language(given.get("accept-language", ""), otherwise=shop.settings.default_language),
        currency=_currency(given.get("x-currency", ""), otherwise=shop.settings.default_currency),
        role=token.role if token else Role.GUEST,
        account_id=token.account_id if token else None,
        cart_token=given.get("x-cart-token", "")[:CART_TOKEN_LIMIT] or None,
        robot=bool(ROBOT.search(given.get("user-agent", "")) or "prefetch" in given.get("sec-purpose", "")),
    )


def _access_token(authorization: str, shop: Shop) -> AccessToken | None:
    if not authorization:
        return None
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise CredentialsRefused
    try:
        return read_token(shop.settings.signing_key(), text.strip(), now=shop.clock())
    except TokenRefused as refused:
        raise CredentialsRefused from refused


def _language(accepted: str, *, otherwise: str) -> str:
    """The most wanted tag whose primary language we have (RFC 9110, 12.5.4)."""
    wanted = [_weighed(part) for part in accepted.split(",")[:ACCEPTED_LIMIT]]
    for weight, tag in sorted(wanted, key=lambda choice: -choice[0]):
        if weight > 0 and LANGUAGE_TAG.fullmatch(tag) and tag.partition("-")[0].lower() in LANGUAGES:
            return canonical(tag)
    return otherwise


def _weighed(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.strip().partition("=")
    return (_weight(value) if name.strip().lower() == "q" else 1.0), tag.strip()


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _currency(code: str, *, otherwise: CurrencyCode) -> CurrencyCode:
    try:
        return CurrencyCode(code.strip().upper())
    except ValueError:
        return otherwise
