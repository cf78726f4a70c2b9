"""Readings of articles are counted when it is known whether a ticket has followed."""

from collections.abc import Sequence

from domain.knowledge.reading import COUNTED_AFTER, count_reads, select_uncounted_reads
from events.types import Resources, Timer


async def count_read(resources: Resources, read_id: int) -> None:
    await count_some_reads(resources, [read_id])


async def count_some_reads(resources: Resources, read_ids: Sequence[int]) -> int:
    async with resources.database.writes.begin() as session:
        return await count_reads(session, read_ids)


UNCOUNTED_READS = Timer(
    "articles.read",
    due=select_uncounted_reads,
    act=count_read,
    act_on_group=count_some_reads,
    age=lambda settings: COUNTED_AFTER,
)
