"""Lines with fewer points."""

from collections.abc import Sequence
from math import hypot

Vertex = tuple[float, float]


def simplify_line(line: Sequence[Vertex], tolerance: float) -> list[Vertex]:
    """The line without points that lie nearer than the tolerance to it (Douglas and Peucker, 1973)."""
    kept = {0, len(line) - 1}
    parts = [(0, len(line) - 1)]
    while parts:
        begin, end = parts.pop()
        farthest, distance = begin, tolerance
        for place in range(begin + 1, end):
            away = distance_to_segment(line[place], line[begin], line[end])
            if away > distance:
                farthest, distance = place, away
        if farthest != begin:
            kept.add(farthest)
            parts += [(begin, farthest), (farthest, end)]
    return [line[place] for place in sorted(kept)]


def distance_to_segment(point: Vertex, begin: Vertex, end: Vertex) -> float:
    x, y = end[0] - begin[0], end[1] - begin[1]
    square = x * x + y * y
    along = ((point[0] - begin[0]) * x + (point[1] - begin[1]) * y) / square if square else 0.0
    along = min(1.0, max(0.0, along))
    return hypot(point[0] - begin[0] - along * x, point[1] - begin[1] - along * y)
