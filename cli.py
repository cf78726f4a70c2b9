"""The `cartwheel` command: each a few lines."""

import gc

gc.disable()  # starting makes no garbage: looking for it took a third of the time; see `settled`

import asyncio
import json
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from domain.quality.issue import QualityReason
from edge.garbage import settled
from models.account import Role
from models.money import CurrencyCode
from settings import Settings, WrongSetting

if TYPE_CHECKING:
    from events.shop import Shop

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The backend of an online shop.")
imports = typer.Typer(no_args_is_help=True, help="Bring data into the shop.")
exports = typer.Typer(no_args_is_help=True, help="Write data of the shop.")
staff = typer.Typer(no_args_is_help=True, help="People who work in the shop.")
app.add_typer(staff, name="staff")
app.add_typer(imports, name="import")
app.add_typer(exports, name="export")

console = Console(stderr=True)
CONTRACT = Path(__file__).parent / "schema.graphql"
Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV files")]


def settings() -> Settings:
    """The settings, or the end with the name of what is wrong."""
    try:
        return Settings.from_environment()
    except WrongSetting as wrong:
        console.print(f"[red]Wrong setting[/red]\n{wrong}", highlight=False)
        raise typer.Exit(2) from None


@app.command()
def serve(
    demo: Annotated[bool, typer.Option("--demo", help="load the demo shop first")] = False,
) -> None:
    """Answer requests until told to stop; an SQLite database is migrated first."""
    import uvicorn

    from app import create_app
    from edge.logs import configure
    from models.database import sqlite_file

    chosen = settings()
    configure(chosen)
    if sqlite_file(chosen.database_url):
        upgraded(chosen)
    if demo:
        loaded(chosen)
    settled()
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    listeners = None if chosen.port else [socket.create_server((chosen.host, 0), family=family)]
    if listeners:  # whoever is told our address is told the port we really have
        chosen = chosen.model_copy(update={"port": listeners[0].getsockname()[1]})
    console.print(f"Cartwheel: http://{chosen.host}:{chosen.port}/graphql", highlight=False)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(chosen),
            host=chosen.host,
            port=chosen.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=chosen.shutdown_seconds,
        )
    )
    with suppress(KeyboardInterrupt):
        server.run(listeners)
    if not server.started:
        raise typer.Exit(1)


@app.command()
def worker() -> None:
    """Relay events, react and watch the clock, without answering requests."""
    from app import open_shop
    from edge.logs import configure
    from events.working import working

    chosen = settings()
    configure(chosen)
    settled()

    async def work() -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        async with working(open_shop(chosen)):
            await stop.wait()

    asyncio.run(work())


@app.command("settings")
def show_settings() -> None:
    """List every setting: its environment variable, what it is for, and what it is when not set."""
    known = Table("variable", "what it is for", "when not set")
    for name, field in Settings.model_fields.items():
        known.add_row(name.upper(), field.description, str(field.get_default()))
    Console().print(known)


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    console.print(f"The database is at revision {upgraded(settings())}.")


@app.command()
def reindex() -> None:
    """Read all products anew for the search; after `migrate` nothing is left to read."""
    from edge.wording import reindex as read

    in_shop(lambda shop: read(shop, console, everything=True))


@app.command()
def schema(
    check: Annotated[
        bool, typer.Option("--check", help="only tell whether it is stale; exit code 1 then")
    ] = False,
) -> None:
    """Write schema.graphql, the contract of the clients."""
    from schema import schema as shop_schema

    printed = shop_schema.as_str() + "\n"
    if not check:
        CONTRACT.write_text(printed, encoding="utf-8")
    elif not CONTRACT.exists() or CONTRACT.read_text(encoding="utf-8") != printed:
        console.print("schema.graphql is stale: run `make schema` and look at what changed for clients.")
        raise typer.Exit(1)


