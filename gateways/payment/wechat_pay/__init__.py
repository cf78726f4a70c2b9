"""WeChat Pay by its API v3, over httpx and cryptography."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from gateways.payment.wechat_pay.api import WeChatPayApi
from gateways.payment.wechat_pay.notices import NoticeReader
from gateways.payment.wechat_pay.platform_keys import PlatformKeys
from gateways.payment.wechat_pay.provider import WeChatPay
from gateways.payment.wechat_pay.signing import Merchant
from gateways.secrets import Secrets
from models import PaymentMethod
from settings import Settings
from settings.wechat_pay import WeChatPaySettings

__all__ = ["WeChatPay", "connect"]

log = structlog.get_logger()

NOTICES_PATH = "/webhooks/payments/wechat_pay"


class KeyFileUnusable(Exception):
    """A key file cannot be read. The message is the name of its setting."""


def connect(
    settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime], secrets: Secrets
) -> WeChatPay | None:
    """The provider; None, with one line in the log, where a setting is missing or a key file is none."""
    group = settings.wechat_pay
    if missing := group.missing:
        log.info("payment.method_off", method=PaymentMethod.WECHAT_PAY.value, missing=missing)
        return None
    try:
        merchant = Merchant(
            group.merchant_id, group.certificate_serial, read_private_key(group), clock, secrets.new_token
        )
        public_keys = read_public_keys(group)
    except KeyFileUnusable as error:
        log.warning("payment.method_off", method=PaymentMethod.WECHAT_PAY.value, unusable=[str(error)])
        return None
    api_key = group.api_key.get_secret_value().encode()
    timeout_seconds = group.timeout.total_seconds()
    api = WeChatPayApi(group.url, client, merchant, timeout_seconds, group.public_key_id or None)
    api.keys = PlatformKeys(api_key, public_keys, api.fetch_certificates, clock)
    app_ids = {group.app_id, group.mobile_app_id} - {""}
    return WeChatPay(
        api=api,
        notices=NoticeReader(group.merchant_id, app_ids, api_key, api.keys),
        app_id=group.app_id,
        mobile_app_id=group.mobile_app_id or None,
        notify_url=f"{settings.server.address}{NOTICES_PATH}",
    )


def read_private_key(group: WeChatPaySettings) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(read_file(group.private_key_file), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileUnusable("WECHAT_PAY_PRIVATE_KEY_FILE")
    return key


def read_public_keys(group: WeChatPaySettings) -> dict[str, RSAPublicKey]:
    """WeChat Pay's public key by its id; none where only platform certificates are used."""
    if not group.public_key_id:
        return {}
    try:
        key = load_pem_public_key(read_file(group.public_key_file))
    except (OSError, ValueError):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise KeyFileUnusable("WECHAT_PAY_PUBLIC_KEY_FILE")
    return {group.public_key_id: key}


def read_file(path: Path | None) -> bytes:
    return path.read_bytes() if path else b""
