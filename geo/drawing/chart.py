"""A chart as one SVG: lines over time, or bars one below the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import ceil
from pathlib import Path
from xml.etree.ElementTree import Element

from geo.drawing.elements import NAMESPACE, add, shorten_text, width_of, write_document, write_number

STYLE_FILE = Path(__file__).with_name("chart.css")
WIDTH, MARGIN = 640.0, 16.0
TITLE_SIZE, TEXT_SIZE = 15.0, 11.0
PLOT_HEIGHT, AXIS_WIDTH = 220.0, 84.0
ROW_HEIGHT, BAR_HEIGHT, VALUE_WIDTH = 26.0, 14.0, 80.0
THIN_BAR = 1.0
"""What there is little of is seen, too."""
LABEL_WIDTH = 250.0
"""Of the longest label beside bars; what is longer is shortened."""
STEPS_LIMIT = 5
"""Lines of the grid above the axis."""
LABEL_GAP = 8.0
"""Between labels, so that they can be told apart, and beside bars."""
DOTS_LIMIT = 60
LOOKS = ("first", "second")
DOT_RADIUS, DIAMOND_RADIUS = 4.0, 3.0
"""A dot is seen around the diamond that stands on it."""
ROUND_STEPS = tuple(digit * 10**power for power in range(7) for digit in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One line of a chart, or all of its bars; None where nothing is known."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Scale:
    """In what an axis counts, such as hours, and by how many of them its lines may be apart."""

    write_count: Callable[[int], str]
    """How so many of it are written beside a line."""
    unit: float = 1.0
    """How much of the values one of it is."""
    steps: Sequence[int] = ROUND_STEPS


COUNTS = Scale(str)


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
    scales: Sequence[Scale] = (COUNTS,)
    """What the axis may count in, the finest first."""
    short_labels: Sequence[str] = ()
    """What stands below the axis in place of the labels."""
    highest: float = 0.0
    """The axis of lines reaches at least so high."""


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
    reached = max(*known, chart.highest)
    scale, step = choose_step(reached, chart.scales)
    lines = max(1, ceil(reached / (scale.unit * step)))
    highest = lines * step * scale.unit
    left, right = MARGIN + AXIS_WIDTH, WIDTH - MARGIN
    bottom = top + PLOT_HEIGHT
    draw_axis(root, [scale.write_count(line * step) for line in range(lines + 1)], top, left, right)
    apart = (right - left) / max(1, len(chart.labels) - 1)
    first = (left + right) / 2 if len(chart.labels) == 1 else left

    def place(index: int, value: float) -> tuple[float, float]:
        return first + index * apart, bottom - PLOT_HEIGHT * value / highest

    for look, series in zip(LOOKS, chart.series, strict=False):
        for run in split_runs(series.values):
            points = [place(index, value) for index, value in run]
            path = " ".join(f"{write_number(x)},{write_number(y)}" for x, y in points)
            add(root, "polyline", points=path, class_=f"line {look}")
            if len(chart.labels) <= DOTS_LIMIT or len(points) == 1:
                for x, y in points:
                    draw_dot(root, look, x, y)
    draw_labels(root, chart.short_labels or chart.labels, first, apart, bottom)
    return close_chart(root, bottom + 2 * TEXT_SIZE)


def draw_bars_chart(chart: Chart) -> str:
    """The values of the first series as bars, the first one on top."""
    root, top = open_chart(chart)
    [series] = chart.series
    known = list(known_values(chart))
    if not known:
        return close_chart(root, draw_empty(root, chart, top))
    highest = max(known) or 1
    labels = [shorten_text(label, TEXT_SIZE, LABEL_WIDTH) for label in chart.labels]
    left = MARGIN + max(width_of(label, TEXT_SIZE) for label in labels) + LABEL_GAP
    length = WIDTH - MARGIN - VALUE_WIDTH - left
    for text, value in zip(labels, series.values, strict=True):
        middle = top + ROW_HEIGHT / 2
        add(root, "text", text, x=left - LABEL_GAP, y=middle + 4, class_="end")
        if value is not None:
            bar = max(THIN_BAR, length * value / highest) if value else 0.0
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


def choose_step(highest: float, scales: Sequence[Scale]) -> tuple[Scale, int]:
    """The finest scale and step of which at most STEPS_LIMIT reach the highest value."""
    steps = [(scale, step) for scale in scales for step in scale.steps]
    return next((each for each in steps if highest <= STEPS_LIMIT * each[0].unit * each[1]), steps[-1])


def draw_empty(root: Element, chart: Chart, top: float) -> float:
    add(root, "text", chart.empty, x=MARGIN, y=top + TEXT_SIZE, class_="minor")
    return top + TEXT_SIZE


def draw_names(root: Element, chart: Chart, top: float) -> float:
    """The names of the lines beside their colours; returns where they end."""
    x = MARGIN
    for look, series in zip(LOOKS, chart.series, strict=False):
        add(root, "line", x1=x, x2=x + 22, y1=top + 4, y2=top + 4, class_=f"line {look}")
        draw_dot(root, look, x + 11, top + 4)
        add(root, "text", series.name, x=x + 28, y=top + 8)
        x += 28 + width_of(series.name, TEXT_SIZE) + 24
    return top + 2 * TEXT_SIZE


def draw_dot(root: Element, look: str, x: float, y: float) -> None:
    """A dot for the first line and a smaller diamond for the second: both are seen where they are equal."""
    if look == LOOKS[0]:
        add(root, "circle", cx=x, cy=y, r=DOT_RADIUS, class_=look)
        return
    corners = ((0, -DIAMOND_RADIUS), (DIAMOND_RADIUS, 0), (0, DIAMOND_RADIUS), (-DIAMOND_RADIUS, 0))
    points = " ".join(f"{write_number(x + across)},{write_number(y + down)}" for across, down in corners)
    add(root, "polygon", points=points, class_=look)


def draw_axis(root: Element, texts: Sequence[str], top: float, left: float, right: float) -> None:
    """Lines of equal values from the axis up, with what they stand for."""
    for line, text in enumerate(texts):
        y = top + PLOT_HEIGHT * (1 - line / (len(texts) - 1))
        add(root, "line", x1=left, x2=right, y1=y, y2=y, class_="grid" if line else "axis")
        shown = shorten_text(text, TEXT_SIZE, AXIS_WIDTH - 8)
        add(root, "text", shown, x=left - 8, y=y + 4, class_="minor end")


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label with where it is held, and how."""

    text: str
    x: float
    anchor: str

    @property
    def span(self) -> tuple[float, float]:
        """From where to where it reaches, as it is estimated."""
        width = width_of(self.text, TEXT_SIZE)
        start = self.x - width * {"": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]
        return start, start + width


def draw_labels(root: Element, texts: Sequence[str], left: float, apart: float, bottom: float) -> None:
    """The labels below the axis: the last one, and each so many before it that none touches the next."""
    for label in choose_labels(texts, left, apart):
        add(root, "text", label.text, x=label.x, y=bottom + 16, class_=f"minor {label.anchor}".strip())


def choose_labels(texts: Sequence[str], left: float, apart: float) -> list[PlacedLabel]:
    last = len(texts) - 1
    width = WIDTH - 2 * MARGIN - AXIS_WIDTH
    placed = [
        PlacedLabel(
            shorten_text(text, TEXT_SIZE, width),
            left + index * apart,
            "middle" if index not in {0, last} or not last else "end" if index else "",
        )
        for index, text in enumerate(texts)
    ]
    for every in range(1, len(placed)):
        shown = placed[last % every :: every]
        if all(one.span[1] + LABEL_GAP <= next_one.span[0] for one, next_one in pairwise(shown)):
            return shown
    return placed[-1:]
