"""A whole map: title, map, legend and list, as one SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

from geo.drawing.elements import (
    NAMESPACE,
    Look,
    add,
    clean_text,
    shorten_text,
    width_of,
    write_document,
    write_number,
)
from geo.drawing.ground import Track, draw_grid, draw_outlines, draw_scale, draw_tracks, shows_outlines
from geo.drawing.marks import BADGE, SYMBOLS, Mark, Room, draw_marks, draw_number, draw_symbol, place_marks
from geo.drawing.projection import fit_points
from geo.drawing.rows import MapRow, draw_rows

STYLE_FILE = Path(__file__).with_name("style.css")
WIDTH = 400.0
"""Of a map in units: at 360 pixels the smallest text is 9.9 pixels high."""
MARGIN = 12.0
MAP_PADDING = 26.0
TITLE_SIZE, FACT_SIZE = 15.0, 11.0
TITLE_HEIGHT, FACT_HEIGHT, LEGEND_HEIGHT = 20.0, 15.0, 22.0
LEGEND_GAP = 14.0
CORNER = 6
BULLET = "•"


@dataclass(frozen=True, slots=True)
class MapDrawing:
    """What a map shows. Texts are in the language of the reader; points in degrees."""

    title: str
    language: str
    write_km: Callable[[float], str]
    """A length in kilometres in words."""
    facts: Sequence[str] = ()
    """Lines below the title."""
    marks: Sequence[Mark] = ()
    tracks: Sequence[Track] = ()
    legend: Sequence[tuple[Look, str]] = ()
    rows: Sequence[MapRow] = ()
    notes: Sequence[str] = ()
    """Lines below the list."""


@cache
def read_style() -> str:
    return STYLE_FILE.read_text(encoding="utf-8").strip()


def draw_map(drawing: MapDrawing) -> str:
    """The map as one SVG element; without a mark only a list."""
    root = Element("svg", {"xmlns": NAMESPACE, "class": "drawn-map", "role": "img", "lang": drawing.language})
    add(root, "title", drawing.title)
    add(root, "desc", describe_map(drawing))
    add(root, "style").text = read_style()
    paper = add(root, "rect", width=WIDTH, class_="paper")
    width, y = WIDTH - 2 * MARGIN, MARGIN
    add(
        root,
        "text",
        shorten_text(drawing.title, TITLE_SIZE, width),
        x=MARGIN,
        y=y + TITLE_SIZE,
        class_="title",
    )
    y = draw_lines(root, drawing.facts, y + TITLE_HEIGHT)
    if drawing.marks:
        y += draw_frame(root, drawing, y + MARGIN / 2) + MARGIN
        y = draw_legend(root, drawing.legend, y)
    y += draw_rows(root, drawing.rows, left=MARGIN, top=y + MARGIN / 2, width=width) + MARGIN / 2
    y = draw_lines(root, drawing.notes, y) + MARGIN
    paper.set("height", write_number(y))
    root.set("viewBox", f"0 0 {write_number(WIDTH)} {write_number(y)}")
    return write_document(root)


def describe_map(drawing: MapDrawing) -> str:
    """The same in words, for who does not see it."""
    listed = [
        f"{row.number or BULLET} {row.text}{f', {row.detail}' if row.detail else ''}" for row in drawing.rows
    ]
    return "; ".join([*drawing.facts, *listed, *drawing.notes])


def draw_lines(root: Element, lines: Sequence[str], y: float) -> float:
    """Write lines of text; returns where they end."""
    for line in lines:
        y += FACT_HEIGHT
        text = shorten_text(line, FACT_SIZE, WIDTH - 2 * MARGIN)
        add(root, "text", text, x=MARGIN, y=y - 3, class_="minor")
    return y


def draw_frame(root: Element, drawing: MapDrawing, top: float) -> float:
    """Draw the map with its marks; returns its height."""
    points = [mark.point for mark in drawing.marks]
    projection = fit_points(points, WIDTH - 2 * MARGIN, MAP_PADDING)
    frame = add(root, "svg", x=MARGIN, y=top, width=projection.width, height=projection.height)
    add(frame, "rect", width=projection.width, height=projection.height, rx=CORNER, class_="land")
    step = draw_grid(frame, projection)
    if shows_outlines(projection):
        draw_outlines(frame, projection)
    draw_tracks(frame, drawing.tracks, projection)
    room = Room(projection.width, projection.height)
    draw_scale(frame, projection, step, drawing.write_km(step), room)
    draw_marks(frame, place_marks(drawing.marks, projection), room)
    return projection.height


def draw_legend(root: Element, legend: Sequence[tuple[Look, str]], y: float) -> float:
    """Draw what each look means, in as many lines as it takes; returns where they end."""
    x, y = MARGIN, y + LEGEND_HEIGHT / 2
    for look, text in legend:
        shown = clean_text(text)
        width = BADGE + 4 + width_of(shown, FACT_SIZE)
        if x > MARGIN and x + width > WIDTH - MARGIN:
            x, y = MARGIN, y + LEGEND_HEIGHT
        if look in SYMBOLS:
            draw_symbol(root, look, x + BADGE / 2, y)
        else:
            draw_number(root, "1", look, x + BADGE / 2, y)
        add(root, "text", shown, x=x + BADGE + 4, y=y + 4, class_="minor")
        x += width + LEGEND_GAP
    return y + LEGEND_HEIGHT / 2
