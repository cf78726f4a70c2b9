"""A process that cannot start says why in one line, by the name of the setting, and ends."""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import open_shop
from edge.start import StartRefused
from edge.start.checks import check_redis, check_search_engine
from edge.start.database import check_database
from events.jobs.worker import running_jobs
from migrations.revisions import known_revisions
from tests.conftest import settings_for
from tests.observe import TIMEOUT_SECONDS
from tests.process import call_cartwheel, process_environment, run_cartwheel
from tests.search_engine import SearchEngine
from tests.servers import PostgresServer, RedisServer

NEWEST = known_revisions()[-1]
PASSWORD = "a-password-that-is-marked"


@pytest.fixture
def env(new_sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    return process_environment(new_sqlite_url, tmp_path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@asynccontextmanager
async def run_fake_server(answer: bytes | None) -> AsyncIterator[int]:
    """The port of a server that sends `answer` to whatever it is told, and never says a word without one."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answer is not None and await reader.read(1_000):
            writer.write(answer)
            await writer.drain()
        if answer is None:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


# --- the port


@pytest.mark.parametrize("with_redis", [False, True])
def test_a_taken_port_is_named_and_the_process_ends(
    env: dict[str, str], taken_port: int, redis_server: RedisServer, with_redis: bool
) -> None:
    env = env | {"PORT": str(taken_port)} | ({"REDIS_URL": redis_server.url} if with_redis else {})

    refused = run_cartwheel("serve", env=env)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"PORT: {taken_port} on 127.0.0.1 is taken by another process\n"


async def test_a_host_that_is_not_this_machine_is_named(env: dict[str, str]) -> None:
    elsewhere = await call_cartwheel("serve", env=env | {"HOST": "192.0.2.1"})
    unknown = await call_cartwheel("serve", env=env | {"HOST": "nowhere.invalid"})

    assert (elsewhere.returncode, elsewhere.stderr) == (2, "HOST: 192.0.2.1 is no address of this machine\n")
    assert (unknown.returncode, unknown.stderr) == (2, "HOST: no address is known for nowhere.invalid\n")


async def test_jobs_that_are_cancelled_while_redis_is_sent_a_command_end(
    sqlite_url: str, tmp_path: Path, redis_server: RedisServer
) -> None:
    settings = settings_for(sqlite_url, tmp_path, redis_url=redis_server.url)
    for step in range(13, 16):  # in each, redis-py has just sent a command, and loses the cancellation
        async with asyncio.timeout(TIMEOUT_SECONDS), running_jobs(open_shop(settings), relays=False):
            for _ in range(step):
                await asyncio.sleep(0)


# --- the database


async def refusal_of(url: str, *, seconds: float = 5.0, migrated: bool = True) -> tuple[str, int]:
    with pytest.raises(StartRefused) as refused:
        await check_database(url, migrated=migrated, seconds=seconds)
    assert PASSWORD not in str(refused.value)
    return str(refused.value), refused.value.exit_code


async def test_a_database_that_cannot_be_reached_is_named_with_its_place() -> None:
    def url(place: str) -> str:
        return f"postgresql+asyncpg://shop:{PASSWORD}@{place}/shop"

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        refused = await refusal_of(url(f"127.0.0.1:{port}"))
    async with run_fake_server(None) as mute:
        silent = await refusal_of(url(f"127.0.0.1:{mute}"), seconds=0.1)
    async with run_fake_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as other:
        no_postgres = await refusal_of(url(f"127.0.0.1:{other}"))

    assert await refusal_of(url("nowhere.invalid")) == (
        "DATABASE_URL: no address is known for the host nowhere.invalid",
        1,
    )
    assert refused == (f"DATABASE_URL: 127.0.0.1:{port} refuses connections: does the server run?", 1)
    assert silent == (f"DATABASE_URL: 127.0.0.1:{mute} does not answer within 0.1 s", 1)
    assert no_postgres[0].startswith(f"DATABASE_URL: 127.0.0.1:{other} does not answer as PostgreSQL does")


async def test_what_postgresql_refuses_is_named(postgres_server: PostgresServer) -> None:
    message = b"SFATAL\0C28P01\0Mno\0\0"
    packet = b"E" + (len(message) + 4).to_bytes(4, "big") + message
    async with run_fake_server(packet) as port:
        url = f"postgresql+asyncpg://shop:{PASSWORD}@127.0.0.1:{port}/shop?ssl=disable"
        password = await refusal_of(url)
    missing, exit_code = await refusal_of(postgres_server.url_of("no_such_shop"))

    assert password == (f"DATABASE_URL: 127.0.0.1:{port} refuses the password of user shop", 2)
    assert missing.endswith("has no database no_such_shop")
    assert exit_code == 2


async def test_an_empty_database_is_not_served(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = await postgres_server.create_database("never_migrated")
    env = process_environment(url, tmp_path)
    line = (
        f"DATABASE_URL: the database has no tables yet; this release needs revision {NEWEST}:"
        " run `cartwheel migrate`\n"
    )
    try:
        for command in ("serve", "worker", "audit"):
            refused = run_cartwheel(command, env=env | {"PORT": "0"})
            assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", line), command
    finally:
        await postgres_server.drop_database("never_migrated")


async def set_revision(env: dict[str, str], revision: str) -> None:
    with sqlite3.connect(env["DATABASE_URL"].removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    connection.close()


async def test_a_database_of_an_older_release_names_both_revisions_and_the_command(
    env: dict[str, str],
) -> None:
    await set_revision(env, "0016")

    refused = await call_cartwheel("audit", env=env)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"DATABASE_URL: the database is at revision 0016; this release needs {NEWEST}:"
        " run `cartwheel migrate`\n"
    )


async def test_a_database_of_a_newer_release_is_served_but_not_migrated(env: dict[str, str]) -> None:
    await set_revision(env, "9999")

    audited = await call_cartwheel("audit", env=env)
    refused = await call_cartwheel("migrate", env=env)

    assert (audited.returncode, audited.stdout.splitlines()[-1]) == (0, "All books agree.")
    assert refused.returncode == 1
    assert refused.stderr == (
        "DATABASE_URL: the database is at revision 9999, which this release does not know:"
        " run `cartwheel migrate` of the release that made it\n"
    )


async def test_a_file_that_is_no_database_of_the_shop_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("this is no database " * 100)

    assert await refusal_of(f"sqlite+aiosqlite:///{text}") == (
        f"DATABASE_URL: {text} cannot be used: file is not a database",
        1,
    )
    assert await refusal_of(f"sqlite+aiosqlite:///{tmp_path}/missing.db") == (
        f"DATABASE_URL: there is no file {tmp_path}/missing.db yet: run `cartwheel migrate`",
        1,
    )
    assert await refusal_of(f"sqlite+aiosqlite:///{tmp_path}") == (f"DATABASE_URL: {tmp_path} is a folder", 2)
    assert await refusal_of(f"sqlite+aiosqlite:///{text}/shop.db", migrated=False) == (
        f"DATABASE_URL: the folder {text} cannot be made: File exists",
        2,
    )
    assert not (tmp_path / "missing.db").exists()


# --- Redis


async def redis_refusal_of(url: str) -> tuple[str, int]:
    with pytest.raises(StartRefused) as refused:
        await check_redis(url, seconds=1.0)
    assert PASSWORD not in str(refused.value)
    return str(refused.value), refused.value.exit_code


async def test_a_wrong_redis_url_is_named(redis_server: RedisServer) -> None:
    place = redis_server.url.removeprefix("redis://").partition("/")[0]
    async with run_fake_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        no_redis = await redis_refusal_of(f"redis://127.0.0.1:{port}/0")

    assert no_redis == (f"REDIS_URL: what answers at 127.0.0.1:{port} is no Redis", 2)
    assert await redis_refusal_of(f"redis://user:{PASSWORD}@{place}/0") == (
        f"REDIS_URL: {place} refuses user and password",
        2,
    )
    assert await redis_refusal_of(f"redis://{place}/9999") == (
        f"REDIS_URL: {place} answers: DB index is out of range",
        2,
    )
    assert await redis_refusal_of(f"redis://:{PASSWORD}@nowhere.invalid:6379/0") == (
        "REDIS_URL: no address is known for nowhere.invalid:6379",
        2,
    )


async def test_a_redis_that_is_away_stops_no_start() -> None:
    async with run_fake_server(None) as mute:
        await check_redis(f"redis://127.0.0.1:{mute}/0", seconds=0.1)


# --- OpenSearch


async def search_refusal_of(url: str) -> tuple[str, int]:
    with pytest.raises(StartRefused) as refused:
        await check_search_engine(url)
    assert PASSWORD not in str(refused.value)
    return str(refused.value), refused.value.exit_code


async def test_a_wrong_search_url_is_named(engine: SearchEngine) -> None:
    place = engine.url.removeprefix("http://")
    await check_search_engine(engine.url)
    engine.control("credentials", credentials=f"shop:{PASSWORD}")
    await check_search_engine(f"http://shop:{PASSWORD}@{place}/prefix")

    assert await search_refusal_of(f"http://shop:{PASSWORD}1@{place}") == (
        f"SEARCH_URL: {place} refuses: banner: HTTP 401",
        2,
    )
    assert await search_refusal_of(f"http://shop:{PASSWORD}@nowhere.invalid:9200") == (
        "SEARCH_URL: no address is known for nowhere.invalid:9200",
        2,
    )
    async with run_fake_server(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>") as port:
        assert await search_refusal_of(f"http://127.0.0.1:{port}") == (
            f"SEARCH_URL: what answers at 127.0.0.1:{port} is no OpenSearch",
            2,
        )


async def test_a_search_engine_that_is_away_stops_no_start(engine: SearchEngine) -> None:
    engine.control("fault", path="/", fault="503")
    with capture_logs() as logs:
        await check_search_engine(engine.url.replace("//", f"//shop:{PASSWORD}@"))

    (entry,) = logs
    assert (entry["event"], entry["setting"], entry["error"]) == (
        "start.search_away",
        "SEARCH_URL",
        "banner: HTTP 503 circuit_breaking_exception",
    )
    assert PASSWORD not in str(entry)


# --- other settings


@pytest.mark.parametrize("command", ["serve", "worker", "audit", "migrate"])
def test_a_folder_that_cannot_be_written_is_named(env: dict[str, str], tmp_path: Path, command: str) -> None:
    file = tmp_path / "file"
    file.touch()

    refused = run_cartwheel(command, env=env | {"VAR_DIR": f"{file}/var", "PORT": "0"})

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"VAR_DIR: {file}/var cannot be written: Not a directory\n"


async def test_a_refused_start_prints_one_line_and_no_secret(env: dict[str, str]) -> None:
    wrong = {
        "REDIS_URL": f"redis//:{PASSWORD}@redis",
        "PUBLIC_URL": f"https://shop:{PASSWORD}@shop.example",
        "DEFAULT_LANGUAGE": "klingon",
        "DATABASE_URL": f"mysql://shop:{PASSWORD}@db/shop",
    }
    for name, value in wrong.items():
        refused = await call_cartwheel("serve", env=env | {name: value})
        assert refused.returncode == 2
        assert refused.stdout == ""
        [line] = refused.stderr.splitlines()
        assert line.startswith(f"{name}: ")
        assert PASSWORD not in line


async def test_a_name_that_looks_mistyped_is_a_warning(env: dict[str, str]) -> None:
    audited = await call_cartwheel("audit", env=env | {"REDIS_ULR": "redis://redis", "LOG_LEVLE": "INFO"})

    assert audited.returncode == 0
    assert audited.stderr.splitlines() == [
        "Warning: LOG_LEVLE: there is no such setting; is LOG_LEVEL meant?",
        "Warning: REDIS_ULR: there is no such setting; is REDIS_URL meant?",
    ]
