"""The `cartwheel` command: each a few lines."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from settings import Settings, WrongSetting

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The backend of an online shop.")
imports = typer.Typer(no_args_is_help=True, help="Bring data into the shop.")
exports = typer.Typer(no_args_is_help=True, help="Write data of the shop.")
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


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run to the end; a number above 0 is the exit code."""
    if code := asyncio.run(work):
        raise typer.Exit(code)


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
        asyncio.run(demo_shop(chosen))
    console.print(f"Cartwheel: http://{chosen.host}:{chosen.port}/graphql", highlight=False)
    uvicorn.run(
        create_app(chosen),
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=chosen.shutdown_seconds,
    )


@app.command()
def worker() -> None:
    """Relay events, react and watch the clock, without answering requests."""
    from app import open_shop, working
    from edge.logs import configure

    chosen = settings()
    configure(chosen)

    async def work() -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        async with working(open_shop(chosen)):
            await stop.wait()

    asyncio.run(work())


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    console.print(f"The database is at revision {upgraded(settings())}.")


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


def upgraded(chosen: Settings) -> str:
    from migrations.runner import upgrade

    return upgrade(chosen.database_url)


async def demo_shop(chosen: Settings) -> None:
    from app import open_shop
    from demo.load import load_demo

    shop = open_shop(chosen)
    try:
        await load_demo(shop, console)
    finally:
        await shop.database.close()


if __name__ == "__main__":
    app()
