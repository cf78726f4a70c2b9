"""Payments by card through Stripe."""

from collections.abc import Callable
from datetime import datetime

import httpx
import structlog

from gateways.payment.card.api import StripeApi
from gateways.payment.card.provider import CardProvider
from gateways.secrets import Secrets
from models import PaymentMethod
from settings import Settings

__all__ = ["CardProvider", "connect"]

log = structlog.get_logger()


def connect(
    settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime], secrets: Secrets
) -> CardProvider | None:
    """The provider of CARD; None where a key is missing, with one line in the log that names it."""
    keys = settings.card
    if keys.missing:
        log.info("payment.method_off", method=PaymentMethod.CARD.value, missing=", ".join(keys.missing))
        return None
    if settings.deployment.is_production and not keys.is_live:
        log.warning("payment.test_keys", method=PaymentMethod.CARD.value)
    webhook_secrets = (keys.webhook_secret, keys.old_webhook_secret)
    return CardProvider(
        api=StripeApi(client, keys.address, keys.secret_key.get_secret_value(), keys.account),
        publishable_key=keys.publishable_key,
        webhook_secrets=[value for each in webhook_secrets if (value := each.get_secret_value())],
        is_live=keys.is_live,
        clock=clock,
    )
