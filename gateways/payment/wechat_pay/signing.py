"""Signatures of WeChat Pay API v3: SHA256-RSA over lines that each end with a line feed."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

AUTHORIZATION = "WECHATPAY2-SHA256-RSA2048"
RSA_SIGNATURE = AUTHORIZATION
"""The type of signature in the header of a notice."""

PROBE_PREFIX = "WECHATPAY/SIGNTEST/"
"""Begins signatures that WeChat Pay makes wrong on purpose, to see whether they are refused."""

AGE_LIMIT = timedelta(minutes=5)
"""How far the time of an answer or a notice may be from ours, in both directions."""


class SignatureRefused(Exception):
    """What came is not signed by WeChat Pay, or not now."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who signs: the merchant's number, the serial of its certificate and its key."""

    id: str
    serial: str
    key: RSAPrivateKey
    clock: Callable[[], datetime]
    new_nonce: Callable[[], str]

    def sign_lines(self, *lines: str) -> str:
        """The signature over the lines, in base64."""
        message = b"".join(line.encode() + b"\n" for line in lines)
        return base64.b64encode(self.key.sign(message, PKCS1v15(), SHA256())).decode()

    def sign_request(self, method: str, target: str, body: bytes) -> str:
        """The Authorization header of a request; `target` is its path with the query as sent."""
        timestamp, nonce = self.stamp()
        signature = self.sign_lines(method, target, timestamp, nonce, body.decode())
        return (
            f'{AUTHORIZATION} mchid="{self.id}",nonce_str="{nonce}",timestamp="{timestamp}",'
            f'serial_no="{self.serial}",signature="{signature}"'
        )

    def stamp(self) -> tuple[str, str]:
        """The seconds of now and a new nonce of 32 characters at most."""
        return str(int(self.clock().timestamp())), self.new_nonce()[:32]


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """What the headers of an answer or a notice say of its signature."""

    serial: str
    timestamp: str
    nonce: str
    signature: str
    body: bytes

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes) -> "SignedMessage":
        """From headers with names in lower case; SignatureRefused where one is missing."""
        kind = headers.get("wechatpay-signature-type", RSA_SIGNATURE)
        if kind != RSA_SIGNATURE:
            raise SignatureRefused("another type of signature")
        values = [
            headers.get(f"wechatpay-{name}", "") for name in ("serial", "timestamp", "nonce", "signature")
        ]
        if not all(values):
            raise SignatureRefused("not signed")
        if values[-1].startswith(PROBE_PREFIX):
            raise SignatureRefused("a probe with a wrong signature")
        serial, timestamp, nonce, signature = values
        return cls(serial, timestamp, nonce, signature, body)

    def check_time(self, now: datetime) -> None:
        """SignatureRefused unless it was signed within AGE_LIMIT of now."""
        if not (self.timestamp.isascii() and self.timestamp.isdigit() and len(self.timestamp) <= 11):
            raise SignatureRefused("no time")
        if abs(now - datetime.fromtimestamp(int(self.timestamp), UTC)) > AGE_LIMIT:
            raise SignatureRefused("not fresh")

    def check_signature(self, key: RSAPublicKey) -> None:
        """SignatureRefused unless the key has signed exactly these bytes."""
        signed = f"{self.timestamp}\n{self.nonce}\n".encode() + self.body + b"\n"
        try:
            signature = base64.b64decode(self.signature, validate=True)
            # A changed last character may decode to the same bytes: only one text is the signature.
            if base64.b64encode(signature).decode() != self.signature:
                raise SignatureRefused("wrong signature")
            key.verify(signature, signed, PKCS1v15(), SHA256())
        except (binascii.Error, ValueError, InvalidSignature):
            raise SignatureRefused("wrong signature") from None


def decrypt(api_key: bytes, *, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """What AEAD_AES_256_GCM encrypted; ValueError unless the key made it with these data."""
    try:
        data = base64.b64decode(ciphertext, validate=True)
        return AESGCM(api_key).decrypt(nonce.encode(), data, associated_data.encode())
    except (binascii.Error, InvalidTag):
        raise ValueError("cannot be decrypted") from None
