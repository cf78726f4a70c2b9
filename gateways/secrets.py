"""Randomness and passwords: what the domain must not make up by itself."""

import asyncio
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN_BYTES = 32
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""Such as `Secrets.token` makes them."""
NUMBER_DIGITS = 8
NUMBER_ALPHABET = "0123456789"

NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$An6aM8DmPy7AbN9Hvgi5zw$AhOchneUlfyY/7z0XyeEZQYX1gePA6DWgjNxfh9uodg"
"""A password nobody has, hashed like any other: to refuse a stranger costs as long as to refuse a friend."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Argon2id at the library's defaults (RFC 9106, low-memory), in a thread: it takes tens of ms."""

    hasher: PasswordHasher = field(default_factory=PasswordHasher)

    async def hash_password(self, password: str) -> str:
        return await asyncio.to_thread(self.hasher.hash, password)

    async def password_fits(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; never for None, but that takes as long to say."""
        fits = await asyncio.to_thread(self._fits, password_hash or NOBODY, password)
        return fits and password_hash is not None

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self.hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def token(self) -> str:
        """256 random bits, safe in an address."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def number(self, prefix: str, now: datetime) -> str:
        """A number a customer can read out: prefix, date and eight random digits."""
        digits = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_DIGITS))
        return f"{prefix}{now:%y%m%d}{digits}"


def well_formed(token: str) -> bool:
    """Whether it might be a token of ours; whether it is one, the database knows."""
    return TOKEN.fullmatch(token) is not None


def fingerprint(token: str) -> str:
    """What is stored of a random token: it cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign(key: str, message: bytes) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def signature_fits(key: str, message: bytes, signature: str) -> bool:
    return hmac.compare_digest(sign(key, message).encode(), signature.encode())
