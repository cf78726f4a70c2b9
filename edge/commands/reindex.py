"""Indexing products for search from the command line, in batches while the shop is open."""

from rich.console import Console
from rich.progress import Progress

from domain.catalog.search_index import index_next_batch
from events.shop import Shop


async def reindex_products(shop: Shop, console: Console, *, everything: bool) -> int:
    """Index all products again, or only those not indexed yet; the exit code."""
    last: int | None = 0
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Indexing products", total=None)
        while last is not None:
            async with shop.database.writes.begin() as session:
                last = await index_next_batch(session, last, include_indexed=everything)
            progress.update(task, description=f"Indexing products, {last or 'the last'}")
    return 0
