"""Second factors: time-based codes of authenticator apps (RFC 6238), and encrypting their secrets."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

import pyotp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

STEP_SECONDS = 30
DRIFT_STEPS = 1
"""Steps that the clock of a phone may be off, in both directions."""
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without characters that are taken for one another."""
RECOVERY_LENGTH = 16
"""79 random bits: nobody finds a code from its hash."""


class SecretUnreadable(Exception):
    """A secret that was encrypted with a key that is no longer known."""


def new_totp_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32()


def totp_uri(secret: str, *, account: str, issuer: str) -> str:
    """What is shown as a QR code to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def match_step(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step that a code belongs to, within DRIFT_STEPS of now; None for a wrong one."""
    totp, step = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    near = range(step - DRIFT_STEPS, step + DRIFT_STEPS + 1)
    matching = [at for at in near if pyotp.utils.strings_equal(totp.generate_otp(at), code)]
    return matching[-1] if matching else None


def new_recovery_codes() -> list[str]:
    """Codes that stand in for the app, in groups of four characters."""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def _new_recovery_code() -> str:
    text = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH))
    return "-".join(text[at : at + 4] for at in range(0, RECOVERY_LENGTH, 4))


def normalize_recovery_code(text: str) -> str:
    """A code as it was given out, however it was typed."""
    letters = "".join(text.lower().replace("-", " ").split())
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def encrypt_secret(keys: Sequence[str], secret: str) -> str:
    """The secret, encrypted and authenticated with the first key."""
    return _fernet_of(keys).encrypt(secret.encode()).decode()


def decrypt_secret(keys: Sequence[str], encrypted: str) -> str:
    """The secret; SecretUnreadable where none of the keys has encrypted it."""
    try:
        return _fernet_of(keys).decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def _fernet_of(keys: Sequence[str]) -> MultiFernet:
    derived = (hashlib.sha256(b"second factor\x1f" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
