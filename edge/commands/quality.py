"""Printing of the issues of the catalogue for `cartwheel quality`."""

from collections.abc import Collection

from rich.console import Console
from rich.table import Table

from domain.quality import QualityIssue, QualityReason, count_by_reason
from events.shop import Shop
from loaders.catalog import load_slugs

WIDTH = 160
"""Columns of the output, where it is not a terminal."""


async def print_quality(
    shop: Shop, *, limit: int, reasons: Collection[QualityReason] | None, console: Console
) -> int:
    """Prints at most `limit` issues and a line of totals; returns the exit code, 1 when there are issues."""
    if fingerprinted := await shop.quality.fingerprint_pictures():
        console.print(f"Looked at {fingerprinted} pictures for the first time.", highlight=False)
    assessment = await shop.quality.assess()
    issues = [each for each in assessment.issues if not reasons or each.reason in reasons]
    output = Console() if console.is_terminal else Console(width=WIDTH)
    if shown := issues[:limit]:
        slugs = await load_slugs(shop.database.reads, {each.product_id for each in shown})
        output.print(issue_table(shown, slugs))
    for reason, count, gain in count_by_reason(issues):
        output.print(f"{count:>7,}  {reason}  ({gain:.2f})", highlight=False)
    noun = "issue" if len(issues) == 1 else "issues"
    output.print(
        f"{len(assessment.products):,} products, {assessment.score} % complete; {len(issues):,} {noun}.",
        highlight=False,
    )
    return 1 if issues else 0


def issue_table(issues: Collection[QualityIssue], slugs: dict[int, str]) -> Table:
    table = Table("gain", "reason", "product", "field", "what is wrong")
    for each in issues:
        table.add_row(f"{each.gain:.3f}", each.reason, slugs[each.product_id], each.field, str(each.message))
    return table
