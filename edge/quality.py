"""What `cartwheel quality` prints."""

from collections.abc import Collection

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from domain.quality import Issue, QualityReason, counted
from events.assessing import assessment, look_at_pictures
from events.shop import Shop
from models import Product

WIDTH = 160
"""Where the output is no terminal."""


async def print_quality(
    shop: Shop, *, limit: int, reasons: Collection[QualityReason] | None, console: Console
) -> int:
    """The table, and a line of sums; 1 when there is something to put right."""
    if looked_at := await look_at_pictures(shop):
        console.print(f"Looked at {looked_at} pictures for the first time.", highlight=False)
    found = await assessment(shop)
    issues = [each for each in found.issues if not reasons or each.reason in reasons]
    paper = Console() if console.is_terminal else Console(width=WIDTH)
    if issues:
        paper.print(table_of(issues[:limit], await slugs(shop, issues[:limit])))
    for reason, times, gain in counted(issues):
        paper.print(f"{times:>7,}  {reason}  ({gain:.2f})", highlight=False)
    paper.print(
        f"{len(found.products):,} products, {found.score} % complete; {len(issues):,} things to put right.",
        highlight=False,
    )
    return 1 if issues else 0


def table_of(issues: Collection[Issue], slugs: dict[int, str]) -> Table:
    table = Table("gain", "reason", "product", "field", "what is wrong")
    for each in issues:
        table.add_row(f"{each.gain:.3f}", each.reason, slugs[each.product_id], each.field, each.words)
    return table


async def slugs(shop: Shop, issues: Collection[Issue]) -> dict[int, str]:
    async with shop.database.reads() as session:
        wanted = select(Product.id, Product.slug).where(Product.id.in_({each.product_id for each in issues}))
        return {row.id: row.slug for row in await session.execute(wanted)}
