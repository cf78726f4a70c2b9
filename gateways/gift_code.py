"""Codes of gift cards, derived from a key: a request that is sent again is answered with the same code."""

import hashlib
import hmac

from gateways.totp import RECOVERY_ALPHABET, RECOVERY_LENGTH


def derive_gift_code(key: str, *subject: str) -> str:
    """The code for a subject in groups of four characters: 79 bits that nobody finds without the key.

    It is stored nowhere but as its hash.
    """
    message = "\x1f".join(("gift card", *subject)).encode()
    number = int.from_bytes(hmac.new(key.encode(), message, hashlib.sha256).digest())
    letters = ""
    for _ in range(RECOVERY_LENGTH):
        number, at = divmod(number, len(RECOVERY_ALPHABET))
        letters += RECOVERY_ALPHABET[at]
    return "-".join(letters[at : at + 4] for at in range(0, RECOVERY_LENGTH, 4))
