"""The subcommands of `cartwheel operations`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from events.shop import Shop

RunInShop = Callable[["Callable[[Shop], Awaitable[int]]"], None]
"""Runs work with an open shop and exits with the code that it returns."""

ManifestFile = Annotated[
    Path | None, typer.Option("--manifest", help="file to write in Apollo's format: name, hash, document")
]


def operation_commands(run_in_shop: RunInShop, console: Console) -> typer.Typer:
    """The group of commands that add, list and remove registered operations."""
    commands = typer.Typer(no_args_is_help=True, help="Register the operations of client applications.")

    @commands.command("add")
    def operations_add(
        path: Annotated[
            Path,
            typer.Argument(exists=True, readable=True, help="folder of .graphql files, or Apollo's manifest"),
        ],
        manifest: ManifestFile = None,
    ) -> None:
        """Register all operations of a folder, or none if one is not valid, and print their hashes.

        A client may always send a registered operation by its hash; with PERSISTED_ONLY=1 nothing else is
        executed. Fragments are shared by the files of one folder.
        """
        from edge.commands.operations import add_operations

        run_in_shop(lambda shop: add_operations(shop, path, manifest, console))

    @commands.command("list")
    def operations_list(manifest: ManifestFile = None) -> None:
        """Print the registered operations: hash, kind and name."""
        from edge.commands.operations import show_registered

        run_in_shop(lambda shop: show_registered(shop, manifest))

    @commands.command("remove")
    def operations_remove(
        named: Annotated[list[str], typer.Argument(help="names or hashes; a name removes all its versions")],
    ) -> None:
        """Remove registered operations, all or none.

        With PERSISTED_ONLY=1 running processes refuse them a few seconds later.
        """
        from edge.commands.operations import forget_operations

        run_in_shop(lambda shop: forget_operations(shop, named, console))

    return commands
