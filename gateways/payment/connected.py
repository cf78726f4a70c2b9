"""Which providers this shop is connected to, as it is set."""

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from gateways.payment import PaymentGateway
from gateways.payment.cash import Cash
from gateways.payment.sandbox import Sandbox
from gateways.secrets import Secrets, sign
from models import PaymentMethod
from models.database import Database
from settings import Settings


def payment_gateways(
    settings: Settings,
    *,
    database: Database,
    client: httpx.AsyncClient,
    secrets: Secrets,
    clock: Callable[[], datetime],
) -> Mapping[PaymentMethod, PaymentGateway]:
    """The ways to pay that are offered; `client` carries what the built-in provider has to tell."""
    gateways: list[PaymentGateway] = [Cash()]
    if settings.offers_sandbox:
        gateways.append(
            Sandbox(
                database=database,
                client=client,
                key=sign(settings.signing_key(), b"sandbox payments"),
                url=settings.public_url or f"http://{settings.host}:{settings.port}",
                clock=clock,
                token=secrets.token,
            )
        )
    return {gateway.method: gateway for gateway in gateways}
