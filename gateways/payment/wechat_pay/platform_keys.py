"""The keys WeChat Pay signs with: its public key, and platform certificates, which it replaces."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from gateways.payment.provider import ProviderError
from gateways.payment.wechat_pay.content import CertificateItem, CertificateList
from gateways.payment.wechat_pay.signing import SignatureRefused, SignedMessage, decrypt

log = structlog.get_logger()

CERTIFICATES_PATH = "/v3/certificates"
CERTIFICATES_LIFETIME = timedelta(hours=10)
"""How long the list is used: WeChat Pay asks to look for new certificates within 12 hours."""
FETCH_PAUSE = timedelta(minutes=1)
"""Unknown serials make us fetch the list, and whoever invents them does so once in this time."""


@dataclass(frozen=True, slots=True)
class PlatformCertificate:
    key: RSAPublicKey
    expires_at: datetime


class CertificatesClosed(ProviderError):
    """The shop's key does not open the certificates: it opens no notice either."""


FetchCertificates = Callable[[], Awaitable[tuple[SignedMessage, CertificateList]]]


@dataclass(slots=True)
class PlatformKeys:
    """Finds the key by the serial that came with a signature.

    While a merchant moves from certificates to the public key, signatures of both arrive.
    """

    api_key: bytes = field(repr=False)
    public_keys: Mapping[str, RSAPublicKey]
    """By id: one, or none."""
    fetch: FetchCertificates
    """The list of certificates, with the signature that has yet to be verified by one of them."""
    clock: Callable[[], datetime]
    certificates: Mapping[str, PlatformCertificate] = field(default_factory=dict)
    fetched_at: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def verify(self, message: SignedMessage) -> None:
        """SignatureRefused unless WeChat Pay has signed it just now; ProviderError where a key is away."""
        message.check_time(self.clock())
        message.check_signature(await self.find(message.serial))

    async def find(self, serial: str) -> RSAPublicKey:
        """The key of a serial; SignatureRefused where WeChat Pay has none such."""
        if serial in self.public_keys:
            return self.public_keys[serial]
        if serial.startswith("PUB_KEY_ID_"):
            raise SignatureRefused("unknown public key")
        await self.refresh(serial)
        certificate = self.certificates.get(serial)
        if certificate is None or certificate.expires_at <= self.clock():
            raise SignatureRefused("unknown certificate")
        return certificate.key

    async def refresh(self, serial: str) -> None:
        """Fetch the list where it is old or does not have the serial, unless it was fetched a moment ago."""
        async with self.lock:
            now = self.clock()
            is_young = self.fetched_at is not None and now - self.fetched_at < CERTIFICATES_LIFETIME
            is_new = self.fetched_at is not None and abs(now - self.fetched_at) < FETCH_PAUSE
            is_known = serial in self.certificates
            if is_new or (is_young and is_known):
                return
            try:
                await self.load()
            except ProviderError as error:
                log.warning("wechat_pay.certificates_not_fetched", error=str(error))
                if not is_known:
                    raise

    async def load(self) -> None:
        """Replace the certificates by those of now; one that is not listed any more counts no longer."""
        message, content = await self.fetch()
        try:
            found = dict(map(self.read_certificate, content.data))
        except ValueError as error:
            raise CertificatesClosed(f"the platform certificates cannot be read: {error}") from None
        # The list is signed by a certificate it brings: that our key decrypts them proves whose they are.
        signer = found.get(message.serial)
        key = signer.key if signer else self.public_keys.get(message.serial)
        if key is None:
            raise ProviderError("the platform certificates are signed by none of them")
        try:
            message.check_time(self.clock())
            message.check_signature(key)
        except SignatureRefused as error:
            raise ProviderError(f"the platform certificates are not WeChat Pay's: {error}") from None
        self.certificates, self.fetched_at = found, self.clock()
        log.info("wechat_pay.certificates_fetched", serials=sorted(found))

    def read_certificate(self, item: CertificateItem) -> tuple[str, PlatformCertificate]:
        """A certificate of the list by its serial; ValueError unless our key decrypts it."""
        box = item.encrypt_certificate
        text = decrypt(
            self.api_key, nonce=box.nonce, associated_data=box.associated_data, ciphertext=box.ciphertext
        )
        certificate = load_pem_x509_certificate(text)
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or certificate.serial_number != int(item.serial_no, 16):
            raise ValueError("another certificate than listed")
        return item.serial_no, PlatformCertificate(
            key, min(item.expire_time, certificate.not_valid_after_utc)
        )
