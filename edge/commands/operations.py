"""Registering the operations of client applications for `cartwheel operations`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from domain.errors import NotFound
from domain.registered_operation import RegistrationDraft, register_operations, remove_operations
from edge.operations.documents import (
    ClientOperation,
    UnreadableOperations,
    format_manifest,
    read_operations,
)
from edge.operations.validation import find_problems
from events.shop import Shop
from loaders.registered_operation import list_registered
from models import RegisteredOperation
from schema import schema


async def add_operations(shop: Shop, path: Path, manifest: Path | None, console: Console) -> int:
    """Register the operations of a folder or a manifest, all or none; return the exit code, 2 for none."""
    try:
        operations = read_operations(path)
    except UnreadableOperations as error:
        console.print(str(error), highlight=False, markup=False)
        return 2
    problems = [
        f"{each.name}: {problem}"
        for each in operations
        for problem in find_problems(schema, each, cost_limit=shop.settings.costs.staff.operation)
    ]
    if problems:
        for line in [*problems, "Nothing was registered."]:
            console.print(line, highlight=False, markup=False)
        return 2
    drafts = [RegistrationDraft(each.sha256, each.name, each.kind, each.text) for each in operations]
    async with shop.database.writes.begin() as session:
        added = await register_operations(session, drafts, now=shop.clock())
    print_operations(operations, manifest)
    console.print(f"{added} new of {len(operations)} operations.", highlight=False)
    return 0


async def show_registered(shop: Shop, manifest: Path | None) -> int:
    """Print all registered operations; return the exit code 0."""
    async with shop.database.reads() as session:
        rows = await list_registered(session)
    print_operations([ClientOperation(row.name, row.kind, row.text) for row in rows], manifest)
    return 0


async def forget_operations(shop: Shop, named: Sequence[str], console: Console) -> int:
    """Remove operations by name or hash, all or none; return the exit code, 2 when one is not registered."""
    async with shop.database.writes.begin() as session:
        rows = await list_registered(session)
        found = {row.sha256 for each in named for row in matching_rows(rows, each)}
        unknown = [each for each in named if not any(matching_rows(rows, each))]
        if unknown:
            console.print(f"Not registered: {', '.join(unknown)}. Nothing was removed.", highlight=False)
            return 2
        try:
            await remove_operations(session, found)
        except NotFound:  # another command has removed it in this moment
            console.print("Somebody else removes operations now. Try again.", highlight=False)
            return 2
    console.print(f"{len(found)} removed.", highlight=False)
    return 0


def matching_rows(rows: Sequence[RegisteredOperation], named: str) -> Iterator[RegisteredOperation]:
    """Yield the rows with this name or hash."""
    return (row for row in rows if named in (row.name, row.sha256))


def print_operations(operations: Sequence[ClientOperation], manifest: Path | None) -> None:
    """Print hash, kind and name of each operation; with `manifest`, write Apollo's format there."""
    for each in operations:
        sys.stdout.write(f"{each.sha256}  {each.kind:<12}  {each.name}\n")
    if manifest is not None:
        manifest.write_text(format_manifest(operations), encoding="utf-8")
