"""Many buyers at once over keep-alive connections, in a process of its own: its work is not the server's.

`python -m bench.crowd` reads a Task as JSON from standard input and writes Outcomes as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

TRIES_LIMIT = 50
"""How often a buyer who is told BUSY comes back."""

BROWSE_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Errand:
    """One request: who asks, and what."""

    token: str
    body: str


@dataclass(frozen=True, slots=True)
class Task:
    """What the crowd is sent for, and what a few others do meanwhile, again and again."""

    port: int
    connections: int
    payload: str
    """The mutation whose payload tells what came of an errand."""
    errands: Sequence[Errand]
    others: dict[str, Errand]


@dataclass(slots=True)
class Outcomes:
    """What came of it; all times in seconds."""

    seconds: float
    granted_within: float
    """Until the last errand was granted."""
    codes: dict[str, int]
    """How many errands ended with each code; OK for those that were granted."""
    busy: int
    """Requests answered BUSY; the buyer came back after the time told."""
    waits: list[float]
    """How long each single request took."""
    ends: list[float]
    """How long each buyer took, pauses included."""
    others: dict[str, list[float]]


class Line:
    """A keep-alive connection that knows just enough HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, errand: Errand) -> Any:
        """The answer; a connection the server closed while it was quiet is opened again."""
        if self.reader is not None:
            try:
                return await self.ask_once(errand)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.hang_up()
        return await self.ask_once(errand)

    async def ask_once(self, errand: Errand) -> Any:
        body = errand.body.encode()
        signed = f"Authorization: Bearer {errand.token}\r\n" if errand.token else ""
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

    def hang_up(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def run(task: Task) -> Outcomes:
    outcomes = Outcomes(0.0, 0.0, {}, 0, [], [], {name: [] for name in task.others})
    waiting = iter(task.errands)
    began = time.perf_counter()
    browsing = [asyncio.create_task(browse(task, name, outcomes)) for name in task.others]
    await asyncio.gather(*(serve(task, waiting, outcomes, began) for _ in range(task.connections)))
    outcomes.seconds = time.perf_counter() - began
    for other in browsing:
        other.cancel()
    await asyncio.gather(*browsing, return_exceptions=True)
    return outcomes


async def serve(task: Task, waiting: Iterator[Errand], outcomes: Outcomes, start: float) -> None:
    """One connection: one buyer after the other, each until there is an answer."""
    line = Line(task.port)
    for errand in waiting:
        began = time.perf_counter()
        code = await insist(line, task, errand, outcomes)
        outcomes.ends.append(time.perf_counter() - began)
        outcomes.codes[code] = outcomes.codes.get(code, 0) + 1
        if code == "OK":
            outcomes.granted_within = time.perf_counter() - start
    line.hang_up()


async def insist(line: Line, task: Task, errand: Errand, outcomes: Outcomes) -> str:
    for _ in range(TRIES_LIMIT):
        began = time.perf_counter()
        answer = await line.ask(errand)
        outcomes.waits.append(time.perf_counter() - began)
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"])[:500])
        refusals = answer["data"][task.payload]["userErrors"]
        code = refusals[0]["code"] if refusals else "OK"
        if code != "BUSY":
            return str(code)
        outcomes.busy += 1
        await asyncio.sleep(refusals[0]["retryAfterSeconds"])
    return "BUSY"


async def browse(task: Task, name: str, outcomes: Outcomes) -> None:
    """Somebody who looks around while the others crowd."""
    line = Line(task.port)
    try:
        while True:
            began = time.perf_counter()
            answer = await line.ask(task.others[name])
            outcomes.others[name].append(time.perf_counter() - began)
            if "errors" in answer:
                raise RuntimeError(str(answer["errors"])[:500])
            await asyncio.sleep(BROWSE_PAUSE)
    finally:
        line.hang_up()


def read_task(text: str) -> Task:
    given = json.loads(text)
    return Task(
        given["port"],
        given["connections"],
        given["payload"],
        [Errand(**each) for each in given["errands"]],
        {name: Errand(**each) for name, each in given["others"].items()},
    )


if __name__ == "__main__":
    json.dump(asdict(asyncio.run(run(read_task(sys.stdin.read())))), sys.stdout)
