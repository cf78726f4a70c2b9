"""Fixtures that every test may use: a shop on SQLite and on PostgreSQL, a clock and clients."""

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
from settings import DatabaseSettings, Settings
from tests.clients import Clients
from tests.factories.shipping import first_tariff
from tests.observe import assert_books_agree

if TYPE_CHECKING:
    from tests.servers import PostgresServer, ReusableDatabase

pytest_plugins = ["tests.servers", "tests.sessions"]

hypothesis.settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")
"""Hypothesis tries the same examples every time, without a deadline, so that no test fails by chance."""

NEVER = timedelta(hours=1)
"""Interval of what runs by the real clock and must not run during a test."""

STARTED_AT = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
SECRET = "a secret for tests only, long enough"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        metavar="AREA",
        help="only the tests of one area, such as cart or delivery_run, on both databases",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --quick, only files whose path names the area are read."""
    area = config.getoption("--quick")
    if not area or not collection_path.name.startswith("test_"):
        return None
    return None if area in collection_path.relative_to(Path(__file__).parent).as_posix() else True


class Clock:
    """The shop's clock: it stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = STARTED_AT

    def __call__(self) -> datetime:
        return self.now

    def tick(self, step: timedelta) -> None:
        self.now += step


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def create_tables(url: str) -> None:
    database = Database.open(url, pool_size=1)
    async with database.writers.begin() as connection:
        await connection.run_sync(models.Base.metadata.create_all)
        await connection.run_sync(first_tariff)
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "shop.db"
    asyncio.run(create_tables(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: "PostgresServer") -> Iterator[str]:
    name = f"template_{uuid4().hex}"

    async def prepare() -> None:
        await create_tables(await postgres_server.create_database(name))

    asyncio.run(prepare())
    yield name
    asyncio.run(postgres_server.drop_database(name))


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> str:
    path = sqlite_template.with_name("used.db")
    for old in path.parent.glob("used.db*"):
        old.unlink()
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def postgres_url(reusable_database: "ReusableDatabase") -> AsyncIterator[str]:
    yield reusable_database.url
    await reusable_database.restore()


@cache
def shared_database(url: str) -> Database:
    """One Database per address, so that the shop's statements are compiled once and not for each test."""
    return Database.open(url, pool_size=DatabaseSettings.model_fields["pool_size"].default)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path)


def settings_for(database_url: str, var_dir: Path, **changes: object) -> Settings:
    values: dict[str, object] = {
        "database_url": database_url,
        "var_dir": var_dir / "var",
        "secret_key": SECRET,
        "run_worker": False,
        "count_every": NEVER,
        "bell_pause": NEVER,
        "placing_wait_limit": NEVER,
        "default_language": "en",
    }
    return Settings.from_environment(env_file=None, **(values | changes))


@pytest.fixture
async def app(settings: Settings, clock: Clock) -> AsyncIterator[Starlette]:
    app = create_app(settings, clock=clock, database=shared_database(settings.database.url))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def shop(app: Starlette) -> Shop:
    shop: Shop = app.state.shop
    return shop


@pytest.fixture
async def audit_at_end(shop: Shop) -> AsyncIterator[None]:
    """After the test, all books must agree."""
    yield
    await assert_books_agree(shop)


@pytest.fixture
def tick(clock: Clock) -> Callable[[timedelta], None]:
    return clock.tick


@pytest.fixture
async def clients(app: Starlette) -> AsyncIterator[Clients]:
    async with Clients.open(app) as clients:
        yield clients
