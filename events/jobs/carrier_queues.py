"""A scheduler for each carrier: carriers are rows, so they come while the shop runs."""

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from events.jobs.scheduler import Scheduler
from events.shipment.queues import carrier_timers, list_called_carriers
from events.types import Resources
from gateways.measured import queue_of
from models import CarrierCode

log = structlog.get_logger()

LOOKS_APART_SECONDS = 5.0
"""Between two looks for new carriers."""

StartJob = Callable[[Coroutine[object, None, None]], None]


class CarrierQueues:
    """Starts a scheduler for every carrier that is called, by `start`."""

    def __init__(self, resources: Resources, start: StartJob) -> None:
        self.resources = resources
        self.start = start
        self.started: set[CarrierCode] = set()

    async def run(self) -> None:
        while True:
            try:
                await self.start_new()
            except Exception:
                log.exception("carrier.queues_failed")
            await asyncio.sleep(LOOKS_APART_SECONDS)

    async def start_new(self) -> None:
        for code in await list_called_carriers(self.resources):
            if code not in self.started:
                self.started.add(code)
                self.start(scheduler_of(self.resources, code).run())


def scheduler_of(resources: Resources, code: CarrierCode) -> Scheduler:
    """The scheduler of what is due at one carrier."""
    return Scheduler(resources, carrier_timers(code), queue_of(code))
