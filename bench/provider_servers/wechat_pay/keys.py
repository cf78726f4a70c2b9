"""The keys of the merchant and of WeChat Pay, kept in a folder."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

MERCHANT_ID = "1900000109"
APP_ID = "wxd678efh567hg6787"
MOBILE_APP_ID = "wx2421b1c4370ec43b"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001092024110500111100000000"
CERTIFICATE_LIFETIME = timedelta(days=5 * 365)


@dataclass(slots=True)
class PlatformCertificate:
    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:040X}"

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(slots=True)
class ServerKeys:
    folder: Path
    merchant_key: RSAPrivateKey
    merchant_serial: str
    api_key: bytes
    public_key: RSAPrivateKey
    certificates: list[PlatformCertificate] = field(default_factory=list)
    """The newest last: it signs."""

    @classmethod
    def open(cls, folder: Path) -> "ServerKeys":
        """Those of the folder, made where there are none."""
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / "keys.json"
        if not kept.exists():
            kept.write_text(
                json.dumps({"serial": secrets.token_hex(20).upper(), "api_key": secrets.token_hex(16)})
            )
        words = json.loads(kept.read_text())
        keys = cls(
            folder,
            open_key(folder / "merchant_key.pem"),
            words["serial"],
            words["api_key"].encode(),
            open_key(folder / "platform_key.pem"),
        )
        (folder / "platform_public_key.pem").write_bytes(
            keys.public_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        for file in sorted(folder.glob("certificate_*.pem")):
            key = open_key(file.with_name(file.name.replace("certificate_", "certificate-key_")))
            keys.certificates.append(
                PlatformCertificate(key, x509.load_pem_x509_certificate(file.read_bytes()))
            )
        if not keys.certificates:
            keys.rotate(keep=True)
        return keys

    def environment(self, url: str) -> Mapping[str, str]:
        """The settings of a shop that knows both kinds of keys."""
        return {
            "WECHAT_PAY_URL": url,
            "WECHAT_PAY_MERCHANT_ID": MERCHANT_ID,
            "WECHAT_PAY_APP_ID": APP_ID,
            "WECHAT_PAY_MOBILE_APP_ID": MOBILE_APP_ID,
            "WECHAT_PAY_CERTIFICATE_SERIAL": self.merchant_serial,
            "WECHAT_PAY_PRIVATE_KEY_FILE": str(self.folder / "merchant_key.pem"),
            "WECHAT_PAY_API_KEY": self.api_key.decode(),
            "WECHAT_PAY_PUBLIC_KEY_ID": PUBLIC_KEY_ID,
            "WECHAT_PAY_PUBLIC_KEY_FILE": str(self.folder / "platform_public_key.pem"),
        }

    def rotate(self, *, keep: bool) -> None:
        """Sign with a new certificate; the old ones stay in the list, or go."""
        if not keep:
            for file in self.folder.glob("certificate*_*.pem"):
                file.unlink()
            self.certificates.clear()
        number = f"{len(self.certificates):03}"
        key = open_key(self.folder / f"certificate-key_{number}.pem")
        certificate = make_certificate(key)
        (self.folder / f"certificate_{number}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        self.certificates.append(PlatformCertificate(key, certificate))

    def sign(self, message: bytes, *, by_public_key: bool) -> tuple[str, str]:
        """The serial and the signature."""
        newest = self.certificates[-1]
        key, serial = (self.public_key, PUBLIC_KEY_ID) if by_public_key else (newest.key, newest.serial)
        return serial, base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()

    def encrypt(self, content: bytes, associated_data: str) -> dict[str, str]:
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self.api_key).encrypt(nonce.encode(), content, associated_data.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "nonce": nonce,
            "associated_data": associated_data,
        }


def open_key(file: Path) -> RSAPrivateKey:
    """The key in the file, made where there is none."""
    if not file.exists():
        key = generate_private_key(public_exponent=65537, key_size=2048)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as handle:
            handle.write(text)
    found = load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(found, RSAPrivateKey)
    return found


def make_certificate(key: RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A platform certificate of a test server")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFETIME)
        .sign(key, SHA256())
    )
