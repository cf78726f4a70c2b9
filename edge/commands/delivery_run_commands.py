"""The subcommands of `cartwheel delivery-run`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from edge.commands.operation_commands import RunInShop


def delivery_run_commands(run_in_shop: RunInShop, console: Console) -> typer.Typer:
    """The group of commands about the runs of the shop's own couriers."""
    commands = typer.Typer(no_args_is_help=True, help="Look at the runs of the shop's own couriers.")

    @commands.callback()
    def delivery_runs() -> None:
        pass

    @commands.command("show")
    def delivery_run_show(
        id: Annotated[str, typer.Argument(help="its id in the API, or its number")],
        out: Annotated[
            Path | None,
            typer.Option(
                help="where to write the map; delivery-run-NUMBER.svg in this folder when not given"
            ),
        ] = None,
        language: Annotated[str | None, typer.Option(help="language of the texts: en, zh-CN")] = None,
    ) -> None:
        """Print the stops of a delivery run, and write its map as an SVG file, in place of an older one.

        The shop may run. Exit code 1 when there is no such run, or the file cannot be written.
        """
        from edge.commands.delivery_run import show_delivery_run

        run_in_shop(lambda shop: show_delivery_run(shop, id, out, language, console))

    return commands
