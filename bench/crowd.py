"""Sends the requests of many buyers over keep-alive connections, in a process of its own.

`python -m bench.crowd` reads a CrowdTask as JSON from standard input and writes a CrowdResult as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.arguments import read_arguments

TRIES_LIMIT = 50
"""How often a request that is answered BUSY is sent again."""

BROWSE_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class CrowdRequest:
    """A GraphQL request of one buyer."""

    token: str
    body: str


@dataclass(frozen=True, slots=True)
class CrowdTask:
    """Requests to send once each, and those that bystanders send meanwhile, again and again."""

    port: int
    connections: int
    payload: str
    """The name of the mutation, whose payload has the user errors."""
    requests: Sequence[CrowdRequest]
    bystanders: dict[str, CrowdRequest]


@dataclass(slots=True)
class CrowdResult:
    """What was measured; all times in seconds."""

    seconds: float
    ok_within: float
    """Until the last request that ended with OK."""
    codes: dict[str, int]
    """How many requests ended with each code; OK for those without user errors."""
    busy: int
    """Answers with BUSY; the request is sent again after the time that the answer names."""
    waits: list[float]
    """How long each attempt took."""
    ends: list[float]
    """How long each request took, with all its attempts and pauses."""
    bystanders: dict[str, list[float]]


class CrowdConnection:
    """A keep-alive connection with just enough HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def post(self, request: CrowdRequest) -> Any:
        """The answer; a connection that the server has closed is opened again."""
        if self.reader is not None:
            try:
                return await self.post_once(request)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.close()
        return await self.post_once(request)

    async def post_once(self, request: CrowdRequest) -> Any:
        body = request.body.encode()
        signed = f"Authorization: Bearer {request.token}\r\n" if request.token else ""
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"{signed}Content-Length: {len(body)}\r\n\r\n"
        )
        if self.reader is None or self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(head.encode() + body)
        answered = await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in answered.lower().strip().split(b"\r\n")[1:])
        text = await self.reader.readexactly(int(fields[b"content-length"]))
        if not answered.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the server answers {answered[:40]!r} {text[:300]!r}")
        return json.loads(text)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def run_task(task: CrowdTask) -> CrowdResult:
    result = CrowdResult(0.0, 0.0, {}, 0, [], [], {name: [] for name in task.bystanders})
    waiting = iter(task.requests)
    began = time.perf_counter()
    browsing = [asyncio.create_task(browse_meanwhile(task, name, result)) for name in task.bystanders]
    await asyncio.gather(*(send_requests(task, waiting, result, began) for _ in range(task.connections)))
    result.seconds = time.perf_counter() - began
    for other in browsing:
        other.cancel()
    await asyncio.gather(*browsing, return_exceptions=True)
    return result


async def send_requests(
    task: CrowdTask, waiting: Iterator[CrowdRequest], result: CrowdResult, start: float
) -> None:
    """Send one request after the other over one connection."""
    connection = CrowdConnection(task.port)
    for request in waiting:
        began = time.perf_counter()
        code = await send_until_answered(connection, task, request, result)
        result.ends.append(time.perf_counter() - began)
        result.codes[code] = result.codes.get(code, 0) + 1
        if code == "OK":
            result.ok_within = time.perf_counter() - start
    connection.close()


async def send_until_answered(
    connection: CrowdConnection, task: CrowdTask, request: CrowdRequest, result: CrowdResult
) -> str:
    for _ in range(TRIES_LIMIT):
        began = time.perf_counter()
        answer = await connection.post(request)
        result.waits.append(time.perf_counter() - began)
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"])[:500])
        refusals = answer["data"][task.payload]["userErrors"]
        code = refusals[0]["code"] if refusals else "OK"
        if code != "BUSY":
            return str(code)
        result.busy += 1
        await asyncio.sleep(refusals[0]["retryAfterSeconds"])
    return "BUSY"


async def browse_meanwhile(task: CrowdTask, name: str, result: CrowdResult) -> None:
    """Send the request of a bystander again and again until cancelled."""
    connection = CrowdConnection(task.port)
    try:
        while True:
            began = time.perf_counter()
            answer = await connection.post(task.bystanders[name])
            result.bystanders[name].append(time.perf_counter() - began)
            if "errors" in answer:
                raise RuntimeError(str(answer["errors"])[:500])
            await asyncio.sleep(BROWSE_PAUSE)
    finally:
        connection.close()


def read_task(text: str) -> CrowdTask:
    given = json.loads(text)
    return CrowdTask(
        given["port"],
        given["connections"],
        given["payload"],
        [CrowdRequest(**each) for each in given["requests"]],
        {name: CrowdRequest(**each) for name, each in given["bystanders"].items()},
    )


if __name__ == "__main__":
    read_arguments(__doc__)
    json.dump(asdict(asyncio.run(run_task(read_task(sys.stdin.read())))), sys.stdout)
