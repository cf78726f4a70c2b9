"""The standard taxonomy, brought in by the command line."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.catalog.taxonomy import (
    Loaded,
    Tally,
    Taxonomy,
    TaxonomyRefused,
    load_taxonomy,
    read_taxonomy,
    taxonomy_files,
)
from domain.errors import Invalid
from edge.files import tell_problem
from events.shop import Shop

COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
GONE_TOLD = 20
"""Ids that are told by name; of further ones only the number."""


async def take_in(shop: Shop, folder: Path, language: str, dry_run: bool, console: Console) -> int:
    """Load an edition whole or not at all, with a bar and a summary; 1 when it was refused."""
    begun = time.monotonic()
    try:
        taxonomy = await asyncio.to_thread(lambda: read_taxonomy(taxonomy_files(folder)))
        with Progress(*COLUMNS, console=console) as progress:
            bar = progress.add_task("Categories, attributes, values", total=taxonomy.size)
            loaded = await loaded_into(
                shop, taxonomy, language, dry_run, lambda more: progress.update(bar, advance=more)
            )
    except TaxonomyRefused as refused:
        for problem in refused.problems:
            tell_problem(problem, console)
        console.print(f"{folder}: nothing was taken.", highlight=False, markup=False)
        return 1
    except Invalid as refused:
        console.print(f"{refused} Nothing was taken.", highlight=False, markup=False)
        return 1
    tell(taxonomy, loaded, dry_run, time.monotonic() - begun, console)
    return 0


async def loaded_into(
    shop: Shop, taxonomy: Taxonomy, language: str, dry_run: bool, progress: Callable[[int], None]
) -> Loaded:
    async with shop.database.writes.begin() as session:
        attempt = await session.begin_nested()
        loaded = await load_taxonomy(session, taxonomy, language=language, progress=progress)
        await (attempt.rollback() if dry_run else attempt.commit())
    return loaded


def tell(taxonomy: Taxonomy, loaded: Loaded, dry_run: bool, seconds: float, console: Console) -> None:
    title = "What would happen" if dry_run else "What happened"
    summary = Table("", "in the edition", "created", "updated", "unchanged", "kept though gone", title=title)
    values = sum(len(attribute.values) for attribute in taxonomy.attributes)
    tally_row(summary, "categories", len(taxonomy.categories), loaded.categories)
    tally_row(summary, "attributes", len(taxonomy.attributes), loaded.attributes)
    tally_row(summary, "values", values, loaded.values)
    console.print(summary)
    for kind, ids in (
        ("kept, though the edition has it no longer", loaded.categories.gone + loaded.attributes.gone),
        ("left where a clerk has moved it", loaded.elsewhere),
    ):
        tell_ids(kind, ids, console)
    checked = "Every count and every parent is the edition's."
    console.print(
        f"Edition {taxonomy.version} in {', '.join(taxonomy.languages)}, {loaded.attached:,} attributes newly"
        f" attached, {seconds:.1f} s. {checked}",
        highlight=False,
        soft_wrap=True,
    )


def tally_row(summary: Table, kind: str, known: int, tally: Tally) -> None:
    counts = (known, tally.created, tally.updated, tally.unchanged, len(tally.gone))
    summary.add_row(kind, *(f"{count:,}" for count in counts))


def tell_ids(kind: str, ids: tuple[str, ...], console: Console) -> None:
    for id in ids[:GONE_TOLD]:
        console.print(f"{id}: {kind}", highlight=False, markup=False)
    if len(ids) > GONE_TOLD:
        console.print(f"... and {len(ids) - GONE_TOLD:,} more", highlight=False)
