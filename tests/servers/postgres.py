"""A PostgreSQL server for the tests, and the databases made in it."""

import locale
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from tests.servers.discovery import find_postgres, given_address
from tests.servers.server_folder import RunningServer, ServerFolder, make_server_folder, start_on_free_port

WITHOUT_DURABILITY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}

KEEPING_COMMITS = WITHOUT_DURABILITY | {"synchronous_commit": "on"}
"""What was committed is with the system, and stays when the server is killed; not when the machine is."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server; `url` is the address of a database from which others are created and dropped."""

    url: str
    origin: str

    async def create_database(self, name: str) -> str:
        """Create an empty database and return its address."""
        await self._command(f"CREATE DATABASE {_quote(name)} TEMPLATE template0 ENCODING 'UTF8'")
        return self.url_of(name)

    async def create_from_template(self, name: str, template: str) -> str:
        """Copy a database that nobody is connected to and return the copy's address."""
        await self._command(f"CREATE DATABASE {_quote(name)} TEMPLATE {_quote(template)}")
        return self.url_of(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database if it exists, together with its connections."""
        await self._command(f"DROP DATABASE IF EXISTS {_quote(name)} WITH (FORCE)")

    def url_of(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    async def _command(self, sql: str) -> None:
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(address)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


class PrivatePostgres:
    """A server that can be killed and started again, on the same port; what it has committed stays."""

    def __init__(self, folder: ServerFolder) -> None:
        self._folder = folder
        self._data = _prepare_data(folder)
        self.running, self._port = start_on_free_port(self._start)

    @property
    def server(self) -> PostgresServer:
        url = f"postgresql+asyncpg://postgres@127.0.0.1:{self._port}/postgres"
        return PostgresServer(url, str(find_postgres()))

    def start(self) -> None:
        """Start it again after all its processes have ended."""
        self.running.stop()
        self.running = self._start(self._port)

    def _start(self, port: int) -> RunningServer:
        return _start(self._folder, self._data, port, KEEPING_COMMITS)


@contextmanager
def run_private_postgres() -> Iterator[PrivatePostgres]:
    """A server that runs during the block, for those who kill it and start it again."""
    with make_server_folder() as folder:
        own = PrivatePostgres(folder)
        try:
            yield own
        finally:
            own.running.stop()


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """The server of TEST_DATABASE_URL, or one that runs during the block."""
    if address := given_address("TEST_DATABASE_URL"):
        yield PostgresServer(_for_asyncpg(address), postgres_origin())
        return
    with make_server_folder() as folder:
        data = _prepare_data(folder)
        running, port = start_on_free_port(lambda port: _start(folder, data, port))
        url = f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"
        try:
            yield PostgresServer(url, postgres_origin())
        finally:
            running.stop()


def postgres_origin() -> str:
    """Describe the server that the tests use; ServerMissing when there is none."""
    if address := given_address("TEST_DATABASE_URL"):
        return f"given, {make_url(address)!r}"
    return str(find_postgres())


def _prepare_data(folder: ServerFolder) -> Path:
    """Initialise the data directory and return its path."""
    program, data = folder.make_executable(find_postgres()), folder.path / "data"
    folder.run(
        str(program.with_name("initdb")), f"--pgdata={data}", "--username=postgres", "--auth=trust",
        "--encoding=UTF8", "--locale=C", f"--lc-ctype={_find_locale()}", "--no-sync", "--no-instructions",
    )  # fmt: skip
    return data


def _start(
    folder: ServerFolder, data: Path, port: int, settings: Mapping[str, str] = WITHOUT_DURABILITY
) -> RunningServer:
    program = folder.make_executable(find_postgres())
    options = {**settings} | {"port": str(port), "unix_socket_directories": str(folder.path)}
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    pid_file = data / "postmaster.pid"
    before = pid_file.read_text() if pid_file.exists() else ""
    return folder.start(
        "postgres", str(program), "-D", str(data), *arguments,
        ready=lambda: _is_ready(pid_file, before),
    )  # fmt: skip


def _is_ready(pid_file: Path, before: str) -> bool:
    """Whether the last line of `postmaster.pid` says that the server is ready, not one that was killed."""
    content = pid_file.read_text() if pid_file.exists() else ""
    return content != before and content.rstrip().endswith("ready")


def _find_locale() -> str:
    """Return a locale that knows upper and lower case of É and Ж, or "C" where the system has none."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        return locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def _for_asyncpg(address: str) -> str:
    return make_url(address).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
