"""The `cartwheel` command and its subcommands."""

import gc

gc.disable()  # imports leave no garbage, but collections took a third of the start; see edge/gc_tuning.py

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from domain.quality.issue import QualityReason
from edge.commands.ask_commands import add_ask_commands
from edge.commands.backup_commands import add_backup_commands
from edge.commands.book_commands import add_book_commands
from edge.commands.delivery_run_commands import delivery_run_commands
from edge.commands.operation_commands import operation_commands
from edge.commands.payment_commands import payment_commands
from edge.gc_tuning import tune_garbage_collector
from models.account import STAFF, Role
from models.money import CurrencyCode
from settings import Settings, WrongSetting, mistyped_variables

if TYPE_CHECKING:
    from events.shop import Shop

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The backend of an online shop.",
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
)
imports = typer.Typer(no_args_is_help=True, help="Import data.")
exports = typer.Typer(no_args_is_help=True, help="Export data.")
staff = typer.Typer(no_args_is_help=True, help="Manage staff accounts.")
app.add_typer(staff, name="staff")
app.add_typer(imports, name="import")
app.add_typer(exports, name="export")

console = Console(stderr=True)
app.add_typer(operation_commands(lambda work: run_in_shop(work), console), name="operations")
app.add_typer(delivery_run_commands(lambda work: run_in_shop(work), console), name="delivery-run")
app.add_typer(payment_commands(lambda: read_settings(), lambda: datetime.now(UTC)), name="payments")
add_ask_commands(app, lambda: read_settings().server.address, console)
add_backup_commands(app, lambda: read_settings().database.url, console)
add_book_commands(app, lambda work: run_in_shop(work), console)
CsvFiles = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV files")]


def print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"cartwheel {version('cartwheel')}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="print the version and exit"),
    ] = False,
) -> None:
    pass


def read_settings() -> Settings:
    """Read the settings; exit code 2, and a line for each that is wrong; a mistyped name is a warning."""
    for mistyped in mistyped_variables():
        print_line(f"Warning: {mistyped}")
    try:
        return Settings.from_environment()
    except WrongSetting as wrong:
        print_line(str(wrong))
        raise typer.Exit(2) from None


@contextmanager
def exit_when_refused() -> Iterator[None]:
    """Print why a process cannot start, in one line, and exit with the code of the refusal."""
    from edge.start import StartRefused

    try:
        yield
    except StartRefused as refused:
        print_line(str(refused))
        raise typer.Exit(refused.exit_code) from None


