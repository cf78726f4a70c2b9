"""Fixtures that every test may use: a shop on SQLite and on PostgreSQL, a clock and clients."""

import gc

gc.disable()  # imports leave no garbage, but collections took a third of the start; see edge/gc_tuning.py

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import structlog
import uvloop
from hypothesis import HealthCheck
from starlette.applications import Starlette

from app import create_app
from edge.gc_tuning import tune_garbage_collector
from events.shop import Shop
from settings import Settings
from tests.clients import Clients
from tests.observe import assert_books_agree

if TYPE_CHECKING:
    from tests.databases import KeptDatabases

pytest_plugins = [
    "tests.servers",
    "tests.databases",
    "tests.sessions",
    "tests.given",
    "tests.picture_server",
    "tests.search_engine",
    "tests.edge.collector",
]

hypothesis.settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")
"""Hypothesis tries the same examples every time, without a deadline, so that no test fails by chance."""

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
"""Logs are captured by pytest; tracebacks are plain, since colouring one takes longer than most tests."""


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the event loop that serves the shop, which is also the quicker one."""
    return {"uvloop": uvloop.new_event_loop}


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


LONGEST_FILES = frozenset(
    {
        "test_crash.py",
        "test_due_orders.py",
        "test_journey.py",
        "test_load.py",
        "test_order_undone.py",
        "test_product_import.py",
        "test_readme.py",
        "test_replay.py",
        "test_round_trip.py",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests begin first, so that at the end no process waits for another."""
    items.sort(key=lambda item: item.path.name not in LONGEST_FILES)


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


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Settings:
    """Those of the tests, with what the mark `settings` of a test or module changes."""
    mark = request.node.get_closest_marker("settings")
    return settings_for(database_url, tmp_path, **(mark.kwargs if mark else {}))


def settings_for(database_url: str, var_dir: Path, **changes: Hashable) -> Settings:
    settings = read_settings(database_url, **changes)
    deployment = settings.deployment.model_copy(update={"var_dir": var_dir / "var"})
    return settings.model_copy(update={"deployment": deployment})


@cache
def read_settings(database_url: str, **changes: Hashable) -> Settings:
    values: dict[str, Hashable] = {
        "database_url": database_url,
        "secret_key": SECRET,
        "run_worker": False,
        "count_every": NEVER,
        "bell_pause": NEVER,
        "placing_wait_limit": NEVER,
        "default_language": "en",
        "search_in_memory": True,
        "search_meaning": False,
    }
    return Settings.from_environment(env_file=None, **(values | changes))


@pytest.fixture
async def app(settings: Settings, clock: Clock, kept_databases: "KeptDatabases") -> AsyncIterator[Starlette]:
    app = create_app(settings, clock=clock, database=kept_databases.open(settings.database.url))
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
