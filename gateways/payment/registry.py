"""The payment providers that the shop can be connected to; a further one is a line in `CONNECTIONS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx
import structlog

from gateways.payment import alipay, card, wechat_pay
from gateways.payment.provider import PaymentProvider
from gateways.payment.sandbox import SandboxProvider
from gateways.secrets import Secrets
from models import PaymentMethod
from models.database import Database
from settings import Settings

log = structlog.get_logger()

Clock = Callable[[], datetime]


class ProviderSettings(Protocol):
    """A provider's group of settings."""

    @property
    def missing(self) -> list[str]:
        """The necessary variables that are not set."""

    @property
    def model_fields_set(self) -> set[str]:
        """The fields that somebody has set."""


class ConnectProvider(Protocol):
    """Makes a provider from the settings; None, with one line in the log, where it cannot be made."""

    def __call__(
        self, settings: Settings, client: httpx.AsyncClient, clock: Clock, secrets: Secrets
    ) -> PaymentProvider | None: ...


@dataclass(frozen=True, slots=True)
class PaymentConnection:
    """How a provider is connected, and where its settings are."""

    method: PaymentMethod
    connect: ConnectProvider
    settings: Callable[[Settings], ProviderSettings]

    def has_settings(self, settings: Settings) -> bool:
        """Whether anybody has set any of its settings."""
        return bool(self.settings(settings).model_fields_set)


CONNECTIONS: Sequence[PaymentConnection] = (
    PaymentConnection(PaymentMethod.ALIPAY, alipay.connect, lambda settings: settings.alipay),
    PaymentConnection(PaymentMethod.WECHAT_PAY, wechat_pay.connect, lambda settings: settings.wechat_pay),
    PaymentConnection(PaymentMethod.CARD, card.connect, lambda settings: settings.card),
)


def connect_payment_providers(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    secrets: Secrets,
    connections: Sequence[PaymentConnection] = CONNECTIONS,
) -> Mapping[PaymentMethod, PaymentProvider]:
    """The providers whose settings are there, by their method; the log names what is missing of others.

    Of those that nobody has begun to set up it says nothing here: `log_methods_off` does where a shop starts.
    """
    begun = [each for each in connections if each.has_settings(settings)]
    providers = {each.method: each.connect(settings, client, clock, secrets) for each in begun}
    return {method: provider for method, provider in providers.items() if provider}


def log_methods_off(settings: Settings, connections: Sequence[PaymentConnection] = CONNECTIONS) -> None:
    """Log a line for each method that nobody has begun to set up, with the variables it needs."""
    for each in connections:
        if not each.has_settings(settings):
            log.info("payment.method_off", method=each.method.value, missing=each.settings(settings).missing)


def connect_sandbox(
    settings: Settings,
    database: Database,
    secrets: Secrets,
    client: httpx.AsyncClient,
    clock: Clock,
) -> SandboxProvider | None:
    """The built-in provider where the settings offer it; `client` sends its notices."""
    if not settings.offers_sandbox:
        return None
    return SandboxProvider(
        database, client, settings.signing_key(), settings.server.address, clock, secrets.new_token
    )
