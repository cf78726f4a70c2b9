"""Fixtures with databases: one for most tests, restored after each, and new ones for processes."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console
from sqlalchemy import Connection, text

import models
from demo.load import load_demo
from migrations.revisions import known_revisions
from migrations.runner import upgrade
from models.database import Database
from settings import DatabaseSettings
from tests.factories.carrier import first_carriers
from tests.factories.shipping import first_tariff
from tests.process import open_shop_of, process_environment
from tests.servers import PostgresServer
from tests.servers.reusable_database import ReusableDatabase, ReusableFile


class KeptDatabase(Database):
    """Keeps its connections when a shop closes: the next test's shop finds its statements prepared."""

    async def close(self) -> None:
        if self.connections_in_use:
            await super().close()


class KeptDatabases:
    """The databases that shops use one after the other."""

    def __init__(self) -> None:
        self.by_url: dict[str, Database] = {}

    def open(self, url: str) -> Database:
        if url not in self.by_url:
            pool_size = DatabaseSettings.model_fields["pool_size"].default
            self.by_url[url] = KeptDatabase.open(url, pool_size=pool_size)
        return self.by_url[url]

    async def close(self, *urls: str) -> None:
        """Close the connections to these databases, or to all."""
        for url in urls or self.by_url:
            if url in self.by_url:
                await Database.close(self.by_url[url])


@pytest.fixture(scope="session")
async def kept_databases() -> AsyncIterator[KeptDatabases]:
    kept = KeptDatabases()
    yield kept
    await kept.close()


async def create_tables(url: str) -> None:
    database = Database.open(url, pool_size=1)
    async with database.writers.begin() as connection:
        await connection.run_sync(models.Base.metadata.create_all)
        await connection.run_sync(first_tariff)
        await connection.run_sync(first_carriers)
        await connection.run_sync(stamp_revision)
    await database.close()


def stamp_revision(connection: Connection) -> None:
    """Note that the database is at the newest revision, as migrations do."""
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(
        text("INSERT INTO alembic_version (version_num) VALUES (:newest)"), {"newest": known_revisions()[-1]}
    )


@pytest.fixture(scope="session")
async def reusable_file(tmp_path_factory: pytest.TempPathFactory) -> ReusableFile:
    folder = tmp_path_factory.mktemp("reusable")
    reusable_file = ReusableFile(folder / "shop.db", folder / "template.db")
    await create_tables(f"sqlite+aiosqlite:///{reusable_file.template}")
    reusable_file.create()
    return reusable_file


@pytest.fixture(scope="session")
async def reusable_database(postgres_server: PostgresServer) -> AsyncIterator[ReusableDatabase]:
    template, name = f"template_{uuid4().hex}", f"shop_{uuid4().hex}"
    await create_tables(await postgres_server.create_database(template))
    reusable_database = ReusableDatabase(postgres_server, name, template)
    await reusable_database.create()
    yield reusable_database
    await reusable_database.drop()
    await postgres_server.drop_database(template)


@pytest.fixture
def sqlite_url(reusable_file: ReusableFile) -> Iterator[str]:
    yield reusable_file.url
    reusable_file.restore()


@pytest.fixture
async def postgres_url(
    reusable_database: ReusableDatabase, kept_databases: KeptDatabases
) -> AsyncIterator[str]:
    yield reusable_database.url
    if not await reusable_database.restore_rows():
        await kept_databases.close(reusable_database.url)
        await reusable_database.create()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The database of a test, with the tables of the models."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "shop.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
async def migrated_template(postgres_server: PostgresServer) -> AsyncIterator[str]:
    name = f"migrated_{uuid4().hex}"
    await asyncio.to_thread(upgrade, await postgres_server.create_database(name))
    yield name
    await postgres_server.drop_database(name)


@pytest.fixture(scope="session")
async def demo_file(migrated_file: Path) -> Path:
    """The demo shop, as `cartwheel serve --demo` loads it."""
    path = migrated_file.with_name("demo.db")
    shutil.copy(migrated_file, path)
    await load_demo_into(f"sqlite:///{path}", path.parent)
    return path


@pytest.fixture(scope="session")
async def demo_template(
    postgres_server: PostgresServer, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    name = f"demo_{uuid4().hex}"
    url = await postgres_server.create_from_template(name, migrated_template)
    await load_demo_into(url, tmp_path_factory.mktemp("demo"))
    yield name
    await postgres_server.drop_database(name)


async def load_demo_into(url: str, var_dir: Path) -> None:
    async with open_shop_of(process_environment(url, var_dir)) as shop:
        await load_demo(shop, Console(quiet=True))


@pytest.fixture
def new_sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated database of this test only."""
    shutil.copy(migrated_file, tmp_path / "shop.db")
    return f"sqlite:///{tmp_path}/shop.db"


@pytest.fixture
def demo_sqlite_url(demo_file: Path, tmp_path: Path) -> str:
    """A database of this test only, with the demo shop."""
    shutil.copy(demo_file, tmp_path / "shop.db")
    return f"sqlite:///{tmp_path}/shop.db"


@pytest.fixture
async def demo_postgres_url(postgres_server: PostgresServer, demo_template: str) -> AsyncIterator[str]:
    """A database of this test only, with the demo shop."""
    name = f"demo_{uuid4().hex}"
    yield await postgres_server.create_from_template(name, demo_template)
    await postgres_server.drop_database(name)


@pytest.fixture
async def new_postgres_url(postgres_server: PostgresServer, migrated_template: str) -> AsyncIterator[str]:
    """A migrated database of this test only."""
    name = f"new_{uuid4().hex}"
    yield await postgres_server.create_from_template(name, migrated_template)
    await postgres_server.drop_database(name)
