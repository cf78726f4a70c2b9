"""The list below a map: for each mark its number, two lines of text and perhaps a span of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from geo.drawing.elements import Look, add, shorten_text
from geo.drawing.marks import draw_number

ROW_HEIGHT = 34.0
TEXT_SIZE, DETAIL_SIZE = 12.0, 11.0
NUMBER_ROOM = 34.0
SPAN_ROOM = 96.0
SPAN_HEIGHT = 8.0
TICK_HEIGHT = 16.0
GUTTER = 8.0
SMALLEST_SPAN = 2.0


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A span on an axis from 0 to 1 that all rows share, and when something is expected or was done."""

    begins: float
    ends: float
    at: float


@dataclass(frozen=True, slots=True)
class MapRow:
    """One entry of the list."""

    number: int
    """0 for an entry that is not on the map."""
    look: Look
    text: str
    detail: str = ""
    span: TimeSpan | None = None


def draw_rows(parent: Element, rows: Sequence[MapRow], *, left: float, top: float, width: float) -> float:
    """Draw the list; returns its height."""
    spanned = any(row.span for row in rows)
    text_width = width - NUMBER_ROOM - (SPAN_ROOM + GUTTER if spanned else 0.0)
    for place, row in enumerate(rows):
        y = top + place * ROW_HEIGHT
        group = add(parent, "g", transform=f"translate({left:.0f} {y:.0f})")
        if row.number:
            draw_number(group, str(row.number), row.look, NUMBER_ROOM / 2 - GUTTER / 2, ROW_HEIGHT / 2)
        add(group, "text", shorten_text(row.text, TEXT_SIZE, text_width), x=NUMBER_ROOM, y=14)
        if row.detail:
            detail = shorten_text(row.detail, DETAIL_SIZE, text_width)
            add(group, "text", detail, x=NUMBER_ROOM, y=28, class_="minor")
        if row.span:
            draw_span(group, row.span, width - SPAN_ROOM)
    return len(rows) * ROW_HEIGHT


def draw_span(parent: Element, span: TimeSpan, left: float) -> None:
    """Draw a span on its axis; the tick of what is after its end is marked."""
    middle = ROW_HEIGHT / 2
    add(parent, "line", x1=left, y1=middle, x2=left + SPAN_ROOM, y2=middle, class_="axis")
    add(
        parent,
        "rect",
        x=left + span.begins * SPAN_ROOM,
        y=middle - SPAN_HEIGHT / 2,
        width=max(SMALLEST_SPAN, (span.ends - span.begins) * SPAN_ROOM),
        height=SPAN_HEIGHT,
        class_="span",
    )
    x = left + span.at * SPAN_ROOM
    look = "tick late" if span.at > span.ends else "tick"
    add(parent, "line", x1=x, y1=middle - TICK_HEIGHT / 2, x2=x, y2=middle + TICK_HEIGHT / 2, class_=look)
