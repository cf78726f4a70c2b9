"""A Redis server for the tests, and one that a test may stop and start."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.discovery import find_redis, given_address
from tests.servers.server_folder import RunningServer, ServerFolder, make_server_folder, start_on_free_port


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A server; `url` is the address of one of its databases."""

    url: str
    origin: str


class PrivateRedis:
    """A server of one test: it can be stopped and started on the same port, and keeps no data."""

    def __init__(self, folder: ServerFolder) -> None:
        program = find_redis()
        self.origin = str(program)
        self._folder = folder
        self._program = folder.make_executable(program)
        self._running: RunningServer | None
        self._running, self._port = start_on_free_port(self._start)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def running(self) -> RunningServer | None:
        return self._running

    def start(self) -> None:
        self._running = self._start(self._port)

    def stop(self) -> None:
        if self._running:
            self._running.stop()
            self._running = None

    def _start(self, port: int) -> RunningServer:
        unix_socket = self._folder.path / "redis.sock"  # ours alone, whoever else has the port
        return self._folder.start(
            "redis", str(self._program), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(self._folder.path), "--unixsocket", str(unix_socket),
            ready=lambda: _answers_ping(unix_socket),
        )  # fmt: skip


@contextmanager
def run_redis() -> Iterator[RedisServer]:
    """The server of TEST_REDIS_URL, or one that runs during the block."""
    if address := given_address("TEST_REDIS_URL"):
        yield RedisServer(address, redis_origin())
        return
    with run_private_redis() as own:
        yield RedisServer(own.url, own.origin)


@contextmanager
def run_private_redis() -> Iterator[PrivateRedis]:
    """A server that runs during the block, for tests that stop and start it."""
    with make_server_folder() as folder:
        own = PrivateRedis(folder)
        try:
            yield own
        finally:
            own.stop()


def redis_origin() -> str:
    """Describe the server that the tests use; ServerMissing when there is none."""
    if address := given_address("TEST_REDIS_URL"):
        return f"given, {address.rpartition('@')[2]}"
    return str(find_redis())


def _answers_ping(unix_socket: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(unix_socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(7).startswith(b"+PONG")
    except OSError:
        return False
