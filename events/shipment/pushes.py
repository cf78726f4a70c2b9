"""Pushes of carriers are stored when they come: those that come in together in one transaction."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import structlog

from domain.shipment.incoming import NewPush, count_incoming, store_pushes
from events.shipment.push_content import write_content
from events.types import Clock
from gateways.carrier.protocol import TrackingPush
from models import CarrierConnection
from models.database import Database
from settings.business import CarrierSettings
from text.characters import clean_text

log = structlog.get_logger()

BATCH = 500
"""Pushes stored in one transaction."""
NUMBER_LIMIT = 200
COUNTED_EACH_SECONDS = 0.5
"""How often the pushes that wait to be folded are counted."""


class TooManyPushes(Exception):
    """So many pushes wait that no further one is taken: it is to come again."""


@dataclass(slots=True, eq=False)
class ArrivingPush:
    """What came in one request, and what tells that it is stored."""

    rows: Sequence[NewPush]
    stored: "asyncio.Future[None]"


class PushInbox:
    """Stores all pushes of this process."""

    def __init__(self, database: Database, clock: Clock, settings: CarrierSettings) -> None:
        self.database = database
        self.clock = clock
        self.limit = settings.waiting_pushes
        self.queue: deque[ArrivingPush] = deque()
        self.storing: asyncio.Task[None] | None = None
        self.waiting = 0
        """How many waited to be folded when they were last counted, and those stored since."""
        self.counted_at = -COUNTED_EACH_SECONDS
        self.has_stored = asyncio.Event()

    async def put(self, connection: CarrierConnection, pushes: Sequence[TrackingPush]) -> None:
        """Return when these pushes are committed; TooManyPushes, and nothing is stored, beyond the limit."""
        now = self.clock()
        rows = [
            NewPush(connection, clean_text(push.tracking_number)[:NUMBER_LIMIT], write_content(push), now)
            for push in pushes
        ]
        if not rows:
            return
        if (
            self.waiting + len(self.queue) >= self.limit
            and monotonic() < self.counted_at + COUNTED_EACH_SECONDS
        ):
            raise TooManyPushes
        arriving = ArrivingPush(rows, asyncio.get_running_loop().create_future())
        self.queue.append(arriving)
        if self.storing is None:
            self.storing = asyncio.create_task(self.store_all())
        await arriving.stored

    async def drain(self) -> None:
        """Until everything that has come is stored."""
        while self.storing is not None:
            await asyncio.wait([self.storing])

    async def store_all(self) -> None:
        """Store one batch after the other, until nothing waits."""
        try:
            while self.queue:
                batch = [self.queue.popleft() for _ in range(min(BATCH, len(self.queue)))]
                try:
                    await self.store(batch)
                except Exception as error:
                    answer(batch, error)
                else:
                    answer(batch, None)
                    self.has_stored.set()
        finally:
            self.storing = None

    async def store(self, batch: Sequence[ArrivingPush]) -> None:
        rows = [row for arriving in batch for row in arriving.rows]
        async with self.database.writes.begin() as session:
            if monotonic() >= self.counted_at + COUNTED_EACH_SECONDS:
                self.waiting = await count_incoming(session, limit=self.limit)
                self.counted_at = monotonic()
            if self.waiting >= self.limit:
                raise TooManyPushes
            await store_pushes(session, rows)
        self.waiting += len(rows)


def answer(batch: Sequence[ArrivingPush], error: Exception | None) -> None:
    """Tell those who wait that their pushes are stored, or why not."""
    for arriving in batch:
        if arriving.stored.done():
            continue  # who has posted it has gone away
        if error is None:
            arriving.stored.set_result(None)
        else:
            arriving.stored.set_exception(error)
