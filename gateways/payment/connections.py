"""The payment providers that the shop can be connected to; a further one is a line in `CONNECTIONS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx

from gateways.payment import alipay, card, wechat_pay
from gateways.payment.provider import PaymentProvider
from gateways.secrets import Secrets
from models import PaymentMethod
from settings import Settings

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


CONNECTIONS: Sequence[PaymentConnection] = (
    PaymentConnection(PaymentMethod.ALIPAY, alipay.connect, lambda settings: settings.alipay),
    PaymentConnection(PaymentMethod.WECHAT_PAY, wechat_pay.connect, lambda settings: settings.wechat_pay),
    PaymentConnection(PaymentMethod.CARD, card.connect, lambda settings: settings.card),
)


def connect_providers(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    secrets: Secrets,
    connections: Sequence[PaymentConnection] = CONNECTIONS,
) -> Mapping[PaymentMethod, PaymentProvider]:
    """The providers whose settings are there, by their method."""
    providers = {each.method: each.connect(settings, client, clock, secrets) for each in connections}
    return {method: provider for method, provider in providers.items() if provider}
