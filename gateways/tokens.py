"""Access tokens: signed JWT (RFC 7519) that name account and role, read without a database query."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from models import Role

ALGORITHM = "HS256"
ISSUER = "cartwheel"
LENGTH_LIMIT = 2_000

ROLE = "role"
FAMILY = "family"


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


def read_token(key: str, text: str, *, now: datetime) -> AccessToken:
    """Return the token in `text`; TokenRefused unless it is signed with `key` and not expired."""
    if len(text) > LENGTH_LIMIT:
        raise TokenRefused
    try:
        claims = jwt.decode(text, _import_key(key), algorithms=[ALGORITHM]).claims
        _build_claims_registry(now).validate(claims)
        return AccessToken(
            account_id=int(claims["sub"]),
            role=Role(claims[ROLE]),
            family=str(claims[FAMILY]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (JoseError, ValueError, TypeError, OverflowError) as error:
        raise TokenRefused from error


@lru_cache(maxsize=4)
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
