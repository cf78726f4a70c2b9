"""The payment providers that are connected, by the settings."""

from collections.abc import Callable, Mapping
from datetime import datetime

import httpx

from gateways.payment.provider import PaymentProvider
from gateways.payment.sandbox import SandboxProvider
from gateways.secrets import Secrets
from models import PaymentMethod
from models.database import Database
from settings import Settings


def connect_sandbox(
    settings: Settings,
    database: Database,
    secrets: Secrets,
    client: httpx.AsyncClient,
    clock: Callable[[], datetime],
) -> SandboxProvider | None:
    """The built-in provider where the settings offer it; `client` sends its notices."""
    if not settings.offers_sandbox:
        return None
    return SandboxProvider(
        database, client, settings.signing_key(), settings.server.address, clock, secrets.new_token
    )


def connect_payment_providers(sandbox: SandboxProvider | None) -> Mapping[PaymentMethod, PaymentProvider]:
    """The providers whose keys are there, by their method."""
    providers: list[PaymentProvider] = [sandbox] if sandbox else []
    return {provider.method: provider for provider in providers}
