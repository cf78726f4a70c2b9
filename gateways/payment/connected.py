"""The providers this shop works with, by its settings."""

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from gateways.payment import PaymentGateway
from gateways.payment.cash import Cash
from gateways.payment.sandbox import Sandbox
from gateways.secrets import Secrets
from models import PaymentMethod
from models.database import Database
from settings import Settings


def connected(
    settings: Settings,
    database: Database,
    secrets: Secrets,
    client: httpx.AsyncClient,
    clock: Callable[[], datetime],
) -> Mapping[PaymentMethod, PaymentGateway]:
    """Cash always; the built-in provider where it is offered, which sends its messages by `client`."""
    gateways: list[PaymentGateway] = [Cash()]
    if settings.offers_sandbox:
        key = settings.signing_key()
        gateways.append(Sandbox(database, client, key, settings.address, clock, secrets.token))
    return {gateway.method: gateway for gateway in gateways}
