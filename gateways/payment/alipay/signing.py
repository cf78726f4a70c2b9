"""RSA2, Alipay's signatures: RSA PKCS #1 v1.5 with SHA-256, in base64."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

SMALLEST_KEY_BITS = 2048


class KeyUnreadable(Exception):
    """A key file that holds no RSA key for RSA2; the text says why, without the key."""


@dataclass(frozen=True, slots=True)
class AlipayKeys:
    """The shop's own key, which signs requests, and those that Alipay's messages are verified by."""

    own: RSAPrivateKey
    alipay: Sequence[RSAPublicKey]

    def sign(self, text: str) -> str:
        return base64.b64encode(self.own.sign(text.encode(), PKCS1v15(), SHA256())).decode()

    def verify(self, signed: bytes, signature: str) -> bool:
        """Whether the signature is one of Alipay's; only its canonical base64 is one."""
        try:
            raw = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        if base64.b64encode(raw).decode() != signature:
            return False
        return any(_fits(key, raw, signed) for key in self.alipay)


def signing_input(parameters: Mapping[str, str]) -> str:
    """What a signature over parameters covers: sorted by name, joined as they are, not URL-encoded."""
    return "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))


def read_private_key(content: bytes) -> RSAPrivateKey:
    """A private key as PEM or, as Alipay's key tool writes it, as base64 alone."""
    try:
        if b"-----BEGIN" in content:
            key = load_pem_private_key(content, password=None)
        else:
            key = load_der_private_key(base64.b64decode(content), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnreadable("holds no private key") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_KEY_BITS:
        raise KeyUnreadable(f"holds no RSA key of {SMALLEST_KEY_BITS} bits or more")
    return key


def read_public_key(content: bytes) -> RSAPublicKey:
    """A public key as PEM or as base64 alone."""
    try:
        if b"-----BEGIN" in content:
            key = load_pem_public_key(content)
        else:
            key = load_der_public_key(base64.b64decode(content))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnreadable("holds no public key") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
        raise KeyUnreadable(f"holds no RSA key of {SMALLEST_KEY_BITS} bits or more")
    return key


def _fits(key: RSAPublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
