"""Trying the keys of the payment providers, for `cartwheel payments check`."""

import asyncio
from collections.abc import Sequence

import httpx
import typer

from gateways.payment.provider import PaymentProvider, ProviderError, ProviderRefused
from gateways.payment.registry import CONNECTIONS, Clock, PaymentConnection
from gateways.secrets import Secrets
from settings import Settings

CHECK_SECONDS = 30.0
"""How long all calls of one provider may take."""


async def check_payment_keys(
    settings: Settings, clock: Clock, connections: Sequence[PaymentConnection] = CONNECTIONS
) -> int:
    """Print a line for each method that is fine or off, and one for each problem; return the exit code."""
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport()) as client:
        found = await asyncio.gather(
            *(check_connection(each, settings, client, clock) for each in connections)
        )
    for connection, problems in zip(connections, found, strict=True):
        name = connection.method.value
        if problems is None:
            typer.echo(f"{name}: off, nothing is set")
        for line in ["the keys work"] if problems == [] else problems or ():
            typer.echo(f"{name}: {line}")
    tried = [problems for problems in found if problems is not None]
    if not tried:
        typer.echo("No payment method is set up.")
    return 1 if any(tried) or not tried else 0


async def check_connection(
    connection: PaymentConnection, settings: Settings, client: httpx.AsyncClient, clock: Clock
) -> list[str] | None:
    """What is wrong with a provider; None where nobody has set any of its settings."""
    own = connection.settings(settings)
    if own.missing:
        return [f"off, not set: {', '.join(own.missing)}"] if own.model_fields_set else None
    provider = connection.connect(settings, client, clock, Secrets())
    if provider is None:
        return ["off, a key cannot be used: the log names it"]
    return await check_provider(provider)


async def check_provider(provider: PaymentProvider) -> list[str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return list(await provider.check())
    except TimeoutError:
        return [f"no answer within {CHECK_SECONDS:g} s"]
    except (ProviderError, ProviderRefused) as error:
        return [str(error)]