def print_line(line: str) -> None:
    """Print to standard error, without breaking the line."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command()
def serve(
    demo: Annotated[bool, typer.Option("--demo", help="load the demo shop first")] = False,
) -> None:
    """Serve requests until SIGTERM or Ctrl-C; an SQLite database is migrated first."""
    from app import create_app
    from edge.logs import configure_logging
    from edge.server import ShopServer, build_server_config
    from edge.start import check_start, open_listeners
    from models.database import sqlite_file

    settings = read_settings()
    with exit_when_refused():
        listeners = open_listeners(settings.server.host, settings.server.port)
        configure_logging(settings)
        if sqlite_file(settings.database.url):
            upgrade_database(settings)
        asyncio.run(check_start(settings, runs=True))
    if demo:
        load_demo_shop(settings)
    tune_garbage_collector()
    # call-backs and links must name the port that was really taken
    settings = settings.with_port(listeners[0].getsockname()[1])
    print_line(f"Cartwheel: http://{settings.server.host}:{settings.server.port}/graphql")
    web = create_app(settings)
    server = ShopServer(build_server_config(web, settings), web.state.graphql.announce_restart)
    with suppress(KeyboardInterrupt):
        server.run(listeners)
    if not server.started:
        raise typer.Exit(1)


@app.command()
def worker() -> None:
    """Relay events, run reactions and scheduled jobs, without serving requests."""
    import uvloop

    from app import open_shop
    from edge.logs import configure_logging, logged_loop_failures
    from edge.metrics import serving_metrics
    from edge.start import check_start
    from events.jobs.worker import running_jobs

    settings = read_settings()
    os.nice(settings.jobs.worker_niceness)
    configure_logging(settings)
    tune_garbage_collector()

    async def run_until_stopped() -> None:
        await check_start(settings, runs=True)
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        with logged_loop_failures():
            shop = open_shop(settings)
            async with running_jobs(shop), serving_metrics(shop):
                await stop.wait()

    with exit_when_refused():
        uvloop.run(run_until_stopped())


@app.command()
def settings(
    env: Annotated[bool, typer.Option("--env", help="print a .env with every setting commented out")] = False,
) -> None:
    """List every setting: its environment variable, its purpose and its default."""
    from edge.commands.settings import print_env_file, print_settings

    (print_env_file if env else print_settings)()


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    with exit_when_refused():
        print_line(f"The database is at revision {upgrade_database(read_settings())}.")


@app.command()
def reindex() -> None:
    """Let each machine build its search index anew; it does so by itself where one is missing or old."""
    from edge.commands.reindex import rebuild_indexes

    run_in_shop(lambda shop: rebuild_indexes(shop, console))


@app.command()
def schema(
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; exit code 1 when it is stale or breaks clients")
    ] = False,
    release: Annotated[
        str | None, typer.Option(help="also write it and all client operations into docs/releases/VERSION")
    ] = None,
) -> None:
    """Write schema.graphql, the schema that clients rely on."""
    from edge.commands.schema import check_schema, release_schema, write_schema

    if code := check_schema(console) if check else release_schema(release, console) if release else 0:
        raise typer.Exit(code)
    if not check and not release:
        write_schema()


@app.command()
def demo() -> None:
    """Load the demo shop into an empty database; what is loaded already is not loaded again."""
    settings = read_settings()
    with exit_when_refused():
        upgrade_database(settings)
    load_demo_shop(settings)


@app.command()
def quality(
    limit: Annotated[int, typer.Option(min=1, help="how many issues to print")] = 20,
    reason: Annotated[
        list[QualityReason] | None,
        typer.Option(help="only issues of this reason; may be given several times"),
    ] = None,
) -> None:
    """Print incomplete, inconsistent and duplicate entries of the catalogue, the most important first.

    Exit code 0 when there is no issue, else 1.
    """
    from edge.commands.quality import print_quality

    run_in_shop(lambda shop: print_quality(shop, limit=limit, reasons=reason, console=console))


STAFF_ROLES = "|".join(role.value for role in Role if role in STAFF)


def parse_staff_role(text: str) -> Role:
    if text not in STAFF:
        raise typer.BadParameter(f"{text!r} is none of {STAFF_ROLES}")
    return Role(text)


@staff.command("create")
def staff_create(
    email: str,
    role: Annotated[Role, typer.Option(parser=parse_staff_role, metavar=STAFF_ROLES)],
    name: Annotated[str, typer.Option(help="the name that colleagues and customers see")],
    password: Annotated[
        str, typer.Option(envvar="STAFF_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
    ],
) -> None:
    """Create a staff account, such as that of the first administrator."""
    from edge.commands.staff import NewStaff, create_staff_account

    run_in_shop(lambda shop: create_staff_account(shop, NewStaff(email, role, name, password), console))


@imports.command("products")
def import_products(
    files: CsvFiles,
    currency: Annotated[CurrencyCode | None, typer.Option(help="currency of columns that name none")] = None,
    columns: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="TOML file that says which column is which"
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="report what would change, and change nothing")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="show what would be read as what; no shop is needed")
    ] = False,
) -> None:
    """Import product files of Shopify, WooCommerce or, with --columns, others; each whole or not at all."""
    from edge.commands.product_files import explain_files, import_files, load_column_map

    settings = read_settings()
    currency = currency or settings.locale.default_currency
    column_map = load_column_map(columns, currency, console)
    if explain:
        raise typer.Exit(explain_files(files, currency, column_map, console))
    run_in_shop(lambda shop: import_files(shop, files, currency, column_map, dry_run, console))


@imports.command("taxonomy")
def import_taxonomy(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, readable=True, help="folder with one folder per language"
        ),
    ],
    language: Annotated[
        str | None,
        typer.Option(help="language of the base texts; the shop's default language when not given"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="report what would change, and change nothing")
    ] = False,
) -> None:
    """Import an edition of the Shopify Standard Product Taxonomy, completely or not at all."""
    from edge.commands.taxonomy import import_edition

    run_in_shop(
        lambda shop: import_edition(
            shop, folder, language or shop.settings.locale.default_language, dry_run, console
        )
    )


@exports.command("products")
def export_products(
    to: Annotated[Path | None, typer.Argument(help="file to make; standard output when not given")] = None,
    currency: Annotated[
        CurrencyCode | None, typer.Option(help="currency of the columns that name none")
    ] = None,
) -> None:
    """Export all products in Shopify's CSV format."""
    from edge.commands.product_files import export_file

    run_in_shop(lambda shop: export_file(shop, to, currency, console))


def run_in_shop(work: "Callable[[Shop], Awaitable[int]]") -> None:
    """Run `work` with an open shop; the process exits with the code that it returns."""
    from app import open_shop
    from edge.start import check_start

    async def open_and_run() -> int:
        settings = read_settings()
        await check_start(settings)
        shop = open_shop(settings)
        try:
            return await work(shop)
        finally:
            await shop.close()

    tune_garbage_collector()
    with exit_when_refused():
        if code := asyncio.run(open_and_run()):
            raise typer.Exit(code)


def upgrade_database(settings: Settings) -> str:
    """Migrate the database, fill what a migration leaves to be filled; return the revision."""
    from edge.commands.backfill import fill_rows
    from edge.start import check_start
    from migrations.runner import upgrade

    asyncio.run(check_start(settings, migrated=False))
    revision = upgrade(settings.database.url)
    run_in_shop(fill_rows)
    return revision


def load_demo_shop(settings: Settings) -> None:
    from app import open_shop
    from demo.load import DemoInProduction, load_demo

    async def open_and_load() -> None:
        shop = open_shop(settings)
        try:
            await load_demo(shop, console)
        finally:
            await shop.close()

    try:
        asyncio.run(open_and_load())
    except DemoInProduction as refused:
        console.print(str(refused))
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