@app.command()
def ask(
    document: Annotated[str, typer.Argument(help="a GraphQL document")],
    login: Annotated[str | None, typer.Option("--as", help="sign in as this account first")] = None,
    password: Annotated[str, typer.Option(envvar="CARTWHEEL_PASSWORD", help="its password")] = "",
    cart: Annotated[str | None, typer.Option(help="a guest's cart token")] = None,
    language: Annotated[str | None, typer.Option(help="language of the texts: en, zh-CN")] = None,
    pick: Annotated[str | None, typer.Option(help="print only this part: orderPlace.order.id")] = None,
) -> None:
    """Ask a running shop something, as an app would, and print the answer."""
    from edge.asking import NoAnswer, picked
    from edge.asking import ask as ask_shop

    given = {"X-Cart-Token": cart, "Accept-Language": language}
    headers = {name: value for name, value in given.items() if value}
    try:
        found = ask_shop(settings().address, document, login=login, password=password, headers=headers)
        shown = picked(found["data"], pick) if pick else found
    except (NoAnswer, LookupError, TypeError, ValueError) as error:
        console.print(str(error), highlight=False, markup=False)
        raise typer.Exit(1) from None
    typer.echo(shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, indent=2))
    if "errors" in found:
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Load the demo shop into an empty database; twice is as good as once."""
    chosen = settings()
    upgraded(chosen)
    loaded(chosen)


@app.command()
def audit(
    every: Annotated[
        bool, typer.Option("--all", help="print every disagreement, not the first only")
    ] = False,
) -> None:
    """Prove that ledger, order totals, refunds, stock movements and offers agree, while the shop goes on.

    Exit code 0 when they do. Else 1, and the first disagreement: its rule, its row, what is expected there
    and what is found.
    """
    from edge.auditing import print_audit

    in_shop(lambda shop: print_audit(shop, every=every))


@app.command()
def quality(
    limit: Annotated[int, typer.Option(min=1, help="how many to print")] = 20,
    reason: Annotated[
        list[QualityReason] | None, typer.Option(help="only for this reason; may be given several times")
    ] = None,
) -> None:
    """Print what is incomplete, inconsistent or twice in the catalogue, what is best put right first.

    Exit code 0 when there is nothing to put right, 1 when there is.
    """
    from edge.quality import print_quality

    in_shop(lambda shop: print_quality(shop, limit=limit, reasons=reason, console=console))


@staff.command("create")
def create_staff(
    email: str,
    role: Annotated[Role, typer.Option(help="what the person may do")],
    name: Annotated[str, typer.Option(help="what colleagues and customers read")],
    password: Annotated[
        str, typer.Option(envvar="STAFF_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
    ],
) -> None:
    """Make an account for a member of the staff: the way to the first administrator."""
    from domain.account import acceptable
    from domain.account import create_staff as create
    from domain.errors import DomainError

    async def make(shop: "Shop") -> int:
        try:
            password_hash = await shop.secrets.hash_password(acceptable(password))
            async with shop.database.writes.begin() as session:
                await create(
                    session,
                    role=role,
                    email=email,
                    phone=None,
                    name=name,
                    password_hash=password_hash,
                    now=shop.clock(),
                )
        except DomainError as refused:
            console.print(str(refused), highlight=False)
            return 2
        console.print(f"{email} is {role.value} now.", highlight=False)
        return 0

    in_shop(make)


@imports.command("products")
def import_products(
    files: Files,
    currency: Annotated[CurrencyCode | None, typer.Option(help="of the plain prices")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="tell what would happen, change nothing")
    ] = False,
) -> None:
    """Take in product files in Shopify's CSV format, each whole or not at all."""
    from edge.files import take_in

    in_shop(lambda shop: take_in(shop, files, currency or shop.settings.default_currency, dry_run, console))


@imports.command("taxonomy")
def import_taxonomy(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, readable=True, help="a folder per language")
    ],
    language: Annotated[
        str | None, typer.Option(help="whose names are the shop's own; else the shop's language")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="tell what would happen, change nothing")
    ] = False,
) -> None:
    """Take in an edition of the Shopify Standard Product Taxonomy, whole or not at all; again to update."""
    from edge.taxonomy import take_in

    in_shop(lambda shop: take_in(shop, folder, language or shop.settings.default_language, dry_run, console))


@exports.command("products")
def export_products(
    to: Annotated[Path | None, typer.Argument(help="file to write; standard output when left out")] = None,
    currency: Annotated[CurrencyCode | None, typer.Option(help="of the plain prices")] = None,
) -> None:
    """Write all products in Shopify's CSV format."""
    from edge.files import give_out

    in_shop(lambda shop: give_out(shop, to, currency or shop.settings.default_currency))


def in_shop(work: "Callable[[Shop], Awaitable[int]]") -> None:
    """Do something behind the counter; the number it comes to is the exit code."""
    from app import open_shop

    async def inside() -> int:
        shop = open_shop(settings())
        try:
            return await work(shop)
        finally:
            await shop.close()

    settled()
    if code := asyncio.run(inside()):
        raise typer.Exit(code)


def upgraded(chosen: Settings) -> str:
    """The newest revision; products that a revision let the search forget are read anew."""
    from edge.wording import reindex as read
    from migrations.runner import upgrade

    revision = upgrade(chosen.database_url)
    in_shop(lambda shop: read(shop, console, everything=False))
    return revision


def loaded(chosen: Settings) -> None:
    from app import open_shop
    from demo.load import DemoInProduction, load_demo

    async def load() -> None:
        shop = open_shop(chosen)
        try:
            await load_demo(shop, console)
        finally:
            await shop.close()

    try:
        asyncio.run(load())
    except DemoInProduction as refused:
        console.print(str(refused))
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
