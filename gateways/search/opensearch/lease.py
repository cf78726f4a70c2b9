"""Who writes an index: one process of all machines, for one batch of changes or until an index is built.

The lease is a document. It is taken over when it has not changed for LEASE_SECONDS by the clock of whoever
waits, so that clocks need not agree. Its term grows with each writer and is the version of what it writes:
a process that was paused and goes on writing is refused where a later one has written.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gateways.search.opensearch.answers import Acknowledged, LeaseAnswer, WrittenAnswer
from gateways.search.opensearch.api import Body, NewerThere, NotThere, SearchApi
from gateways.search.protocol import SearchRefused, SearchUnavailable

LEASE_SECONDS = 6.0
RENEW_SECONDS = 1.5


@dataclass(slots=True)
class WriterLease:
    api: SearchApi
    name: str
    """Of the index that is written."""
    clock: Callable[[], float] = time.monotonic
    lease_seconds: float = LEASE_SECONDS
    process: str = field(default_factory=lambda: secrets.token_hex(8), init=False)
    term: int = field(default=0, init=False)
    version: tuple[int, int] = field(default=(0, 0), init=False)
    """Number and primary term of the document as this process has written it."""
    seen: tuple[int, int] = field(default=(0, 0), init=False)
    """Those that another process has written, and since when they have not changed."""
    seen_since: float = field(default=0.0, init=False)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def index(self) -> str:
        return f"/{self.api.prefix}-writers"

    @property
    def path(self) -> str:
        return f"{self.index}/_doc/{self.name}"

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[bool]:
        """Whether this process writes until the block ends."""
        if not await self.acquire():
            yield False
            return
        renewing = asyncio.create_task(self.renew_always())
        try:
            yield True
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            with suppress(SearchUnavailable):
                await self.put(self.source(""))

    async def acquire(self) -> bool:
        try:
            found = await self.api.ask(LeaseAnswer, "read_lease", self.path)
        except NotThere:
            return await self.create()
        version = (found.sequence, found.primary_term)
        if found.source.holder and not self.has_expired(version):
            return False
        self.version = version
        return await self.take(found.source.term)

    def has_expired(self, version: tuple[int, int]) -> bool:
        """Whether another process has not renewed its lease for long enough."""
        now = self.clock()
        if version != self.seen:
            self.seen, self.seen_since = version, now
        return now - self.seen_since >= self.lease_seconds

    async def create(self) -> bool:
        settings = {"settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1"}}}
        fields = {"holder": {"type": "keyword"}, "term": {"type": "long"}}
        mappings = {"mappings": {"properties": fields}}
        with suppress(
            SearchRefused
        ):  # it is there: another process was first, or only the document is missing
            await self.api.change(Acknowledged, "create_leases", "PUT", self.index, {**settings, **mappings})
        self.version = (0, 0)
        return await self.take(0)

    async def take(self, last_term: int) -> bool:
        # the time, so that terms grow even where the lease was lost
        self.term = max(last_term + 1, time.time_ns() // 1_000_000)
        try:
            await self.put(self.source(self.process))
        except NewerThere:
            return False
        return True

    def source(self, holder: str) -> Body:
        return {"holder": holder, "term": self.term}

    async def put(self, source: Body) -> None:
        """Write the document; NewerThere where somebody else has."""
        async with self.turn:
            sequence, primary_term = self.version
            known = (
                f"if_seq_no={sequence}&if_primary_term={primary_term}" if primary_term else "op_type=create"
            )
            path = f"{self.path}?{known}"
            written = await self.api.change(WrittenAnswer, "write_lease", "PUT", path, source)
            self.version = (written.sequence, written.primary_term)

    async def renew(self) -> None:
        """Say that this process still writes; NewerThere where another one has taken over."""
        await self.put(self.source(self.process))

    async def renew_always(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(SearchUnavailable):
                await self.renew()
