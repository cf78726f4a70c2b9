"""Tokens that the shop signs, so that they are verified without a database query.

Access tokens are JWT (RFC 7519) that name account and role; cart tokens are random and signed by HMAC.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey

from gateways.secrets import sign_message, verify_signature
from models import Role

ALGORITHM = "HS256"
ISSUER = "cartwheel"
LENGTH_LIMIT = 2_000

ROLE = "role"
FAMILY = "family"

CART_TOKEN = re.compile(r"(?P<random>[A-Za-z0-9_-]{43})\.(?P<signature>[0-9a-f]{64})")
"""A random token as `Secrets.new_token` makes it, and its signature."""
CART_MESSAGE = "cart:"
"""Stands before what is signed, so that the signature of nothing else is one of a cart token."""


class TokenRefused(Exception):
    """A token that is malformed, expired or not signed with our key."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The content of a token: an account, its role, and the family of tokens that one sign-in began."""

    account_id: int
    role: Role
    family: str
    expires_at: datetime


def write_token(key: str, token: AccessToken, *, now: datetime) -> str:
    """Sign a token with HMAC-SHA256 and return it as text."""
    claims = {
        "iss": ISSUER,
        "sub": str(token.account_id),
        ROLE: token.role.value,
        FAMILY: token.family,
        "iat": int(now.timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }
    return jwt.encode({"alg": ALGORITHM}, claims, _import_key(key))


def write_cart_token(key: str, random_token: str) -> str:
    """Sign a random token as that of a guest's cart; who has it may see and change the cart."""
    return f"{random_token}.{sign_message(key, (CART_MESSAGE + random_token).encode())}"


def is_cart_token(keys: Sequence[str], text: str) -> bool:
    """Whether the shop made it, with one of its keys. Whether a cart has it, only the database knows."""
    match = CART_TOKEN.fullmatch(text)
    if match is None:
        return False
    message = (CART_MESSAGE + match["random"]).encode()
    return any(verify_signature(key, message, match["signature"]) for key in keys)


def read_token(keys: Sequence[str], text: str, *, now: datetime) -> AccessToken:
    """Return the token in `text`; TokenRefused unless it is signed with one of the keys and not expired."""
    if len(text) > LENGTH_LIMIT:
        raise TokenRefused
    try:
        claims = _verify_claims(keys, text)
        _build_claims_registry(now).validate(claims)
        return AccessToken(
            account_id=int(claims["sub"]),
            role=Role(claims[ROLE]),
            family=str(claims[FAMILY]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (JoseError, ValueError, TypeError, OverflowError) as error:
        raise TokenRefused from error


def _verify_claims(keys: Sequence[str], text: str) -> jwt.Claims:
    """Return the claims of a JWT that is signed with one of the keys; the error of the last key otherwise."""
    *old_keys, last_key = reversed(keys)
    for key in old_keys:
        with suppress(BadSignatureError):
            return jwt.decode(text, _import_key(key), algorithms=[ALGORITHM]).claims
    return jwt.decode(text, _import_key(last_key), algorithms=[ALGORITHM]).claims


@lru_cache(maxsize=16)
def _import_key(key: str) -> OctKey:
    return OctKey.import_key(key)


def _build_claims_registry(now: datetime) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        iss={"essential": True, "value": ISSUER},
        sub={"essential": True},
        exp={"essential": True},
        role={"essential": True},
        family={"essential": True},
    )
