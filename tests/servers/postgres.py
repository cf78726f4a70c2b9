"""A real PostgreSQL for the tests, and databases made in it by the second."""

import locale
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from tests.servers.den import Den, Running, den, on_a_free_port
from tests.servers.found import given, postgres_program

FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server, known by the address of a database from which others can be made and dropped."""

    url: str
    origin: str

    async def new_database(self, name: str) -> str:
        """Make an empty database; the answer is its address."""
        await self._command(f"CREATE DATABASE {_quoted(name)} TEMPLATE template0 ENCODING 'UTF8'")
        return self.url_of(name)

    async def create_from_template(self, name: str, template: str) -> str:
        """Make a copy of a database nobody is connected to; the answer is its address."""
        await self._command(f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template)}")
        return self.url_of(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database, whether or not it exists and whoever is still connected to it."""
        await self._command(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    def url_of(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    async def _command(self, sql: str) -> None:
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(address)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """The server given by TEST_DATABASE_URL, or one of our own that ends with the block."""
    if address := given("TEST_DATABASE_URL"):
        yield PostgresServer(_for_asyncpg(address), postgres_origin())
        return
    with den() as home:
        data = _prepared(home)
        running, port = on_a_free_port(lambda port: _start(home, data, port))
        url = f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"
        try:
            yield PostgresServer(url, postgres_origin())
        finally:
            running.stop()


def postgres_origin() -> str:
    """Which server the tests use, for people; ServerMissing when there is none."""
    if address := given("TEST_DATABASE_URL"):
        return f"given, {make_url(address)!r}"
    return str(postgres_program())


def _prepared(home: Den) -> Path:
    """Where the server will keep everything."""
    program, data = home.reach(postgres_program()), home.path / "data"
    home.run(
        str(program.with_name("initdb")), f"--pgdata={data}", "--username=postgres", "--auth=trust",
        "--encoding=UTF8", "--locale=C", f"--lc-ctype={_letters()}", "--no-sync", "--no-instructions",
    )  # fmt: skip
    return data


def _start(home: Den, data: Path, port: int) -> Running:
    program = home.reach(postgres_program())
    options = FAST_AND_FORGETFUL | {"port": str(port), "unix_socket_directories": str(home.path)}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return home.start(
        "postgres", str(program), "-D", str(data), *settings,
        ready=lambda: _says_ready(data / "postmaster.pid"),
    )  # fmt: skip


def _says_ready(note: Path) -> bool:
    """PostgreSQL writes its state into the last line of this file."""
    return note.exists() and note.read_text().rstrip().endswith("ready")


def _letters() -> str:
    """The locale that knows upper and lower case of É and Ж, where the system has it."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        return locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _for_asyncpg(address: str) -> str:
    return make_url(address).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
