"""A delivery run on the command line: its stops as a table, and its map as an SVG file."""

import asyncio
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.errors import NotFound
from events.shop import Shop
from loaders import Loaders
from models import DeliveryRun
from resolvers.delivery_run.run_map import (
    MappedRun,
    describe_stops,
    draw_run,
    load_mapped_runs,
    look_at_stops,
    write_facts,
)
from resolvers.ids import row_id
from resolvers.map_texts import MapReader
from text.messages import Message

WIDTH = 160
"""Columns of the output, where it is not a terminal."""
COLUMNS = (
    Message("Stop"),
    Message("Parcel"),
    Message("District"),
    Message("Window"),
    Message("Time"),
    Message("State"),
)
REFUSED = 1


async def show_delivery_run(
    shop: Shop, id: str, out: Path | None, language: str | None, console: Console
) -> int:
    """Print the stops of a run, by its global id or its number, and write its map; the exit code."""
    load = Loaders(shop.database.reads)
    run = await find_run(load, id)
    if run is None:
        return refuse(console, f"There is no delivery run {id}.")
    [mapped] = await load_mapped_runs(load, [run])
    locale, routing = shop.settings.locale, shop.settings.routing
    reader = MapReader(language or locale.default_language, locale.zone)
    to = out or Path(f"delivery-run-{run.id}.svg")
    drawn = draw_run(mapped, reader, shop.clock(), routing.positions_kept)
    try:
        await asyncio.to_thread(to.write_text, drawn, encoding="utf-8")
    except OSError as error:
        return refuse(console, f"{to} cannot be written: {error.strerror}.")
    print_stops(mapped, reader, Console() if console.is_terminal else Console(width=WIDTH))
    console.print(f"{to} has the map.", highlight=False, markup=False, soft_wrap=True)
    return 0


async def find_run(load: Loaders, id: str) -> DeliveryRun | None:
    """The run with this global id, or with this number."""
    try:
        return await load.delivery_run.load(int(id) if is_number(id) else row_id(id, "DeliveryRun"))
    except NotFound:
        return None


def is_number(id: str) -> bool:
    return id.isascii() and id.isdigit() and len(id) < 19


def refuse(console: Console, line: str) -> int:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
    return REFUSED


def print_stops(mapped: MappedRun, reader: MapReader, output: Console) -> None:
    title = reader.text(Message("Delivery run: {status}", status=mapped.run.status))
    output.print(Text("\n".join([title, *filter(None, write_facts(mapped, reader))])))
    table = Table(*map(reader.text, COLUMNS))
    stops = list(zip(mapped.stops, look_at_stops(mapped.run, mapped.stops), strict=True))
    for each in describe_stops(mapped, stops, reader):
        parcel = mapped.parcels.get(each.stop.shipment_id)
        number = parcel.number if parcel else ""
        cells = (str(each.stop.position), number, each.district, each.window, each.time, each.state)
        table.add_row(*map(Text, cells))
    output.print(table)
