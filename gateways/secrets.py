"""Random tokens and numbers, password hashes and HMAC signatures."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateways.hashing import HashQueue

TOKEN_BYTES = 32
NUMBER_DIGITS = 8
NUMBER_ALPHABET = "0123456789"

DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$An6aM8DmPy7AbN9Hvgi5zw$AhOchneUlfyY/7z0XyeEZQYX1gePA6DWgjNxfh9uodg"
)
"""Verified where no account has the login, so that the time to refuse does not tell whether one has."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Makes random tokens and numbers; hashes and verifies passwords.

    Argon2id with the library's defaults (RFC 9106, low-memory). HashingBusy when too many hashes wait.
    """

    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    queue: HashQueue = field(default_factory=HashQueue)

    async def hash_password(self, password: str) -> str:
        return await self.queue.run(self.hasher.hash, password)

    async def verify_password(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash is that of the password; False for None, after the same time."""
        is_valid = await self.queue.run(self._verify, password_hash or DUMMY_HASH, password)
        return is_valid and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self.hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def new_token(self) -> str:
        """256 random bits in characters that are safe in a URL."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def new_number(self, prefix: str, now: datetime) -> str:
        """A number that a customer can read out: prefix, date (YYMMDD) and eight random digits."""
        digits = "".join(secrets.choice(NUMBER_ALPHABET) for _ in range(NUMBER_DIGITS))
        return f"{prefix}{now:%y%m%d}{digits}"


def fingerprint_of(token: str) -> str:
    """SHA-256 of a random token in hex: what is stored instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def sign_message(key: str, message: bytes) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def verify_signature(key: str, message: bytes, signature: str) -> bool:
    return hmac.compare_digest(sign_message(key, message).encode(), signature.encode())


CODE_DIGITS = 6


def derive_code(key: str, *subject: str) -> str:
    """The one-time code for a subject, as RFC 4226 (5.3) takes digits from an HMAC, here of SHA-256.

    It needs to be stored nowhere: whoever has the key finds it again.
    """
    message = "\x1f".join(("one-time code", *subject)).encode()
    digest = hmac.new(key.encode(), message, hashlib.sha256).digest()
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def verify_code(keys: Sequence[str], code: str, *subject: str) -> bool:
    """Whether it is the code for the subject by one of the keys."""
    given = code.strip().encode()
    return any(hmac.compare_digest(derive_code(key, *subject).encode(), given) for key in keys)
