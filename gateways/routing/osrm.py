"""Distances by road from the table service of OSRM: https://project-osrm.org/docs/v5.24.0/api."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx
import orjson

from gateways.circuit import CircuitBreaker
from gateways.routing.budget import TimeBudget
from gateways.routing.matrix import (
    DistanceTable,
    Matrix,
    MatrixSource,
    MatrixUnavailable,
    StraightLines,
)
from geo import Point

REQUEST_SECONDS = 5.0
ALL_SECONDS = 15.0
"""How long a whole table may take, where the plan has more time."""
REQUESTS_AT_ONCE = 4
ANSWER_BYTES = 5_000_000
WAY_LIMIT = 40_000_000
"""Metres, or seconds, that no road has: more than once around the Earth."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a table that one request asks for."""

    rows: range
    columns: range


@dataclass(frozen=True, slots=True)
class OsrmMatrix:
    """Asks a server for distances and durations, in blocks of as many places as it allows at once."""

    client: httpx.AsyncClient
    address: str
    places_at_once: int = 100
    profile: str = "driving"
    straight: Matrix = field(default_factory=StraightLines)
    """For places that no road joins."""
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)

    async def measure(self, places: Sequence[Point], budget: TimeBudget) -> DistanceTable:
        if not self.breaker.enter():
            raise MatrixUnavailable("The road service has not answered for some time.")
        answered: bool | None = False
        try:
            async with asyncio.timeout(min(ALL_SECONDS, budget.left)):
                table = await self.ask_for_all(places, budget)
            answered = True
            return table
        except TimeoutError:
            raise MatrixUnavailable("The road service takes too long.") from None
        except asyncio.CancelledError:
            answered = None
            raise
        finally:
            self.breaker.leave(answered=answered)

    async def ask_for_all(self, places: Sequence[Point], budget: TimeBudget) -> DistanceTable:
        straight = await self.straight.measure(places, budget)
        metres = [list(row) for row in straight.metres]
        seconds = [[0] * len(places) for _ in places]
        turns = asyncio.Semaphore(REQUESTS_AT_ONCE)

        async def fill(block: Block) -> None:
            async with turns:
                distances, durations = await self.ask(places, block)
            for row, found, times in zip(block.rows, distances, durations, strict=True):
                for column, way, time in zip(block.columns, found, times, strict=True):
                    if way is not None and time is not None and row != column:
                        metres[row][column], seconds[row][column] = round(way), round(time)

        try:
            async with asyncio.TaskGroup() as group:
                for block in self.blocks_of(len(places)):
                    group.create_task(fill(block))
        except* MatrixUnavailable as failures:
            raise MatrixUnavailable(str(failures.exceptions[0])) from None
        return DistanceTable(metres, seconds, MatrixSource.ROADS)

    def blocks_of(self, count: int) -> Iterator[Block]:
        """Blocks that together are the whole table; one for few places."""
        if count <= self.places_at_once:
            yield Block(range(count), range(count))
            return
        half = max(self.places_at_once // 2, 1)
        for top in range(0, count, half):
            for left in range(0, count, half):
                yield Block(range(top, min(top + half, count)), range(left, min(left + half, count)))

    async def ask(
        self, places: Sequence[Point], block: Block
    ) -> tuple[list[list[float | None]], list[list[float | None]]]:
        """The distances and durations of a block."""
        points = [*block.rows, *(column for column in block.columns if column not in block.rows)]
        index = {place: at for at, place in enumerate(points)}
        path = ";".join(f"{places[at].longitude:.6f},{places[at].latitude:.6f}" for at in points)
        sources = ";".join(str(index[row]) for row in block.rows)
        destinations = ";".join(str(index[column]) for column in block.columns)
        address = f"{self.address}/table/v1/{self.profile}/{path}"
        query = {"sources": sources, "destinations": destinations, "annotations": "duration,distance"}
        try:
            response = await self.client.get(address, params=query, timeout=REQUEST_SECONDS)
        except httpx.HTTPError as error:
            raise MatrixUnavailable(f"The road service is not reached: {type(error).__name__}.") from None
        if response.status_code != httpx.codes.OK or len(response.content) > ANSWER_BYTES:
            raise MatrixUnavailable(f"The road service answers with {response.status_code}.")
        return read_block(response.content, block)


def read_block(content: bytes, block: Block) -> tuple[list[list[float | None]], list[list[float | None]]]:
    """The two tables of an answer; MatrixUnavailable unless they are those that were asked for."""
    try:
        answer = orjson.loads(content)
        if answer["code"] != "Ok":
            raise MatrixUnavailable("The road service refuses to answer.")
        return read_table(answer["distances"], block), read_table(answer["durations"], block)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise MatrixUnavailable("The road service answers with nonsense.") from None


def read_table(table: Sequence[Sequence[float | None]], block: Block) -> list[list[float | None]]:
    if len(table) != len(block.rows) or any(len(row) != len(block.columns) for row in table):
        raise ValueError
    for row in table:
        for value in row:
            if value is not None and not 0 <= value <= WAY_LIMIT:
                raise ValueError
    return [list(row) for row in table]
