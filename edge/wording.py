"""Products read anew for the search, by a command: batch by batch, the shop stays open meanwhile."""

from rich.console import Console
from rich.progress import Progress

from domain.catalog.wording import index_next
from events.shop import Shop


async def reindex(shop: Shop, console: Console, *, everything: bool) -> int:
    """Read all products anew, or those that no search finds yet; the exit code."""
    last: int | None = 0
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Reading products", total=None)
        while last is not None:
            async with shop.database.writes.begin() as session:
                last = await index_next(session, last, all_of_them=everything)
            progress.update(task, description=f"Reading products, {last or 'the last'}")
    return 0
