"""`cartwheel audit` and `cartwheel continue-orders`."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from events.shop import Shop


def add_book_commands(app: typer.Typer, run: "Callable[[Callable[[Shop], Awaitable[int]]], None]") -> None:
    """Add both commands to the application; `run` gives them an open shop."""

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

    @app.command("continue-orders")
    def continue_orders() -> None:
        """Continue orders that the release 0.2.0 ended while something of them was open.

        They are those that `audit` names under "ended orders": confirmed again, they end when nothing is
        open. The shop may run.
        """
        from edge.commands.ended_orders import continue_ended_orders

        run(continue_ended_orders)
