"""Carriers through karrio: DHL, UPS, FedEx and others."""

from collections.abc import Callable
from datetime import datetime

import httpx

from gateways.carrier.karrio_carriers.gateway import KarrioCarriers
from settings import Settings

__all__ = ["KarrioCarriers", "connect"]


def connect(
    settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime]
) -> KarrioCarriers | None:
    """The connection; None where there is no account. karrio itself is loaded with the first call."""
    group = settings.karrio
    if not group.accounts:
        return None
    return KarrioCarriers(
        accounts={
            company: {name: value.get_secret_value() for name, value in terms.items()}
            | {"test_mode": group.test_mode}
            for company, terms in group.accounts.items()
        },
        addresses=group.addresses,
    )
