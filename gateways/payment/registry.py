"""The payment providers that are connected, by the settings."""

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from gateways.payment import PaymentGateway
from gateways.payment.cash import CashGateway
from gateways.payment.sandbox import SandboxGateway
from gateways.secrets import Secrets
from models import PaymentMethod
from models.database import Database
from settings import Settings


def connect_payment_gateways(
    settings: Settings,
    database: Database,
    secrets: Secrets,
    client: httpx.AsyncClient,
    clock: Callable[[], datetime],
) -> Mapping[PaymentMethod, PaymentGateway]:
    """Cash always, and the sandbox where the settings offer it; `client` sends its notifications."""
    gateways: list[PaymentGateway] = [CashGateway()]
    if settings.offers_sandbox:
        key = settings.signing_key()
        gateways.append(
            SandboxGateway(database, client, key, settings.server.address, clock, secrets.new_token)
        )
    return {gateway.method: gateway for gateway in gateways}
