"""Importing and exporting product files from the command line."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.catalog.csv import (
    ColumnMap,
    CsvWriter,
    ImportResult,
    ParsedFile,
    columns_of,
    explain_file,
    export_products,
    read_column_map,
    read_products,
)
from domain.catalog.problems import FileProblem, WrongText
from domain.cause import Cause
from events.product_import import import_products
from events.shop import Shop
from models import CurrencyCode

WIDTH = 160
"""Columns of an explanation, where it is not printed to a terminal."""

EXAMPLE_LIMIT = 60
"""Characters of a value that are shown."""


def load_column_map(path: Path | None, currency: CurrencyCode, console: Console) -> ColumnMap | None:
    """The mapping in a TOML file; exit code 2, and a line that says why, when it cannot be used."""
    if path is None:
        return None
    try:
        return read_column_map(path.read_text("utf-8"), currency)
    except (WrongText, UnicodeDecodeError) as wrong:
        reason = wrong if isinstance(wrong, WrongText) else "not UTF-8: save it as UTF-8"
        console.print(f"{path}: {reason}", highlight=False, markup=False, soft_wrap=True)
        raise SystemExit(2) from None


def explain_files(
    files: Sequence[Path], currency: CurrencyCode, column_map: ColumnMap | None, console: Console
) -> int:
    """Print what would be read as what; the exit code, 1 when a file has problems."""
    output = Console() if console.is_terminal else Console(width=WIDTH)
    failed = False
    for path in files:
        found = explain_file(path.read_bytes(), file=str(path), currency=currency, column_map=column_map)
        table = Table(
            "column",
            "read as",
            "first value",
            title=": ".join(filter(None, (path.name, found.parsed.format))),
        )
        for column in found.columns:
            example = (
                column.example
                if len(column.example) <= EXAMPLE_LIMIT
                else f"{column.example[:EXAMPLE_LIMIT]}..."
            )
            table.add_row(*map(escape, (column.header, column.read_as or "(kept as it is)", example)))
        if found.columns:
            output.print(table)
        print_notes(found.parsed.problems, found.parsed.notes, console)
        if found.parsed.note_counts:
            output.print(changes_of_meaning([found.parsed]))
        variants = sum(len(product.variants) for product in found.parsed.products)
        output.print(f"{len(found.parsed.products):,} products, {variants:,} variants.", highlight=False)
        failed = failed or bool(found.parsed.problems)
    return int(failed)


async def import_files(
    shop: Shop,
    files: Sequence[Path],
    currency: CurrencyCode,
    column_map: ColumnMap | None,
    dry_run: bool,
    console: Console,
) -> int:
    """Import each file whole or not at all and print a summary; the exit code, 1 when a file was refused."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        imports = [
            await import_one_file(shop, path, currency, column_map, dry_run, progress) for path in files
        ]
    print_summary(imports, dry_run, console)
    return min(sum(bool(each.problems) for each in imports), 1)


async def import_one_file(
    shop: Shop,
    path: Path,
    currency: CurrencyCode,
    column_map: ColumnMap | None,
    dry_run: bool,
    progress: Progress,
) -> ImportResult:
    bar = progress.add_task(f"{path.name}: reading", total=None)
    parsed = read_product_file(path, currency, column_map, limit=shop.settings.limits.import_bytes)
    progress.update(bar, total=2 * len(parsed.products), description=path.name)
    return await import_products(
        shop,
        parsed,
        cause=Cause(shop.clock()),
        dry_run=dry_run,
        progress=lambda done, total: progress.update(bar, completed=done, total=total),
    )


def read_product_file(
    path: Path, currency: CurrencyCode, column_map: ColumnMap | None, *, limit: int
) -> ParsedFile:
    """The products of a file; nothing else has to be done meanwhile, and its bytes are not kept."""
    data = path.read_bytes()
    if len(data) > limit:
        problem = FileProblem(str(path), 1, "", f"the file is larger than {limit} bytes")
        return ParsedFile(str(path), (), (problem,))
    return read_products(data, file=str(path), currency=currency, column_map=column_map)


def print_summary(imports: Sequence[ImportResult], dry_run: bool, console: Console) -> None:
    title = "What would happen" if dry_run else "What happened"
    summary = Table("file", "created", "updated", "unchanged", "problems", title=title)
    for each in imports:
        counts = (each.created, each.updated, each.unchanged, len(each.problems))
        summary.add_row(Path(each.file).name, *map(str, counts))
    for each in imports:
        print_notes(each.problems, each.notes, console)
        if each.problems:
            console.print(f"{each.file}: nothing was taken.", highlight=False, markup=False)
    if any(each.note_counts for each in imports):
        console.print(changes_of_meaning(imports))
    console.print(summary)


def changes_of_meaning(imports: Sequence[ImportResult | ParsedFile]) -> Table:
    """What was read otherwise than it is written, with how often."""
    table = Table("file", "column", "first line", "times", "what", title="Read otherwise than it is written")
    for each in imports:
        for count in each.note_counts:
            cells = (
                Path(each.file).name,
                count.column,
                f"{count.line}",
                f"{count.times:,}",
                str(count.reason),
            )
            table.add_row(*map(escape, cells))
    return table


def print_notes(problems: Sequence[FileProblem], notes: Sequence[FileProblem], console: Console) -> None:
    for problem in problems:
        print_problem(problem, console)
    for note in notes:
        print_problem(note, console, kind="note")


def print_problem(problem: FileProblem, console: Console, kind: str = "problem") -> None:
    column = f" column {problem.column}:" if problem.column else ""
    text = f"{problem.file}:{problem.line}:{column} {problem.reason} ({kind})"
    console.print(text, highlight=False, markup=False, soft_wrap=True)


async def export_file(shop: Shop, to: Path | None, currency: CurrencyCode | None, console: Console) -> int:
    """Export all products to a new file, which appears once it is complete, or to stdout; the exit code.

    It is 1 where there is such a file already.
    """
    currency = currency or shop.settings.locale.default_currency
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    if to is None:
        await write_products(shop, sys.stdout.buffer, currency)
        return 0
    if await asyncio.to_thread(to.exists):
        console.print(f"{to} exists already.", highlight=False, markup=False, soft_wrap=True)
        return 1
    partial = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file, Progress(*columns, console=console) as progress:
            bar = progress.add_task(to.name, total=None)
            written = await write_products(
                shop,
                file,
                currency,
                lambda done, total: progress.update(bar, completed=done, total=total),
            )
        partial.replace(to)
    except OSError as failure:
        console.print(f"{to}: {failure.strerror}.", highlight=False, markup=False, soft_wrap=True)
        return 1
    finally:
        partial.unlink(missing_ok=True)
    console.print(f"{to}: {written:,} products.", highlight=False, markup=False, soft_wrap=True)
    return 0


async def write_products(
    shop: Shop,
    file: IO[bytes],
    currency: CurrencyCode,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write all products from one snapshot, read twice: first for the columns, then for the rows.

    `progress` is called with how many are written, and how many there are; returns how many there were.
    """
    async with shop.database.snapshot() as session:
        total = written = 0
        columns: dict[str, None] = {}
        async for drafts in export_products(session):
            columns |= dict.fromkeys(columns_of(drafts, currency))
            total += len(drafts)
        writer = CsvWriter(columns, currency=currency)
        file.write(writer.header())
        async for drafts in export_products(session):
            file.write(writer.rows(drafts))
            written += len(drafts)
            progress(written, total)
    return written
