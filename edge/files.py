"""Files that come in and go out by the command line."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.exporting import export_products
from domain.catalog.files import Import, import_file
from domain.catalog.interchange import Problem, Writer, columns_of, read_products
from events.shop import Shop
from models import CurrencyCode


async def take_in(
    shop: Shop, files: Sequence[Path], currency: CurrencyCode, dry_run: bool, console: Console
) -> int:
    """Import each file whole or not at all, with a bar and a summary; 1 when one was refused."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        imports = [await take_in_one(shop, path, currency, dry_run, progress) for path in files]
    tell(imports, dry_run, console)
    return min(sum(bool(each.problems) for each in imports), 1)


async def take_in_one(
    shop: Shop, path: Path, currency: CurrencyCode, dry_run: bool, progress: Progress
) -> Import:
    bar = progress.add_task(path.name, total=None)
    limit = shop.settings.import_limit_bytes
    data = await asyncio.to_thread(path.read_bytes)
    if len(data) > limit:
        return Import(
            str(path), problems=[Problem(str(path), 1, "", f"the file is larger than {limit} bytes")]
        )
    reading = await asyncio.to_thread(read_products, data, file=str(path), currency=currency)
    progress.update(bar, total=len(reading.products))
    async with shop.database.writes.begin() as session:
        return await import_file(
            session,
            reading,
            now=shop.clock(),
            dry_run=dry_run,
            progress=lambda saved: progress.update(bar, advance=saved),
        )


def tell(imports: Sequence[Import], dry_run: bool, console: Console) -> None:
    title = "What would happen" if dry_run else "What happened"
    summary = Table("file", "created", "updated", "unchanged", "problems", title=title)
    for each in imports:
        counts = (each.created, each.updated, each.unchanged, len(each.problems))
        summary.add_row(Path(each.file).name, *map(str, counts))
    for each in imports:
        for problem in each.problems:
            tell_problem(problem, console)
        for note in each.notes:
            tell_problem(note, console, kind="note")
        if each.problems:
            console.print(f"{each.file}: nothing was taken.", highlight=False, markup=False)
    console.print(summary)


def tell_problem(problem: Problem, console: Console, kind: str = "problem") -> None:
    column = f" column {problem.column}:" if problem.column else ""
    text = f"{problem.file}:{problem.line}:{column} {problem.reason} ({kind})"
    console.print(text, highlight=False, markup=False, soft_wrap=True)


async def give_out(shop: Shop, to: Path | None, currency: CurrencyCode) -> int:
    """Write all products; a file appears only when it is whole."""
    if to is None:
        await write_all(shop, sys.stdout.buffer, currency)
        return 0
    half = to.with_name(f".{to.name}.part")
    with half.open("wb") as file:
        await write_all(shop, file, currency)
    half.replace(to)
    return 0


async def write_all(shop: Shop, file: IO[bytes], currency: CurrencyCode) -> None:
    """All products of one moment, read twice: for the columns there are, then for the rows."""
    async with shop.database.reads() as session:
        await hold_still(session)
        columns: dict[str, None] = {}
        async for drafts in export_products(session):
            columns |= dict.fromkeys(columns_of(drafts, currency))
        writer = Writer(columns, currency=currency)
        file.write(writer.header())
        async for drafts in export_products(session):
            file.write(writer.rows(drafts))


async def hold_still(session: AsyncSession) -> None:
    """Every statement of this transaction sees the same moment; SQLite does so anyway."""
    if session.get_bind().dialect.name == "postgresql":
        _ = await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
