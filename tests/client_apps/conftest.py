"""A demo shop of each test, and the applications that are used in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from app import create_app
from settings import Settings
from tests.client_apps.client_app import ClientApp
from tests.clients import Clients
from tests.conftest import settings_for

SIGN_INS = {"mobile": "MobileSessionCreate", "staff": "StaffSessionCreate", "web": "WebSessionCreate"}

OpenApp = Callable[[str], ClientApp]
SignIn = Callable[[str, str], Awaitable[ClientApp]]


@pytest.fixture
def settings(demo_sqlite_url: str, tmp_path: Path) -> Settings:
    return settings_for(demo_sqlite_url, tmp_path, default_language="zh-CN")


@pytest.fixture
async def clients(settings: Settings) -> AsyncIterator[Clients]:
    """The demo shop by the real clock, since its orders were placed in the last days."""
    app = create_app(settings)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        yield clients


@pytest.fixture
def open_app(clients: Clients) -> OpenApp:
    """Open an application as a guest."""
    return lambda name: ClientApp.open(name, clients)


@pytest.fixture
def sign_in(clients: Clients) -> SignIn:
    """Open an application and sign in as somebody of the demo shop."""

    async def open_signed_in(name: str, person: str) -> ClientApp:
        app = ClientApp.open(name, clients)
        await app.sign_in(SIGN_INS[name], person)
        return app

    return open_signed_in


@pytest.fixture
async def web(sign_in: SignIn) -> ClientApp:
    """The web shop of a customer who has orders and tickets."""
    return await sign_in("web", "xiaoyu")
