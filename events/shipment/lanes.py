"""Parcels that have arrived are counted in the statistics of their lanes, many in one transaction."""

from collections.abc import Sequence

from domain.shipment.eta import count_journeys, due_journeys
from events.types import Resources, Timer


async def count_one(resources: Resources, shipment_id: int) -> None:
    await count_many(resources, [shipment_id])


async def count_many(resources: Resources, shipment_ids: Sequence[int]) -> int:
    async with resources.database.writes.begin() as session:
        return await count_journeys(session, shipment_ids, now=resources.clock())


FINISHED_JOURNEYS = Timer("shipment.count_journey", due=due_journeys, act=count_one, act_on_group=count_many)
