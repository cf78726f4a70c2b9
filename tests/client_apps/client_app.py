"""An application of `clients/` in the hands of one person."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from demo.load import PASSWORD
from edge.operations.documents import read_operations
from events.relay import Relay
from events.shop import Shop
from tests.client_apps.last_release import released_operations
from tests.clients import Client, Clients, Watch
from tests.process import ROOT

FOLDER = ROOT / "clients"


@dataclass
class ClientApp:
    """The documents of one application by the names of their operations, and who sends them."""

    documents: dict[str, str]
    client: Client

    @classmethod
    def open(cls, name: str, clients: Clients) -> "ClientApp":
        """Open an application as a guest."""
        operations = read_operations(FOLDER / name)
        return cls({each.name: each.text for each in operations}, clients.guest())

    async def read(self, operation: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an operation; fail when the response has errors, also to the last release's."""
        released = released_operations().get(operation)
        if released and released.text != self.documents[operation]:
            await self.client.get(released.text, **variables)
        return await self.client.get(self.documents[operation], **variables)

    async def do(self, operation: str, **terms: Any) -> dict[str, Any]:
        """Return the payload of a mutation with `terms` as its input; fail when it is refused."""
        payload = await self.client.do(self.documents[operation], **terms)
        errors = payload.pop("userErrors")
        assert not errors, (operation, errors)
        return payload

    async def refused(self, operation: str, **terms: Any) -> list[str]:
        """Return the codes with which the shop refuses a mutation."""
        payload = await self.client.do(self.documents[operation], **terms)
        return [error["code"] for error in payload["userErrors"]]

    def watch(self, operation: str, **variables: Any) -> AbstractAsyncContextManager[Watch]:
        return self.client.watch(self.documents[operation], **variables)

    async def first_update(self, operation: str, **variables: Any) -> dict[str, Any]:
        """Subscribe, and return what the first update says."""
        async with self.watch(operation, **variables) as watch:
            update: dict[str, Any]
            (update,) = (await watch.next())["data"].values()
            return update

    async def sign_in(self, operation: str, person: str) -> dict[str, Any]:
        """Sign in with the operation of this application; return the session."""
        payload = await self.do(operation, login=f"{person}@example.com", password=PASSWORD)
        self.client.headers = {"Authorization": f"Bearer {payload['session']['accessToken']}"}
        session: dict[str, Any] = payload["session"]
        return session


async def relay_events(shop: Shop) -> None:
    """Tell watchers of all events, those of the demo included; no reaction is run."""
    relay = Relay(shop, {})
    while await relay.run_once():
        pass
