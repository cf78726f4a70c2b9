"""Processes that are killed and stalled at any moment, and started again; and the door before the shop's."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from typing import BinaryIO

from tests.process import ROOT, Process, read_address, start_cartwheel
from tests.servers import PrivatePostgres, PrivateRedis
from tests.servers.server_folder import RunningServer, ServerFailed

START_SECONDS = 60
LOOK_SECONDS = 0.1
BUFFER = 1 << 16


@dataclass(slots=True)
class Victim:
    """A program that is kept running."""

    name: str
    start: Callable[[], Awaitable[None]]
    find: Callable[[], Sequence[int]]
    """Its process, if it runs."""
    rest: float = 0.5
    """Seconds it stays away when it has ended."""
    kills: int = 0
    stalls: int = 0
    starts: int = 0
    dying: list[int] = field(default_factory=list)

    def find_all(self) -> list[int]:
        """Its process, first, and those that this has started."""
        return [each for pid in self.find() for each in with_children(pid)]

    def kill(self) -> None:
        self.dying = self.find_all()
        self.kills += bool(self.dying)
        send_signal(self.dying, signal.SIGKILL)

    async def stall(self, seconds: float) -> None:
        stalled = self.find_all()
        self.stalls += bool(stalled)
        send_signal(stalled, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            send_signal(stalled, signal.SIGCONT)

    async def keep_running(self) -> None:
        """Start it again whenever it has ended, until cancelled."""
        while True:
            if not self.find():
                await asyncio.sleep(self.rest)
                await self.start_again()
            await asyncio.sleep(LOOK_SECONDS)

    async def start_again(self) -> None:
        while self.dying:
            await asyncio.sleep(LOOK_SECONDS)
            self.dying = [pid for pid in self.dying if is_alive(pid)]
        # What it needs may be away: then it is tried again.
        with suppress(AssertionError, ServerFailed, TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await self.start()
            self.starts += 1


def send_signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def read_stat(pid: int) -> tuple[str, int]:
    """State and parent of a process (proc(5)); "X" when there is none."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        return "X", 0
    return state, int(parent)


def is_alive(pid: int) -> bool:
    return read_stat(pid)[0] not in "XZ"


def with_children(pid: int) -> list[int]:
    """A process, first, and those it has started."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid, *(each for each in pids if read_stat(each)[1] == pid)]


# --- the shop


@dataclass(slots=True)
class FrontDoor:
    """Passes each connection on to one of the serving processes, as a load balancer does."""

    ports: dict[str, int] = field(default_factory=dict)
    """By the name of the process."""
    random: Random = field(default_factory=Random)
    url: str = ""

    async def open(self) -> asyncio.Server:
        server = await asyncio.start_server(self.pass_on, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports = list(self.ports.values())
        self.random.shuffle(ports)
        for port in ports:
            try:
                shop_reader, shop_writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            with suppress(asyncio.CancelledError):  # the door is closed for good
                await asyncio.gather(carry(reader, shop_writer), carry(shop_reader, writer))
            return
        writer.close()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(BUFFER):
            writer.write(data)
            await writer.drain()
    writer.close()


def serving_process(name: str, env: Mapping[str, str], folder: Path, door: FrontDoor) -> Victim:
    running: list[Process] = []

    async def start() -> None:
        door.ports.pop(name, None)
        running[:] = [Process.start(dict(env), folder / f"{name}.log")]
        running[0].url = await read_address(running[0])
        door.ports[name] = running[0].port

    return Victim(name, start, lambda: [each.pid for each in running if each.exit_code is None])


def alive_process(name: str, env: Mapping[str, str], folder: Path) -> Victim:
    running: list[ForkServerProcess] = []

    async def start() -> None:
        running[:] = [start_cartwheel("worker", env=dict(env), stdout=folder / f"{name}.log")]

    return Victim(name, start, lambda: [each.pid for each in running if each.exitcode is None and each.pid])


# --- the servers


def find_server(running: RunningServer | None) -> list[int]:
    return [running.pid] if running and not running.has_ended else []


def postgres_processes(postgres: PrivatePostgres) -> Victim:
    async def start() -> None:
        await asyncio.to_thread(postgres.start)

    return Victim("PostgreSQL", start, lambda: find_server(postgres.running))


def redis_processes(redis: PrivateRedis) -> Victim:
    async def start() -> None:
        redis.stop()
        await asyncio.to_thread(redis.start)

    return Victim("Redis", start, lambda: find_server(redis.running))


@dataclass(slots=True)
class ProviderProcess:
    """A payment provider's server, on the same port and with the same folder whenever it is started."""

    name: str
    port: int
    arguments: Sequence[str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def open(self, output: BinaryIO) -> "subprocess.Popen[bytes]":
        module = f"bench.provider_servers.{self.name}"
        return subprocess.Popen(
            [sys.executable, "-m", module, str(self.port), *self.arguments],
            cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip

    async def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = self.open(output)
        while self.process.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(LOOK_SECONDS)
            else:
                writer.close()
                return
        raise ServerFailed(self.log.read_text()[-2000:])

    def find(self) -> list[int]:
        return [self.process.pid] if self.process and self.process.poll() is None else []

    def victim(self) -> Victim:
        return Victim(self.name, self.start, self.find)


@asynccontextmanager
async def keeping_running(victims: Sequence[Victim]) -> AsyncIterator[None]:
    """Start each again whenever it has ended, during the block."""
    keepers = [asyncio.create_task(victim.keep_running()) for victim in victims]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


@contextmanager
def ending(victims: Sequence[Victim]) -> Iterator[None]:
    """End what still runs after the block."""
    try:
        yield
    finally:
        for victim in victims:
            send_signal(victim.find(), signal.SIGKILL)
        while any(victim.find() for victim in victims):
            time.sleep(LOOK_SECONDS)
