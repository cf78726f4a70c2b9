"""A shop that is served over HTTP and connected to the server of one provider after the other."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app import create_app
from tests.clients import Clients
from tests.conftest import settings_for
from tests.databases import KeptDatabases
from tests.gateways.payment.shop.counter import Counter
from tests.gateways.payment.shop.tills import Till, run_alipay, run_card, run_wechat_pay
from tests.observe import TIMEOUT_SECONDS

SERVERS = {"ALIPAY": run_alipay, "WECHAT_PAY": run_wechat_pay, "CARD": run_card}


class Tills:
    """The servers that were needed so far, until the tests end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running = ExitStack()
        self.by_method: dict[str, Till] = {}

    def open(self, method: str) -> Till:
        if method not in self.by_method:
            folder = self.folder / method.lower()
            folder.mkdir()
            self.by_method[method] = self.running.enter_context(SERVERS[method](folder))
        return self.by_method[method]


@pytest.fixture(scope="session")
def tills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tills]:
    tills = Tills(tmp_path_factory.mktemp("tills"))
    with tills.running:
        yield tills


@pytest.fixture(params=SERVERS)
def till(request: pytest.FixtureRequest, tills: Tills) -> Till:
    return tills.open(request.param)


@pytest.fixture
async def counter(
    till: Till, database_url: str, tmp_path: Path, kept_databases: KeptDatabases
) -> AsyncIterator[Counter]:
    """The shop by the real clock, since the servers sign with it; reactions run when a test says so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = settings_for(
        database_url, tmp_path, public_url=url, refused_webhooks_per_minute=100_000, **till.settings
    )
    app = create_app(
        settings, clock=lambda: datetime.now(UTC), database=kept_databases.open(settings.database.url)
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False) as http,
    ):
        clients = Clients(app, http)
        await clients.start_server(port=port)
        await till.open(url)
        try:
            yield Counter(till, clients)
        finally:
            await clients.close()
