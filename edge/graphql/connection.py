"""Open connections of all kinds: who is at the other end, and how they are ended."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import Scope

from domain.account import SignInPlace
from edge.addresses import client_address
from edge.auth import CredentialsRefused, renew_viewer, viewer_of
from events.shop import Shop
from resolvers.context import Viewer

ENDED = "Your sign-in has ended or has changed: connect again with a fresh token."


class OpenConnection(Protocol):
    """A WebSocket or an event stream, as the process ends it."""

    async def check_rights(self) -> None:
        """End everything that runs where the sign-in is not valid any more."""

    def announce_restart(self, retry_after: timedelta) -> None:
        """Tell the client that the process ends, and after what time to connect again."""


class OpenConnections:
    """The open connections of this process."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.open: set[OpenConnection] = set()

    def announce_restart(self) -> None:
        """Tell all clients to connect again, each after a random time, so that they do not come at once."""
        spread = self.shop.settings.graphql.reconnect_spread
        for connection in list(self.open):
            connection.announce_restart(spread * random.random())  # noqa: S311 - only spreads load

    async def check_rights(self) -> None:
        """End the connections whose sign-in is not valid any more."""
        for connection in list(self.open):
            await connection.check_rights()

    async def run(self) -> None:
        """Check the rights of all connections again and again, until cancelled."""
        interval = self.shop.settings.graphql.rights_interval.total_seconds()
        while True:
            await asyncio.sleep(interval)
            await self.check_rights()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Check rights until the block ends."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def place_of(shop: Shop, scope: Scope) -> SignInPlace:
    """From where a request or connection comes."""
    address = client_address(scope, shop.settings)
    return SignInPlace(address=address, user_agent=Headers(scope=scope).get("user-agent", ""))


class ConnectionViewer:
    """Who is at the other end of a connection, for as long as their sign-in is valid."""

    def __init__(
        self, shop: Shop, headers: Mapping[str, str], viewer: Viewer, place: SignInPlace, *, origin: str
    ) -> None:
        self.shop = shop
        self.headers = headers
        self.viewer = viewer
        self.place = place
        self.origin = origin

    async def renew(self) -> Viewer:
        """The viewer; CredentialsRefused where the sign-in has ended, or the account has another role."""
        renewed = await renew_viewer(self.viewer, self.shop)
        if renewed.role is not self.viewer.role:
            raise CredentialsRefused
        return self.viewer

    async def accept(self, values: Mapping[str, object]) -> None:
        """Take over fresh credentials; CredentialsRefused for wrong ones, and for those of another account.

        A guest may sign in on the living connection.
        """
        given = {name.lower(): value for name, value in values.items() if isinstance(value, str)}
        headers = {**self.headers, **given}
        viewer = await viewer_of(headers, self.shop)
        known = self.viewer
        if known.token and (viewer.account_id != known.account_id or viewer.role is not known.role):
            raise CredentialsRefused
        self.headers, self.viewer = headers, viewer
