"""Keys that are kept between runs, and signatures by RSA2."""

import base64
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def sign(key: rsa.RSAPrivateKey, text: str) -> str:
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def is_signed(key: rsa.RSAPrivateKey, parameters: Mapping[str, str]) -> bool:
    """Over all parameters that are not empty but the signature, sorted, as Alipay documents it."""
    named = sorted((name, value) for name, value in parameters.items() if value and name != "sign")
    signed = "&".join(f"{name}={value}" for name, value in named)
    with suppress(ValueError, InvalidSignature):
        signature = base64.b64decode(parameters["sign"], validate=True)
        key.public_key().verify(signature, signed.encode(), PKCS1v15(), SHA256())
        return True
    return False


def keep_key(folder: Path, name: str) -> rsa.RSAPrivateKey:
    """The key of a file, made where there is none; its public half beside it."""
    file = folder / f"{name}_private.pem"
    if not file.exists():
        made = rsa.generate_private_key(65537, 2048)
        file.touch(mode=0o600)
        file.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}_public.pem").write_bytes(public)
    key = load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
