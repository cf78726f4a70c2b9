"""A scatter plot with logarithmic axes, as SVG."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 900, 560
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 66, 60
LIMIT_STYLE = 'stroke="#c0392b" stroke-dasharray="6 4"'
COLOURS = ("#1b6ca8", "#c0392b", "#e08e0b", "#3c8d4f", "#6b4fa0", "#8a8a8a", "#00897b", "#111111")


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, both powers of ten, between two places on the paper."""

    label: str
    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = math.log10(max(value, self.low) / self.low) / math.log10(self.high / self.low)
        return self.start + min(share, 1.0) * (self.end - self.start)

    def ticks(self) -> Iterator[float]:
        power = round(math.log10(self.low))
        while 10.0**power <= self.high:
            yield 10.0**power
            power += 1


def axis_for(label: str, values: Sequence[float], start: float, end: float) -> Axis:
    """The axis from the power of ten below all values to the one above."""
    positive = [value for value in values if value > 0] or [1.0]
    low = 10.0 ** math.floor(math.log10(min(positive)))
    high = 10.0 ** math.ceil(math.log10(max(positive)))
    return Axis(label, low, max(high, 10 * low), start, end)


def draw_scatter(
    title: str, x_label: str, y_label: str, groups: Mapping[str, Sequence[tuple[float, float]]], limit: float
) -> str:
    """The points of each group in a colour of its own, and a line at `limit` of the vertical axis."""
    points = [point for group in groups.values() for point in group]
    x = axis_for(x_label, [point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = axis_for(y_label, [*(point[1] for point in points), limit], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="16">{escape(title)}</text>',
        *draw_axes(x, y),
        draw_line(LEFT, y.place(limit), WIDTH - RIGHT, y.place(limit), LIMIT_STYLE),
    ]
    for colour, group in zip(COLOURS, groups.values(), strict=False):
        parts += [draw_dot(x.place(across), y.place(up), 2.5, colour) for across, up in group]
    return "\n".join([*parts, *draw_legend(groups), "</svg>"])


def draw_axes(x: Axis, y: Axis) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    for value in x.ticks():
        place = x.place(value)
        yield draw_line(place, TOP, place, bottom)
        yield draw_text(f"{value:g}", place, bottom + 18, "middle")
    for value in y.ticks():
        place = y.place(value)
        yield draw_line(LEFT, place, WIDTH - RIGHT, place)
        yield draw_text(f"{value:g}", LEFT - 8, place + 4, "end")
    yield draw_text(x.label, (LEFT + WIDTH) / 2, HEIGHT - 14, "middle")
    yield draw_text(y.label, 4, HEIGHT - BOTTOM + 18, "start")


def draw_line(x1: float, y1: float, x2: float, y2: float, style: str = 'stroke="#dddddd"') -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def draw_dot(across: float, up: float, radius: float, colour: str) -> str:
    place = f'cx="{across:.1f}" cy="{up:.1f}" r="{radius}"'
    return f'<circle {place} fill="{colour}" fill-opacity="0.6"/>'


def draw_text(text: str, across: float, up: float, anchor: str) -> str:
    place = f'x="{across:.1f}" y="{up:.1f}"'
    return f'<text {place} font-size="12" text-anchor="{anchor}">{escape(text)}</text>'


def draw_legend(groups: Mapping[str, Sequence[tuple[float, float]]]) -> Iterator[str]:
    for number, (colour, name) in enumerate(zip(COLOURS, groups, strict=False)):
        across, down = LEFT + number % 4 * 200, 34 + number // 4 * 16
        yield draw_dot(across, down, 5, colour)
        yield draw_text(f"{name} ({len(groups[name])})", across + 10, down + 4, "start")
