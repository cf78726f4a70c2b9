"""`cartwheel audit`, `cartwheel reconcile` and `cartwheel continue-orders`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from models.payment import PaymentMethod

if TYPE_CHECKING:
    from events.shop import Shop


def add_book_commands(
    app: typer.Typer, run: "Callable[[Callable[[Shop], Awaitable[int]]], None]", console: Console
) -> None:
    """Add the commands to the application; `run` gives them an open shop."""

    @app.command()
    def audit(
        every: Annotated[
            bool, typer.Option("--all", help="print every disagreement, not only the first")
        ] = False,
    ) -> None:
        """Check that ledger, order totals, refunds, stock movements and promotions agree.

        The shop may run. Exit code 0 when they do; else 1, and the first disagreement is printed: its rule,
        its row, the expected and the found value.
        """
        from edge.commands.audit import print_audit

        run(lambda shop: print_audit(shop, every=every))

    @app.command()
    def reconcile(
        file: Annotated[
            Path | None,
            typer.Argument(exists=True, dir_okay=False, readable=True, help="the statement of a provider"),
        ] = None,
        fetch: Annotated[
            datetime | None,
            typer.Option(
                formats=["%Y-%m-%d"], help="get the statement of this day from the provider instead"
            ),
        ] = None,
        method: Annotated[PaymentMethod | None, typer.Option(help="only of this payment method")] = None,
    ) -> None:
        """Compare the statement of a payment provider with the books, and post its fees.

        Lists what only the shop has, what only the provider has, and amounts, fees and days that differ; each
        becomes a task, once. The shop may run. Exit code 0 when all agrees, 1 with differences, 2 when a
        statement cannot be read or fetched.
        """
        from edge.commands.reconcile import reconcile_day, reconcile_file

        if (file is None) is (fetch is None):
            raise typer.BadParameter("Give either a file or --fetch with a day.")
        if fetch is not None:
            run(lambda shop: reconcile_day(shop, fetch.date(), method, console))
        elif file is not None:
            run(lambda shop: reconcile_file(shop, file, method, console))

    @app.command("continue-orders")
    def continue_orders() -> None:
        """Continue orders that the release 0.2.0 ended while something of them was open.

        They are those that `audit` names under "ended orders": confirmed again, they end when nothing is
        open. The shop may run.
        """
        from edge.commands.ended_orders import continue_ended_orders

        run(continue_ended_orders)

    @app.command(name="recount-tickets")
    def recount_tickets() -> None:
        """Count the tickets and refunds of all days again, as after a change of the shop's time zone.

        The shop may run: changed days are counted again by themselves.
        """
        from edge.commands.ticket_days import count_tickets

        run(count_tickets)
