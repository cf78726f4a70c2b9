"""The subcommands of `cartwheel payments`."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import typer

from settings import Settings


def payment_commands(read_settings: Callable[[], Settings], clock: Callable[[], datetime]) -> typer.Typer:
    """The group of commands about payment providers."""
    commands = typer.Typer(no_args_is_help=True, help="Look after the payment providers.")

    @commands.callback()
    def payments() -> None:
        pass

    @commands.command("check")
    def payments_check() -> None:
        """Try the keys of each payment method with harmless calls, and print what is wrong.

        No money moves, and no database is needed. Exit code 0 when every method that is set up answers; else
        1, as when none is set up.
        """
        from edge.commands.payment_keys import check_payment_keys
        from edge.logs import configure_logging

        settings = read_settings()
        configure_logging(settings)
        if code := asyncio.run(check_payment_keys(settings, clock)):
            raise typer.Exit(code)

    return commands
