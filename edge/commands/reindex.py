"""Building the search indexes anew from the command line."""

from rich.console import Console

from domain.catalog.search_index import request_rebuild
from events.shop import Shop


async def rebuild_indexes(shop: Shop, console: Console) -> int:
    """Let every machine build its indexes anew while it serves; the exit code."""
    async with shop.database.writes.begin() as session:
        await request_rebuild(session)
    console.print("Each machine builds its search index anew as soon as it looks for changes.")
    return 0
