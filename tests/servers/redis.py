"""A real Redis for the tests, and one that a test may stop and start."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.den import Den, Running, den, on_a_free_port
from tests.servers.found import given, redis_program


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A server, known by the address of one of its databases."""

    url: str
    origin: str


class PrivateRedis:
    """A server of our own: it keeps its port when it is stopped and started, and forgets everything else."""

    def __init__(self, home: Den) -> None:
        found = redis_program()
        self.origin = str(found)
        self._home = home
        self._program = home.reach(found)
        self._running: Running | None
        self._running, self._port = on_a_free_port(self._start)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._running = self._start(self._port)

    def stop(self) -> None:
        if self._running:
            self._running.stop()
            self._running = None

    def _start(self, port: int) -> Running:
        door = self._home.path / "redis.sock"  # nobody else's, whoever has the port
        return self._home.start(
            "redis", str(self._program), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(self._home.path), "--unixsocket", str(door),
            ready=lambda: _answers(door),
        )  # fmt: skip


@contextmanager
def redis() -> Iterator[RedisServer]:
    """The server given by TEST_REDIS_URL, or one of our own that ends with the block."""
    if address := given("TEST_REDIS_URL"):
        yield RedisServer(address, redis_origin())
        return
    with private_redis() as own:
        yield RedisServer(own.url, own.origin)


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    """Always a server of our own, for tests that stop one."""
    with den() as home:
        own = PrivateRedis(home)
        try:
            yield own
        finally:
            own.stop()


def redis_origin() -> str:
    """Which server the tests use, for people; ServerMissing when there is none."""
    if address := given("TEST_REDIS_URL"):
        return f"given, {address.rpartition('@')[2]}"
    return str(redis_program())


def _answers(door: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(door))
            connection.sendall(b"PING\r\n")
            return connection.recv(7).startswith(b"+PONG")
    except OSError:
        return False
