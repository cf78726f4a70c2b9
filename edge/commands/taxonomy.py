"""Importing the standard taxonomy from the command line."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.catalog.taxonomy.standard import (
    Taxonomy,
    TaxonomyLoadResult,
    TaxonomyRefused,
    WriteCount,
    load_taxonomy,
    read_taxonomy,
    taxonomy_files,
)
from domain.errors import Invalid
from edge.commands.product_files import print_problem
from events.shop import Shop

COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
LISTED_IDS_LIMIT = 20
"""Ids printed one by one; further ones are counted."""


async def import_edition(shop: Shop, folder: Path, language: str, dry_run: bool, console: Console) -> int:
    """Load an edition whole or not at all and print a summary; the exit code, 1 when it was refused."""
    started = time.monotonic()
    try:
        taxonomy = await asyncio.to_thread(lambda: read_taxonomy(taxonomy_files(folder)))
        with Progress(*COLUMNS, console=console) as progress:
            bar = progress.add_task("Categories, attributes, values", total=taxonomy.size)
            loaded = await load_edition(
                shop, taxonomy, language, dry_run, lambda more: progress.update(bar, advance=more)
            )
    except TaxonomyRefused as refused:
        for problem in refused.problems:
            print_problem(problem, console)
        console.print(f"{folder}: nothing was taken.", highlight=False, markup=False)
        return 1
    except Invalid as refused:
        console.print(f"{refused} Nothing was taken.", highlight=False, markup=False)
        return 1
    print_summary(taxonomy, loaded, dry_run, time.monotonic() - started, console)
    return 0


async def load_edition(
    shop: Shop, taxonomy: Taxonomy, language: str, dry_run: bool, progress: Callable[[int], None]
) -> TaxonomyLoadResult:
    async with shop.database.writes.begin() as session:
        attempt = await session.begin_nested()
        loaded = await load_taxonomy(session, taxonomy, language=language, progress=progress)
        await (attempt.rollback() if dry_run else attempt.commit())
    return loaded


def print_summary(
    taxonomy: Taxonomy, loaded: TaxonomyLoadResult, dry_run: bool, seconds: float, console: Console
) -> None:
    title = "What would happen" if dry_run else "What happened"
    summary = Table("", "in the edition", "created", "updated", "unchanged", "kept though gone", title=title)
    values = sum(len(attribute.values) for attribute in taxonomy.attributes)
    add_count_row(summary, "categories", len(taxonomy.categories), loaded.categories)
    add_count_row(summary, "attributes", len(taxonomy.attributes), loaded.attributes)
    add_count_row(summary, "values", values, loaded.values)
    console.print(summary)
    for kind, ids in (
        (
            "kept, though the edition has it no longer",
            loaded.categories.obsolete + loaded.attributes.obsolete,
        ),
        ("left where staff have moved it", loaded.moved),
    ):
        print_ids(kind, ids, console)
    checked = "Every count and every parent is the edition's."
    console.print(
        f"Edition {taxonomy.version} in {', '.join(taxonomy.languages)}, {loaded.attached:,} attributes newly"
        f" attached, {seconds:.1f} s. {checked}",
        highlight=False,
        soft_wrap=True,
    )


def add_count_row(summary: Table, kind: str, in_edition: int, count: WriteCount) -> None:
    counts = (in_edition, count.created, count.updated, count.unchanged, len(count.obsolete))
    summary.add_row(kind, *(f"{each:,}" for each in counts))


def print_ids(kind: str, ids: tuple[str, ...], console: Console) -> None:
    for id in ids[:LISTED_IDS_LIMIT]:
        console.print(f"{id}: {kind}", highlight=False, markup=False)
    if len(ids) > LISTED_IDS_LIMIT:
        console.print(f"... and {len(ids) - LISTED_IDS_LIMIT:,} more", highlight=False)
