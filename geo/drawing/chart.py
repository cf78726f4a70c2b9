"""A chart as one SVG: lines over time, or bars one below the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

from geo.drawing.elements import NAMESPACE, add, shorten_text, width_of, write_document, write_number

STYLE_FILE = Path(__file__).with_name("chart.css")
WIDTH, MARGIN = 640.0, 16.0
TITLE_SIZE, TEXT_SIZE = 15.0, 11.0
PLOT_HEIGHT, AXIS_WIDTH = 220.0, 84.0
ROW_HEIGHT, BAR_HEIGHT, LABEL_WIDTH, VALUE_WIDTH = 26.0, 14.0, 170.0, 110.0
STEPS = 4
"""Lines of the grid above the axis."""
LABELS_LIMIT = 9
"""Labels below a line: more would touch each other."""
DOTS_LIMIT = 60
LOOKS = ("first", "second")
NICE = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One line of a chart, or all of its bars; None where nothing is known."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows. Texts are in the language of the reader."""

    title: str
    language: str
    labels: Sequence[str]
    """Of each place along the axis, or of each bar."""
    series: Sequence[ChartLine]
    """At most two for lines, one for bars."""
    write_value: Callable[[float], str]
    empty: str
    """What is said where there is nothing to show."""
    unit: float = 1.0
    """What the values on the axis are multiples of, such as an hour in seconds."""


@cache
def read_style() -> str:
    return STYLE_FILE.read_text(encoding="utf-8").strip()


def draw_lines_chart(chart: Chart) -> str:
    """The values over time, each series a line, with gaps where nothing is known."""
    root, top = open_chart(chart)
    known = list(known_values(chart))
    if not known:
        return close_chart(root, draw_empty(root, chart, top))
    top = draw_names(root, chart, top)
    highest = round_up(max(known), chart.unit)
    left, right = MARGIN + AXIS_WIDTH, WIDTH - MARGIN
    bottom = top + PLOT_HEIGHT
    draw_axis(root, chart, highest, top, left, right)
    step = (right - left) / max(1, len(chart.labels) - 1)

    def place(index: int, value: float) -> tuple[float, float]:
        return left + index * step, bottom - PLOT_HEIGHT * value / highest

    for look, series in zip(LOOKS, chart.series, strict=False):
        for run in split_runs(series.values):
            points = [place(index, value) for index, value in run]
            path = " ".join(f"{write_number(x)},{write_number(y)}" for x, y in points)
            add(root, "polyline", points=path, class_=f"line {look}")
            if len(chart.labels) <= DOTS_LIMIT or len(points) == 1:
                for x, y in points:
                    add(root, "circle", cx=x, cy=y, r=2.5, class_=look)
    draw_labels(root, chart, left, step, bottom)
    return close_chart(root, bottom + 2 * TEXT_SIZE)


def draw_bars_chart(chart: Chart) -> str:
    """The values of the first series as bars, the first one on top."""
    root, top = open_chart(chart)
    [series] = chart.series
    known = list(known_values(chart))
    if not known:
        return close_chart(root, draw_empty(root, chart, top))
    highest = max(known) or 1
    left, length = MARGIN + LABEL_WIDTH, WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH
    for label, value in zip(chart.labels, series.values, strict=True):
        middle = top + ROW_HEIGHT / 2
        text = shorten_text(label, TEXT_SIZE, LABEL_WIDTH - 10)
        add(root, "text", text, x=left - 8, y=middle + 4, class_="end")
        if value is not None:
            bar = length * value / highest
            add(root, "rect", x=left, y=middle - BAR_HEIGHT / 2, width=bar, height=BAR_HEIGHT, class_="first")
            add(root, "text", chart.write_value(value), x=left + bar + 6, y=middle + 4, class_="minor")
        top += ROW_HEIGHT
    return close_chart(root, top)


def open_chart(chart: Chart) -> tuple[Element, float]:
    """The document with its title; and where the rest begins."""
    root = Element("svg", {"xmlns": NAMESPACE, "class": "drawn-chart", "role": "img", "lang": chart.language})
    add(root, "title", chart.title)
    add(root, "desc", describe_chart(chart))
    add(root, "style").text = read_style()
    add(root, "rect", width=WIDTH, class_="paper")
    title = shorten_text(chart.title, TITLE_SIZE, WIDTH - 2 * MARGIN)
    add(root, "text", title, x=MARGIN, y=MARGIN + TITLE_SIZE, class_="title")
    return root, MARGIN + 2 * TITLE_SIZE


def close_chart(root: Element, bottom: float) -> str:
    height = write_number(bottom + MARGIN)
    for paper in root.iter("rect"):
        paper.set("height", height)
        break
    root.set("viewBox", f"0 0 {write_number(WIDTH)} {height}")
    return write_document(root)


def describe_chart(chart: Chart) -> str:
    """The same in words, for who does not see it."""
    return "; ".join(
        f"{label}: {', '.join(parts)}"
        for index, label in enumerate(chart.labels)
        if (
            parts := [
                f"{series.name} {chart.write_value(value)}".strip()
                for series in chart.series
                if (value := series.values[index]) is not None
            ]
        )
    ) or (chart.empty)


def known_values(chart: Chart) -> Iterator[float]:
    return (value for series in chart.series for value in series.values if value is not None)


def split_runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """The places and values that follow each other without a gap."""
    run: list[tuple[int, float]] = []
    for index, value in enumerate(values):
        if value is not None:
            run.append((index, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def round_up(value: float, unit: float) -> float:
    """The next number above that reads well: in steps of the unit, or of a power of ten of it."""
    scale = unit
    while value > scale * NICE[-1]:
        scale *= 10
    return next(scale * nice for nice in NICE if value <= scale * nice)


def draw_empty(root: Element, chart: Chart, top: float) -> float:
    add(root, "text", chart.empty, x=MARGIN, y=top + TEXT_SIZE, class_="minor")
    return top + TEXT_SIZE


def draw_names(root: Element, chart: Chart, top: float) -> float:
    """The names of the lines beside their colours; returns where they end."""
    x = MARGIN
    for look, series in zip(LOOKS, chart.series, strict=False):
        add(root, "line", x1=x, x2=x + 22, y1=top + 4, y2=top + 4, class_=f"line {look}")
        add(root, "text", series.name, x=x + 28, y=top + 8)
        x += 28 + width_of(series.name, TEXT_SIZE) + 24
    return top + 2 * TEXT_SIZE


def draw_axis(root: Element, chart: Chart, highest: float, top: float, left: float, right: float) -> None:
    """Lines of equal values, with what they stand for."""
    for step in range(STEPS + 1):
        y = top + PLOT_HEIGHT * (STEPS - step) / STEPS
        add(root, "line", x1=left, x2=right, y1=y, y2=y, class_="grid" if step else "axis")
        text = shorten_text(chart.write_value(highest * step / STEPS), TEXT_SIZE, AXIS_WIDTH - 8)
        add(root, "text", text, x=left - 8, y=y + 4, class_="minor end")


def draw_labels(root: Element, chart: Chart, left: float, step: float, bottom: float) -> None:
    """The labels below the axis, as many as fit beside each other."""
    apart = max(1, -(-len(chart.labels) // LABELS_LIMIT))
    for index in range(0, len(chart.labels), apart):
        anchor = "minor" if index == 0 else "minor middle"
        add(root, "text", chart.labels[index], x=left + index * step, y=bottom + 16, class_=anchor)
