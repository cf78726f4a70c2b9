"""Payments by Alipay: page, H5, app and code, over the open platform with RSA2 signatures."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import httpx
import structlog

from gateways.payment.alipay.gateway import AlipayGateway
from gateways.payment.alipay.provider import Alipay
from gateways.payment.alipay.signing import AlipayKeys, KeyUnreadable, read_private_key, read_public_key
from gateways.secrets import Secrets
from settings import Settings
from settings.alipay import AlipaySettings

__all__ = ["Alipay", "connect"]

log = structlog.get_logger()

Key = TypeVar("Key")

NOTICE_PATH = "/webhooks/payments/alipay"


def connect(
    settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime], secrets: Secrets
) -> Alipay | None:
    """The provider, or None where a setting is missing or a key cannot be read, which the log names."""
    own = settings.alipay
    if own.missing:
        log.info("payment.method_off", method="ALIPAY", missing=own.missing)
        return None
    try:
        keys = read_keys(own)
    except KeyUnreadable as error:
        log.warning("payment.method_off", method="ALIPAY", problem=str(error))
        return None
    notify_url = settings.server.address + NOTICE_PATH
    return Alipay(AlipayGateway(client, own.gateway, own.app_id, keys, notify_url, clock), own.seller_id)


def read_keys(own: AlipaySettings) -> AlipayKeys:
    """The keys in the files; KeyUnreadable names the setting."""
    private_keys = [read_key("ALIPAY_PRIVATE_KEY_FILE", file, read_private_key) for file in own.private_keys]
    public_keys = [read_key("ALIPAY_PUBLIC_KEY_FILES", file, read_public_key) for file in own.public_keys]
    return AlipayKeys(private_keys[0], public_keys)


def read_key(variable: str, file: Path, read: Callable[[bytes], Key]) -> Key:
    try:
        return read(file.read_bytes())
    except OSError as error:
        raise KeyUnreadable(f"{variable}: {error.strerror}") from None
    except KeyUnreadable as error:
        raise KeyUnreadable(f"{variable} {error}") from None
