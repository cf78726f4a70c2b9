"""Importing and exporting product files from the command line."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.catalog.csv import (
    CsvWriter,
    ImportResult,
    columns_of,
    export_products,
    import_file,
    read_products,
)
from domain.catalog.problems import FileProblem
from domain.cause import Cause
from events.shop import Shop
from models import CurrencyCode


async def import_files(
    shop: Shop, files: Sequence[Path], currency: CurrencyCode, dry_run: bool, console: Console
) -> int:
    """Import each file whole or not at all and print a summary; the exit code, 1 when a file was refused."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        imports = [await import_one_file(shop, path, currency, dry_run, progress) for path in files]
    print_summary(imports, dry_run, console)
    return min(sum(bool(each.problems) for each in imports), 1)


async def import_one_file(
    shop: Shop, path: Path, currency: CurrencyCode, dry_run: bool, progress: Progress
) -> ImportResult:
    bar = progress.add_task(path.name, total=None)
    limit = shop.settings.limits.import_bytes
    data = await asyncio.to_thread(path.read_bytes)
    if len(data) > limit:
        return ImportResult(
            str(path), problems=[FileProblem(str(path), 1, "", f"the file is larger than {limit} bytes")]
        )
    parsed = await asyncio.to_thread(read_products, data, file=str(path), currency=currency)
    progress.update(bar, total=len(parsed.products))
    async with shop.database.writes.begin() as session:
        return await import_file(
            session,
            parsed,
            cause=Cause(shop.clock()),
            dry_run=dry_run,
            progress=lambda saved: progress.update(bar, advance=saved),
        )


def print_summary(imports: Sequence[ImportResult], dry_run: bool, console: Console) -> None:
    title = "What would happen" if dry_run else "What happened"
    summary = Table("file", "created", "updated", "unchanged", "problems", title=title)
    for each in imports:
        counts = (each.created, each.updated, each.unchanged, len(each.problems))
        summary.add_row(Path(each.file).name, *map(str, counts))
    for each in imports:
        for problem in each.problems:
            print_problem(problem, console)
        for note in each.notes:
            print_problem(note, console, kind="note")
        if each.problems:
            console.print(f"{each.file}: nothing was taken.", highlight=False, markup=False)
    console.print(summary)


def print_problem(problem: FileProblem, console: Console, kind: str = "problem") -> None:
    column = f" column {problem.column}:" if problem.column else ""
    text = f"{problem.file}:{problem.line}:{column} {problem.reason} ({kind})"
    console.print(text, highlight=False, markup=False, soft_wrap=True)


async def export_file(shop: Shop, to: Path | None, currency: CurrencyCode | None, console: Console) -> int:
    """Export all products to a new file, which appears once it is complete, or to stdout; the exit code.

    It is 1 where there is such a file already.
    """
    currency = currency or shop.settings.locale.default_currency
    if to is None:
        await write_products(shop, sys.stdout.buffer, currency)
        return 0
    if await asyncio.to_thread(to.exists):
        console.print(f"{to} exists already.", highlight=False, markup=False, soft_wrap=True)
        return 1
    partial = to.with_name(f".{to.name}.part")
    with partial.open("wb") as file:
        await write_products(shop, file, currency)
    partial.replace(to)
    return 0


async def write_products(shop: Shop, file: IO[bytes], currency: CurrencyCode) -> None:
    """Write all products from one snapshot, read twice: first for the columns, then for the rows."""
    async with shop.database.snapshot() as session:
        columns: dict[str, None] = {}
        async for drafts in export_products(session):
            columns |= dict.fromkeys(columns_of(drafts, currency))
        writer = CsvWriter(columns, currency=currency)
        file.write(writer.header())
        async for drafts in export_products(session):
            file.write(writer.rows(drafts))
