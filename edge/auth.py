"""Reading the viewer from HTTP headers or a WebSocket's `connection_init`, and renewing their rights."""

import re
from collections.abc import Mapping
from dataclasses import replace

from domain.language import canonical_tag
from events.shop import Shop
from gateways.tokens import AccessToken, TokenRefused, is_cart_token, read_token
from loaders.account import SessionRights
from models import CurrencyCode
from models.language import LANGUAGE_TAG
from resolvers.context import Viewer
from text.messages import LANGUAGES, Message

ACCEPT_LANGUAGE_LIMIT = 20
"""Languages read from one `Accept-Language`; further ones are ignored."""

ROBOT = re.compile(r"bot\b|crawl|spider|slurp|preview|headless|facebookexternalhit|lighthouse", re.IGNORECASE)
"""User agents of crawlers and previews, whose visits count no views."""


class CredentialsRefused(Exception):
    """Credentials that are forged, expired, revoked or malformed; the request is not served as a guest's."""

    def __init__(self) -> None:
        self.message = Message("Your access token is not valid any more. Refresh it or sign in again.")
        super().__init__(self.message)


async def viewer_of(headers: Mapping[str, str], shop: Shop) -> Viewer:
    """Return the viewer named by `authorization`, `x-cart-token`, `accept-language` and `x-currency`.

    The names in `headers` are lower-case. Without `authorization` the viewer is a guest; a currency that the
    shop does not have is replaced by its default, a language by that of the account, else by the shop's, and
    a cart token that it has not made is none. CredentialsRefused when the access token is not valid, or not
    any more. The role is that of the account now, not that in the token.
    """
    token = _read_access_token(headers.get("authorization", ""), shop)
    accepted = choose_accepted_language(headers.get("accept-language", ""))
    guest = Viewer(
        language=accepted or shop.settings.locale.default_language,
        currency=_choose_currency(
            headers.get("x-currency", ""), default=shop.settings.locale.default_currency
        ),
        zone=shop.settings.locale.zone,
        cart_token=_read_cart_token(headers.get("x-cart-token", ""), shop),
        robot=bool(
            ROBOT.search(headers.get("user-agent", "")) or "prefetch" in headers.get("sec-purpose", "")
        ),
    )
    if token is None:
        return guest
    rights = await _find_rights(token, shop)
    language = accepted or rights.language or guest.language
    return _apply_rights(replace(guest, token=token, language=language), rights)


async def renew_viewer(viewer: Viewer, shop: Shop) -> Viewer:
    """Return the viewer with the rights of this moment, for everything that outlives one request.

    CredentialsRefused when their access token has expired, their sign-in has ended or their account is
    disabled. What has changed elsewhere is seen after RIGHTS_REMEMBERED at the latest. A guest stays one.
    """
    if viewer.token is None:
        return viewer
    return _apply_rights(viewer, await _find_rights(viewer.token, shop))


async def _find_rights(token: AccessToken, shop: Shop) -> SessionRights:
    """What the sign-in of a token may do now; CredentialsRefused when it may do nothing any more."""
    if token.expires_at <= shop.clock():
        raise CredentialsRefused
    rights = await shop.session_rights.find(token.family)
    if rights is None or rights.account_id != token.account_id:
        raise CredentialsRefused
    return rights


def _apply_rights(viewer: Viewer, rights: SessionRights) -> Viewer:
    return replace(viewer, role=rights.role, account_id=rights.account_id, must_enrol=rights.must_enrol)


def account_of(headers: Mapping[str, str], shop: Shop) -> int | None:
    """The account that a valid access token names, whatever its rights are now; None for a guest."""
    try:
        token = _read_access_token(headers.get("authorization", ""), shop)
    except CredentialsRefused:
        return None
    return token.account_id if token else None


def _read_access_token(authorization: str, shop: Shop) -> AccessToken | None:
    if not authorization:
        return None
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise CredentialsRefused
    try:
        return read_token(shop.settings.verifying_keys(), text.strip(), now=shop.clock())
    except TokenRefused as refused:
        raise CredentialsRefused from refused


def _read_cart_token(text: str, shop: Shop) -> str | None:
    """The token of a guest's cart; None for a text that the shop has not signed, as without any token."""
    return text if is_cart_token(shop.settings.verifying_keys(), text) else None


def choose_accepted_language(accepted: str) -> str | None:
    """Return the tag of the highest weight whose primary language the shop has (RFC 9110, 12.5.4)."""
    preferences = [_parse_preference(part) for part in accepted.split(",")[:ACCEPT_LANGUAGE_LIMIT]]
    for weight, tag in sorted(preferences, key=lambda preference: -preference[0]):
        if weight > 0 and LANGUAGE_TAG.fullmatch(tag) and tag.partition("-")[0].lower() in LANGUAGES:
            return canonical_tag(tag)
    return None


def _parse_preference(part: str) -> tuple[float, str]:
    """Return weight and tag of one element of `Accept-Language`; the weight is 1 when it has none."""
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.strip().partition("=")
    return (_parse_weight(value) if name.strip().lower() == "q" else 1.0), tag.strip()


def _parse_weight(text: str) -> float:
    """Return a weight from 0 to 1; 0 when it is malformed or out of range."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _choose_currency(code: str, *, default: CurrencyCode) -> CurrencyCode:
    try:
        return CurrencyCode(code.strip().upper())
    except ValueError:
        return default
