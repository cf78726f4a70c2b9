"""A backup of a running shop restores into an empty database, with every row."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from events.shop import Shop
from models import OrderStatus
from tests.factories.aftersales import create_ticket
from tests.factories.order import create_order
from tests.observe import read_all_rows
from tests.process import call_cartwheel, open_shop_of, process_environment
from tests.servers import PostgresServer
from tests.servers.discovery import ServerMissing, find_postgres


def path_with_clients() -> str:
    """Where pg_dump and pg_restore are: first those of the server that the tests start."""
    try:
        return f"{find_postgres().path.parent}{os.pathsep}{os.environ['PATH']}"
    except ServerMissing:
        return os.environ["PATH"]


@pytest.fixture(params=["sqlite", "postgresql"])
def shop_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test only."""
    url: str = request.getfixturevalue(f"new_{request.param.removesuffix('ql')}_url")
    return url


@pytest.fixture
async def empty_url(shop_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of the same kind."""
    if shop_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/another/shop.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"restored_{uuid4().hex}"
    yield await server.create_database(name)
    await server.drop_database(name)


@pytest.fixture(autouse=True)
def clients_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path_with_clients())


async def sell(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        await create_order(session, status=OrderStatus.COMPLETED)
        await create_order(session, status=OrderStatus.PENDING)
        await create_ticket(session)


async def test_a_restored_database_has_every_row_and_its_books_agree(
    shop_url: str, empty_url: str, tmp_path: Path
) -> None:
    env, restored_env = process_environment(shop_url, tmp_path), process_environment(empty_url, tmp_path)
    file = tmp_path / "shop.backup"
    async with open_shop_of(env) as shop:
        await sell(shop)
        before = await read_all_rows(shop)
        saved = await call_cartwheel("backup", str(file), env=env)
    assert saved.returncode == 0, saved.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    restored = await call_cartwheel("restore", str(file), env=restored_env)

    assert restored.returncode == 0, restored.stderr
    async with open_shop_of(restored_env) as shop:
        assert await read_all_rows(shop) == before
        await sell(shop)  # ids go on where they were
    for command in ("migrate", "audit"):
        finished = await call_cartwheel(command, env=restored_env)
        assert finished.returncode == 0, finished.stdout + finished.stderr


async def test_a_backup_is_of_one_moment_though_the_shop_sells_on(
    shop_url: str, empty_url: str, tmp_path: Path
) -> None:
    env, restored_env = process_environment(shop_url, tmp_path), process_environment(empty_url, tmp_path)
    file = tmp_path / "shop.backup"
    async with open_shop_of(env) as shop:
        await sell(shop)
        saving = asyncio.create_task(call_cartwheel("backup", str(file), env=env))
        while not saving.done():
            await sell(shop)
    assert (await saving).returncode == 0

    assert (await call_cartwheel("restore", str(file), env=restored_env)).returncode == 0
    audit = await call_cartwheel("audit", env=restored_env)
    assert (audit.returncode, audit.stdout) == (0, "All books agree.\n")


async def test_a_database_that_is_not_empty_is_not_restored(shop_url: str, tmp_path: Path) -> None:
    env = process_environment(shop_url, tmp_path)
    file = tmp_path / "shop.backup"
    await call_cartwheel("backup", str(file), env=env)
    async with open_shop_of(env) as shop:
        await sell(shop)
        before = await read_all_rows(shop)

        refused = await call_cartwheel("restore", str(file), env=env)

        assert refused.returncode == 1
        assert "The database is not empty" in refused.stderr
        assert await read_all_rows(shop) == before


async def test_a_file_that_is_there_is_not_written_over(shop_url: str, tmp_path: Path) -> None:
    env = process_environment(shop_url, tmp_path)
    file = tmp_path / "shop.backup"
    file.write_text("yesterday's")

    refused = await call_cartwheel("backup", str(file), env=env)

    assert (refused.returncode, file.read_text()) == (1, "yesterday's")
    assert [name for name in os.listdir(tmp_path) if name.endswith(".part")] == []


async def test_a_file_that_is_no_backup_is_refused(empty_url: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.backup"
    file.write_text("nothing of the kind")

    refused = await call_cartwheel("restore", str(file), env=process_environment(empty_url, tmp_path))

    assert refused.returncode == 1
    assert "is no backup of" in refused.stderr


async def test_a_backup_of_a_server_that_does_not_answer_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "shop.backup"
    env = process_environment("postgresql://shop:s3cret-word@127.0.0.1:1/shop", tmp_path)

    refused = await call_cartwheel("backup", str(file), env=env)

    assert refused.returncode == 1
    assert "connection" in refused.stderr
    assert "s3cret-word" not in refused.stderr
    assert [name for name in os.listdir(tmp_path) if name.startswith("shop.backup")] == []
