"""Pushes of kuaidi100 at a steady rate over keep-alive connections, from a process of its own.

`python -m bench.push_load` reads a PushTask as JSON from standard input and writes a PushResult as JSON. Each
push has a planned moment, whether or not earlier ones have been answered, and is timed from then on.
"""

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import md5
from urllib.parse import quote_plus

import uvloop

HEAD_END = b"\r\n\r\n"
NUMBER = "@number@"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PushTask:
    """Which pushes to send: of each number one, with the same history."""

    ports: Sequence[int]
    connections: int
    rate: float
    """Pushes a second."""
    numbers: Sequence[str]
    params: Sequence[str]
    """The contents in turn, with NUMBER where the number stands."""
    salt: str
    path: str


@dataclass(slots=True)
class PushResult:
    """What was measured; times in seconds."""

    seconds: float
    cpu_seconds: float
    statuses: dict[str, int]
    waits: list[float]
    """From the planned moment to the answer, of each push."""


class PushConnection(asyncio.Protocol):
    """A connection that sends one push after the other."""

    def __init__(self) -> None:
        self.buffer = b""
        self.answered: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.answered and not self.answered.done():
            self.answered.set_result(0)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, rest = self.buffer.partition(HEAD_END)
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) >= length and self.answered and not self.answered.done():
            self.buffer = b""
            self.answered.set_result(int(head[9:12]))

    async def send(self, request: bytes) -> int:
        """The status of the answer; 0 where none came."""
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self.answered


class PushLoad:
    """Sends all pushes of a task, each by the next connection."""

    def __init__(self, task: PushTask) -> None:
        self.task = task
        self.parts = [[part.encode() for part in param.split(NUMBER)] for param in task.params]
        self.quoted = [[quote_plus(part).encode() for part in param.split(NUMBER)] for param in task.params]
        self.requests: Sequence[bytes] = ()
        """Made before the first is sent: who measures takes as little of the machine as it can."""
        self.statuses: Counter[int] = Counter()
        self.waits: list[float] = []

    def request_for(self, index: int) -> bytes:
        turn = index % len(self.parts)
        plain = self.task.numbers[index].encode()
        signed = plain.join(self.parts[turn]) + self.task.salt.encode()
        sign = md5(signed, usedforsecurity=False).hexdigest().upper()
        body = b"param=" + plain.join(self.quoted[turn]) + b"&sign=" + sign.encode()
        head = (
            f"POST {self.task.path} HTTP/1.1\r\nHost: shop\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def run(self) -> PushResult:
        loop = asyncio.get_running_loop()
        ports = self.task.ports
        connections = [
            (await loop.create_connection(PushConnection, "127.0.0.1", ports[index % len(ports)]))[1]
            for index in range(self.task.connections)
        ]
        self.requests = [self.request_for(index) for index in range(len(self.task.numbers))]
        began, cpu_before = time.perf_counter() + 0.5, time.process_time()
        await asyncio.gather(*(self.send_share(each, index, began) for index, each in enumerate(connections)))
        return PushResult(
            time.perf_counter() - began,
            time.process_time() - cpu_before,
            {str(status): count for status, count in sorted(self.statuses.items())},
            self.waits,
        )

    async def send_share(self, connection: PushConnection, share: int, began: float) -> None:
        for index in range(share, len(self.task.numbers), self.task.connections):
            planned = began + index / self.task.rate
            if (pause := planned - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            status = await connection.send(self.requests[index])
            self.statuses[status] += 1
            self.waits.append(time.perf_counter() - planned)


def run_load() -> None:
    gc.disable()
    task = PushTask(**json.load(sys.stdin))
    print(json.dumps(asdict(uvloop.run(PushLoad(task).run()))))


if __name__ == "__main__":
    run_load()
