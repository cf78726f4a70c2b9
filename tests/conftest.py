"""A shop for every test: twice, on SQLite and on PostgreSQL, with a clock that stands still."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import pytest
from hypothesis import HealthCheck
from starlette.applications import Starlette

import models
from app import create_app
from events.shop import Shop
from models.database import Database
from settings import Settings
from tests.factories.shipping import first_tariff
from tests.front import Front
from tests.observe import sound

if TYPE_CHECKING:
    from tests.servers import PostgresServer, Reused

pytest_plugins = ["tests.servers"]

hypothesis.settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")
"""The same examples every time, however long they take: no test fails by chance."""

NEVER = timedelta(hours=1)
"""What the shop does by the real clock, where no test waits for it: a test would have failed long before."""

OPENING = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
SECRET = "a secret for tests only, long enough"


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.now = OPENING

    def __call__(self) -> datetime:
        return self.now

    def tick(self, step: timedelta) -> None:
        self.now += step


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def make_tables(url: str) -> None:
    database = Database.open(url, pool_size=1)
    async with database.writers.begin() as connection:
        await connection.run_sync(models.Base.metadata.create_all)
        await connection.run_sync(first_tariff)
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "shop.db"
    asyncio.run(make_tables(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: "PostgresServer") -> Iterator[str]:
    name = f"template_{uuid4().hex}"

    async def prepare() -> None:
        await make_tables(await postgres_server.new_database(name))

    asyncio.run(prepare())
    yield name
    asyncio.run(postgres_server.drop_database(name))


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> str:
    path = sqlite_template.with_name("used.db")
    for left in path.parent.glob("used.db*"):
        left.unlink()
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def postgres_url(reused: "Reused") -> AsyncIterator[str]:
    yield reused.url
    await reused.restore()


@cache
def known_database(url: str) -> Database:
    """The statements of the shop are compiled once, not again for each test."""
    return Database.open(url, pool_size=Settings.model_fields["database_pool_size"].default)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path)


def settings_for(database_url: str, var_dir: Path, **changes: object) -> Settings:
    given: dict[str, object] = {
        "database_url": database_url,
        "var_dir": var_dir / "var",
        "secret_key": SECRET,
        "run_worker": False,
        "count_every": NEVER,
        "bell_pause": NEVER,
        "placing_wait_limit": NEVER,
        "default_language": "en",
    }
    return Settings(_env_file=None, **(given | changes))  # type: ignore[arg-type]


@pytest.fixture
async def app(settings: Settings, clock: Clock) -> AsyncIterator[Starlette]:
    made = create_app(settings, clock=clock, database=known_database(settings.database_url))
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
def shop(app: Starlette) -> Shop:
    found: Shop = app.state.shop
    return found


@pytest.fixture
async def audited(shop: Shop) -> AsyncIterator[None]:
    """For tests in which much happens: whatever it was, all books agree in the end."""
    yield
    await sound(shop)


@pytest.fixture
def tick(clock: Clock) -> Callable[[timedelta], None]:
    return clock.tick


@pytest.fixture
async def front(app: Starlette) -> AsyncIterator[Front]:
    async with Front.open(app) as front:
        yield front
