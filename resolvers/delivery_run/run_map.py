"""The map of a delivery run: its stops in their order, with windows and outcomes, and its courier."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.stock import point_of_warehouse
from geo import Point
from geo.drawing import Look, MapDrawing, MapRow, Mark, TimeSpan, Trace, Track, draw_map
from loaders import Loaders
from models import DeliveryRun, DeliveryRunStatus, DeliveryRunStop, Shipment, StopOutcome, Warehouse
from resolvers.context import Info
from resolvers.map_texts import MapReader, join_texts
from text.messages import Message, choose_language

ROWS_SHOWN = 60
"""Stops in the list of a map: those ahead before those that are done. The map has all."""

LEGEND: Mapping[Look, Message] = {
    Look.DEPOT: Message("Warehouse"),
    Look.MOVING: Message("Courier"),
    Look.NEXT: Message("Next stop"),
    Look.PLAIN: Message("Ahead"),
    Look.LOCKED: Message("Stays in its place"),
    Look.DONE: Message("Handed over"),
    Look.FAILED: Message("Not handed over"),
}
STOP_STATES: Mapping[Look, Message] = {
    look: LEGEND[look] for look in (Look.NEXT, Look.LOCKED, Look.DONE, Look.FAILED)
}
NOT_TAKEN = Message("Not taken along")


@dataclass(frozen=True, slots=True)
class MappedRun:
    """A run with what its map shows."""

    run: DeliveryRun
    warehouse: Warehouse | None
    stops: Sequence[DeliveryRunStop]
    districts: Mapping[int, str]
    """Where each parcel goes, by its id: never a street or a name."""
    parcels: Mapping[int, Shipment]

    def district_of(self, stop: DeliveryRunStop) -> str:
        return self.districts.get(stop.shipment_id, "")


async def load_mapped_runs(load: Loaders, runs: Sequence[DeliveryRun]) -> list[MappedRun]:
    """The runs with their warehouses, stops, parcels and districts: one statement for each kind."""
    warehouses = await load.warehouse.load_many([run.warehouse_id for run in runs])
    stops = await load.delivery_run_stops.load_many([run.id for run in runs])
    ids = sorted({stop.shipment_id for of_run in stops for stop in of_run})
    shipments = [each for each in await load.shipment.load_many(ids) if each]
    deliveries = await load.delivery.load_many([each.delivery_id for each in shipments])
    districts = {
        shipment.id: delivery.district or delivery.city
        for shipment, delivery in zip(shipments, deliveries, strict=True)
        if delivery
    }
    parcels = {shipment.id: shipment for shipment in shipments}
    return [
        MappedRun(run, warehouse, of_run, districts, parcels)
        for run, warehouse, of_run in zip(runs, warehouses, stops, strict=True)
    ]


async def run_maps(runs: Sequence[DeliveryRun], info: Info) -> list[str]:
    """A map of it as SVG: its stops in their order with their windows and how they ended, the warehouse and
    where the courier was last. It names districts, and neither people nor streets.
    """
    context = info.context
    reader = MapReader.of(context.viewer_of(info))
    drawn = []
    for mapped in await load_mapped_runs(context.load, runs):
        for stop in mapped.stops:
            context.note_reading(stop, "DeliveryRun.map")
        drawn.append(draw_run(mapped, reader, context.now, context.shop.settings.routing.positions_kept))
        await asyncio.sleep(0)  # a map takes milliseconds: others may be answered between two
    return drawn


def draw_run(mapped: MappedRun, reader: MapReader, now: datetime, positions_kept: timedelta) -> str:
    """The map as SVG; where the courier was longer ago than positions are kept is not shown."""
    run, depot = mapped.run, point_of_warehouse(mapped.warehouse) if mapped.warehouse else None
    looks = look_at_stops(run, mapped.stops)
    marks = [
        Mark(point, look, stop.position)
        for stop, look in zip(mapped.stops, looks, strict=True)
        if (point := point_of_stop(stop))
    ]
    if depot and mapped.warehouse:
        marks.insert(0, Mark(depot, Look.DEPOT, name=mapped.warehouse.name))
    courier = None
    if run.position and now - run.position.at < positions_kept:
        courier = Point(run.position.latitude, run.position.longitude)
        marks.append(Mark(courier, Look.MOVING, name=reader.clock(run.position.at, now)))
    seen = {mark.look for mark in marks} | set(looks)
    rows, hidden = list_rows(mapped, looks, reader)
    return draw_map(
        MapDrawing(
            title=reader.text(Message("Delivery run: {status}", status=run.status)),
            language=choose_language(reader.language),
            write_km=reader.length,
            facts=write_facts(mapped, reader),
            marks=marks,
            tracks=trace_run(run, mapped.stops, depot, courier),
            legend=[(look, reader.text(text)) for look, text in LEGEND.items() if look in seen],
            rows=rows,
            notes=write_notes(mapped.stops, hidden, reader),
        )
    )


def point_of_stop(stop: DeliveryRunStop) -> Point | None:
    if stop.latitude is None or stop.longitude is None:
        return None
    return Point(stop.latitude, stop.longitude)


def look_at_stops(run: DeliveryRun, stops: Sequence[DeliveryRunStop]) -> list[Look]:
    """How each stop looks; of an active run the first one ahead is the next."""
    ahead = next((stop for stop in stops if stop.outcome is None), None)
    upcoming = ahead if run.status is DeliveryRunStatus.ACTIVE else None
    return [look_of(stop, is_next=stop is upcoming) for stop in stops]


def look_of(stop: DeliveryRunStop, *, is_next: bool) -> Look:
    if stop.outcome is not None:
        return Look.DONE if stop.outcome is StopOutcome.DELIVERED else Look.FAILED
    if is_next:
        return Look.NEXT
    return Look.LOCKED if stop.locked else Look.PLAIN


def trace_run(
    run: DeliveryRun, stops: Sequence[DeliveryRunStop], depot: Point | None, courier: Point | None
) -> list[Track]:
    """The way past the stops that are done, and the way that is ahead, back to the depot."""
    if run.status is DeliveryRunStatus.CANCELLED:
        return []
    home = [depot] if depot else []
    done = [stop for stop in stops if stop.outcome is not None and not stop.skipped]
    gone = [*home, *points_of(done)]
    left = points_of(stop for stop in stops if stop.outcome is None)
    here = [courier] if courier and done else gone[-1:]
    tracks = [Track([*gone, *(here if courier else [])] if done else gone, Trace.GONE)]
    if left:
        tracks.append(Track([*here, *left, *home], Trace.AHEAD))
    return tracks


def points_of(stops: Iterable[DeliveryRunStop]) -> list[Point]:
    return [point for stop in stops if (point := point_of_stop(stop))]


def write_facts(mapped: MappedRun, reader: MapReader) -> list[str]:
    run, stops = mapped.run, mapped.stops
    done = sum(stop.outcome is not None for stop in stops)
    began, planned = run.started_at, run.departs_at
    times = []
    if began:
        times.append(reader.text(Message("Left {moment}", moment=began)))
    elif planned:
        times.append(reader.text(Message("Leaves {moment}", moment=planned)))
    return [
        join_texts(mapped.warehouse.name if mapped.warehouse else "", run.vehicle),
        join_texts(reader.text(Message("{done} of {stops} stops done", done=done, stops=len(stops))), *times),
    ]


def write_notes(stops: Sequence[DeliveryRunStop], hidden: int, reader: MapReader) -> list[str]:
    """What is missing on the map and in the list."""
    lost = sum(point_of_stop(stop) is None for stop in stops)
    notes = []
    if hidden:
        notes.append(Message("{count} more stop.", plural="{count} more stops.", count=hidden))
    if lost:
        notes.append(
            Message(
                "{count} stop has no coordinates and is not on the map.",
                plural="{count} stops have no coordinates and are not on the map.",
                count=lost,
            )
        )
    return [reader.text(note) for note in notes]


@dataclass(frozen=True, slots=True)
class StopTexts:
    """A stop in the words of a list."""

    stop: DeliveryRunStop
    look: Look
    time: str
    """When the courier was there, or is expected."""
    district: str
    state: str
    window: str


def describe_stops(
    mapped: MappedRun, stops: Sequence[tuple[DeliveryRunStop, Look]], reader: MapReader
) -> list[StopTexts]:
    """These stops in words; times have their day where it is not that of the first."""
    first = min((moment for stop, _ in stops for moment in moments_of(stop)), default=None)
    return [
        StopTexts(
            stop,
            look,
            time=reader.clock(time_of(stop), first),
            district=mapped.district_of(stop),
            state=write_state(stop, look, reader),
            window=write_window(stop, first, reader),
        )
        for stop, look in stops
    ]


def list_rows(mapped: MappedRun, looks: Sequence[Look], reader: MapReader) -> tuple[list[MapRow], int]:
    """The list of stops, and how many are left out of it."""
    chosen = sorted(zip(mapped.stops, looks, strict=True), key=lambda each: each[0].outcome is not None)
    shown = sorted(chosen[:ROWS_SHOWN], key=lambda each: each[0].position)
    moments = sorted(moment for stop, _ in shown for moment in moments_of(stop))
    rows = [
        MapRow(
            each.stop.position,
            each.look,
            join_texts(each.time, each.district),
            join_texts(each.state, each.window),
            span_of(each.stop, moments[0], moments[-1]),
        )
        for each in describe_stops(mapped, shown, reader)
    ]
    return rows, len(mapped.stops) - len(shown)


def time_of(stop: DeliveryRunStop) -> datetime:
    """When the courier was there, or is expected."""
    return stop.completed_at or stop.estimated_at


def moments_of(stop: DeliveryRunStop) -> list[datetime]:
    return [moment for moment in (time_of(stop), stop.window_from, stop.window_until) if moment]


def write_state(stop: DeliveryRunStop, look: Look, reader: MapReader) -> str:
    if stop.skipped:
        return reader.text(NOT_TAKEN)
    return reader.text(STOP_STATES[look]) if look in STOP_STATES else ""


def write_window(stop: DeliveryRunStop, first: datetime | None, reader: MapReader) -> str:
    begins, ends = (
        reader.clock(moment, first) if moment else None for moment in (stop.window_from, stop.window_until)
    )
    match begins, ends:
        case None, None:
            return ""
        case str(), None:
            return reader.text(Message("from {time}", time=begins))
        case None, str():
            return reader.text(Message("until {time}", time=ends))
    return f"{begins}–{ends}"


def span_of(stop: DeliveryRunStop, first: datetime, last: datetime) -> TimeSpan | None:
    """The window on the axis of all times of the list; None without a window."""
    if (stop.window_from is None and stop.window_until is None) or last <= first:
        return None

    def part(moment: datetime) -> float:
        return min(1.0, max(0.0, (moment - first) / (last - first)))

    return TimeSpan(part(stop.window_from or first), part(stop.window_until or last), part(time_of(stop)))
