"""Open connections of all kinds: who is at the other end, and how they are ended."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope

from domain.account import SignInPlace
from edge.addresses import client_address
from edge.auth import CredentialsRefused, renew_viewer, viewer_of
from events.session_rights import RIGHTS_TOPIC
from events.shop import Shop
from resolvers.context import Context, Viewer
from text.messages import Message

log = structlog.get_logger()

DRAIN_SECONDS = 1.0
"""How long clients have to read that the process ends."""

POLL_SECONDS = 0.02

ENDED = Message("Your sign-in has ended or has changed: connect again with a fresh token.")


class OpenConnection(Protocol):
    """A WebSocket or an event stream, as the process ends it."""

    @property
    def family(self) -> str | None:
        """The sign-in it was opened with; None for guests."""

    async def check_rights(self) -> None:
        """End everything that runs where the sign-in is not valid any more."""

    def announce_restart(self, retry_after: timedelta) -> None:
        """Tell the client that the process ends, and after what time to connect again."""

    def give_up(self) -> None:
        """Stop waiting for a client that does not read."""


class OpenConnections:
    """The open connections of this process."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.open: set[OpenConnection] = set()

    async def announce_restart(self) -> None:
        """Tell all clients to connect again, each after a random time, so that they do not come at once.

        Connections whose clients do not read are given up after DRAIN_SECONDS.
        """
        spread = self.shop.settings.graphql.reconnect_spread
        for connection in list(self.open):
            connection.announce_restart(spread * random.random())  # noqa: S311 - only spreads load
        ends_at = asyncio.get_running_loop().time() + DRAIN_SECONDS
        while self.open and asyncio.get_running_loop().time() < ends_at:  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(POLL_SECONDS)
        for connection in list(self.open):
            connection.give_up()

    async def check_rights(self) -> None:
        """End the connections whose sign-in is not valid any more; all are looked up with one query."""
        families = {connection.family for connection in self.open} - {None}
        if families:
            await self.shop.session_rights.refresh([family for family in families if family])
        for connection in list(self.open):
            await connection.check_rights()

    async def run(self) -> None:
        """Check rights again and again, and at once when any have changed, until cancelled."""
        interval = self.shop.settings.graphql.rights_interval.total_seconds()
        async with self.shop.bus.listen([RIGHTS_TOPIC]) as signal:
            while True:
                await signal.wait(interval)
                try:
                    await self.check_rights()
                except Exception:
                    log.exception("rights.check_failed")

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

    @classmethod
    def of(cls, context: Context, headers: Mapping[str, str]) -> "ConnectionViewer":
        """Who has sent a request that a response answers which stays open."""
        return cls(context.shop, headers, context.viewer, context.place, origin=context.origin)

    @property
    def family(self) -> str | None:
        """What the tokens of the sign-in have in common; None for guests."""
        return self.viewer.token.family if self.viewer.token else None

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
