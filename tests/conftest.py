"""Fixtures that every test may use: a shop on SQLite and on PostgreSQL, a clock and clients."""

import gc

gc.disable()  # imports leave no garbage, but collections took a third of the start; see edge/gc_tuning.py

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import hypothesis
import pytest
from hypothesis import HealthCheck
from starlette.applications import Starlette

import models
from app import create_app
from edge.gc_tuning import tune_garbage_collector
from events.shop import Shop
from models.database import Database
from settings import Settings
from tests.clients import Clients
from tests.factories.shipping import first_tariff
from tests.observe import assert_books_agree

if TYPE_CHECKING:
    from tests.servers import PostgresServer, ReusableDatabase, ReusableFile

pytest_plugins = ["tests.servers", "tests.sessions"]

hypothesis.settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")
"""Hypothesis tries the same examples every time, without a deadline, so that no test fails by chance."""


def pytest_collection_finish() -> None:
    tune_garbage_collector()


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
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "shop.db"
    await create_tables(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
async def postgres_template(postgres_server: "PostgresServer") -> AsyncIterator[str]:
    name = f"template_{uuid4().hex}"
    await create_tables(await postgres_server.create_database(name))
    yield name
    await postgres_server.drop_database(name)


class KeptDatabase(Database):
    """Keeps its connections when a shop closes: the next test's shop finds its statements prepared."""

    async def close(self) -> None:
        if self.connections_in_use:
            await super().close()


def with_prepared_statements(url: str) -> str:
    """The address, with room for all statements of the tests on each connection: by default 100 are kept."""
    return f"{url}?prepared_statement_cache_size=2000" if url.startswith("postgresql") else url


@pytest.fixture(scope="session")
async def kept_databases() -> AsyncIterator[dict[str, Database]]:
    """By address."""
    kept: dict[str, Database] = {}
    yield kept
    for database in kept.values():
        await Database.close(database)


@pytest.fixture
async def sqlite_url(reusable_file: "ReusableFile") -> AsyncIterator[str]:
    yield reusable_file.url
    reusable_file.restore()


@pytest.fixture
async def postgres_url(
    reusable_database: "ReusableDatabase", kept_databases: dict[str, Database]
) -> AsyncIterator[str]:
    yield reusable_database.url
    if not await reusable_database.restore_rows():
        if kept := kept_databases.get(reusable_database.url):
            await Database.close(kept)
        await reusable_database.create()


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
async def app(
    settings: Settings, clock: Clock, kept_databases: dict[str, Database]
) -> AsyncIterator[Starlette]:
    url = settings.database.url
    if url not in kept_databases:
        kept_databases[url] = KeptDatabase.open(
            with_prepared_statements(url), pool_size=settings.database.pool_size
        )
    app = create_app(settings, clock=clock, database=kept_databases[url])
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
