"""Access tokens: who somebody is for the next minutes, readable without asking the database (RFC 7519)."""

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
    """A token that is not ours, not whole, or not good any more."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token says: an account, its role, and the sign-in it came from."""

    account_id: int
    role: Role
    family: str
    expires_at: datetime


def write_token(key: str, token: AccessToken, *, now: datetime) -> str:
    claims = {
        "iss": ISSUER,
        "sub": str(token.account_id),
        ROLE: token.role.value,
        FAMILY: token.family,
        "iat": int(now.timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }
    return jwt.encode({"alg": ALGORITHM}, claims, _signer(key))


def read_token(key: str, text: str, *, now: datetime) -> AccessToken:
    """The token in `text`; TokenRefused unless we signed it and it has not expired."""
    if len(text) > LENGTH_LIMIT:
        raise TokenRefused
    try:
        claims = jwt.decode(text, _signer(key), algorithms=[ALGORITHM]).claims
        _rules(now).validate(claims)
        return AccessToken(
            account_id=int(claims["sub"]),
            role=Role(claims[ROLE]),
            family=str(claims[FAMILY]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (JoseError, ValueError, TypeError, OverflowError) as error:
        raise TokenRefused from error


@lru_cache(maxsize=4)
def _signer(key: str) -> OctKey:
    return OctKey.import_key(key)


def _rules(now: datetime) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        iss={"essential": True, "value": ISSUER},
        sub={"essential": True},
        exp={"essential": True},
        role={"essential": True},
        family={"essential": True},
    )
