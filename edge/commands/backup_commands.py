"""`cartwheel backup` and `cartwheel restore`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from edge.commands.backup import BackupFailed, back_up_database, restore_database


def add_backup_commands(app: typer.Typer, read_url: Callable[[], str], console: Console) -> None:
    """Add both commands to the application; `read_url` returns the address of the database."""

    def print_line(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def exit_when_failed() -> Iterator[None]:
        """Exit code 1 with the message of BackupFailed."""
        try:
            yield
        except BackupFailed as failed:
            print_line(str(failed))
            raise typer.Exit(1) from None

    @app.command()
    def backup(file: Annotated[Path, typer.Argument(help="file to write; it must not exist")]) -> None:
        """Write the whole database into one file, while the shop runs. Pictures are not in it."""
        with exit_when_failed():
            print_line(f"{file}: {back_up_database(read_url(), file):,} bytes")

    @app.command()
    def restore(
        file: Annotated[
            Path,
            typer.Argument(exists=True, dir_okay=False, readable=True, help="file of `cartwheel backup`"),
        ],
    ) -> None:
        """Fill an empty database from a backup. Then run `migrate` and `audit`, and start the shop."""
        with exit_when_failed():
            restore_database(read_url(), file)
        print_line("Restored. Now: cartwheel migrate, cartwheel audit.")
