"""What lies under the marks of a map: a grid, coasts and borders of provinces, ways, and a scale."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import count, pairwise, takewhile
from math import log10
from xml.etree.ElementTree import Element

from geo.area_table import Point
from geo.drawing.elements import add, width_of
from geo.drawing.marks import Rectangle, Room
from geo.drawing.projection import FULL_TURN, Projection
from geo.outlines import Outline, OutlineKind, load_outlines

OUTLINES_FROM_KM = 120.0
"""A map of less across has no outlines: theirs are true to some kilometres."""
LINES_ACROSS = 5
"""Of a grid across the width of a map, about."""
STEPS = (1.0, 2.0, 5.0)
SHORTEST_STEP = 1
"""Units between two points of an outline that is drawn."""
MARGIN_DEGREES = 1.0
MAPS_KEPT = 128
"""Parts of the world whose outlines are kept in memory, some ten kilobytes each."""
SCALE_SIZE = 11.0
SCALE_INSET = 10.0
SCALE_RISE = 4.0
CLASSES = {OutlineKind.COAST: "coast", OutlineKind.PROVINCE: "province"}


class Trace(StrEnum):
    """How a way is drawn."""

    GONE = "gone"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Track:
    """A way from place to place."""

    points: Sequence[Point]
    trace: Trace


def shows_outlines(projection: Projection) -> bool:
    return projection.width_km >= OUTLINES_FROM_KM


def round_step(km: float) -> float:
    """The longest of 1, 2, 5, 10, 20 and so on that is not longer, in kilometres."""
    power = 10.0 ** (int(log10(km) + 100) - 100)
    return max(power * step for step in STEPS if power * step <= km * 1.000001)


def draw_grid(parent: Element, projection: Projection) -> float:
    """Draw lines that are a round number of kilometres apart; returns how many."""
    step = round_step(projection.width_km / LINES_ACROSS)
    apart = step * projection.units_per_km
    width, height = projection.width, projection.height
    vertical = takewhile(lambda x: x < width, (number * apart for number in count(1)))
    horizontal = takewhile(lambda up: up < height, (number * apart for number in count(1)))
    path = "".join(f"M{x:.1f} 0V{height:.1f}" for x in vertical)
    path += "".join(f"M0 {height - up:.1f}H{width:.1f}" for up in horizontal)
    add(parent, "path", d=path, class_="grid")
    return step


def draw_outlines(parent: Element, projection: Projection) -> None:
    """Draw the coasts and borders in sight."""
    for kind, path in write_outlines(projection).items():
        add(parent, "path", d=path, class_=CLASSES[kind])


@lru_cache(maxsize=MAPS_KEPT)
def write_outlines(projection: Projection) -> Mapping[OutlineKind, str]:
    """The paths of the coasts and borders in sight: milliseconds, and a map is often drawn again."""
    parts: dict[OutlineKind, list[str]] = {kind: [] for kind in (OutlineKind.PROVINCE, OutlineKind.COAST)}
    wide, high = (degrees / 2 + MARGIN_DEGREES for degrees in projection.degrees_across)
    middle = projection.middle
    for outline in load_outlines():
        if outline.south > middle.latitude + high or outline.north < middle.latitude - high:
            continue
        half = (outline.east - outline.west) / 2
        turns = round((middle.longitude - outline.west - half) / FULL_TURN) * FULL_TURN
        if abs(outline.west + half + turns - middle.longitude) <= wide + half:
            parts[outline.kind].append(write_outline(outline, projection, turns))
    return {kind: path for kind, written in parts.items() if (path := "".join(written))}


def write_outline(outline: Outline, projection: Projection, turns: float) -> str:
    """The path of an outline in whole units, moved by degrees around the world; without steps nobody sees."""
    left, top = projection.place_exactly(turns, 0.0)
    across, down = projection.units_per_degree
    last_x, last_y = round(left + outline.longitudes[0] * across), round(top - outline.latitudes[0] * down)
    written = [f"M{last_x} {last_y}"]
    for longitude, latitude in zip(outline.longitudes[1:], outline.latitudes[1:], strict=True):
        x, y = round(left + longitude * across) - last_x, round(top - latitude * down) - last_y
        if abs(x) + abs(y) > SHORTEST_STEP:
            written.append(f"l{x} {y}")
            last_x, last_y = last_x + x, last_y + y
    x = round(left + outline.longitudes[-1] * across) - last_x
    y = round(top - outline.latitudes[-1] * down) - last_y
    if x or y:
        written.append(f"l{x} {y}")
    return "".join(written) if len(written) > 1 else ""


def draw_tracks(parent: Element, tracks: Iterable[Track], projection: Projection) -> None:
    for track in tracks:
        places = [projection.place(point) for point in track.points]
        different = places[:1] + [after for before, after in pairwise(places) if after != before]
        if len(different) > 1:
            written = " ".join(f"{x:.1f},{y:.1f}" for x, y in different)
            add(parent, "polyline", points=written, class_=track.trace.value)


def draw_scale(parent: Element, projection: Projection, step: float, text: str, room: Room) -> None:
    """Draw a bar as long as the lines of the grid are apart, with its length in words."""
    length = step * projection.units_per_km
    x, y = SCALE_INSET, projection.height - SCALE_INSET
    right = x + max(length, width_of(text, SCALE_SIZE))
    room.taken.append(Rectangle(x, y - SCALE_SIZE - 2 * SCALE_RISE, right, projection.height))
    add(
        parent,
        "path",
        d=f"M{x:.1f} {y - SCALE_RISE:.1f}v{SCALE_RISE:.1f}h{length:.1f}v-{SCALE_RISE:.1f}",
        class_="scale",
    )
    add(parent, "text", text, x=x + SCALE_RISE, y=y - 2 * SCALE_RISE + 1, class_="name")
