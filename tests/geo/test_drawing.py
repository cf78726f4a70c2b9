"""Maps show each place once and legibly, wherever it is, and are never more than a picture."""

import math
import random
from dataclasses import replace
from itertools import combinations
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from geo import Point, distance_km
from geo.drawing import Look, MapDrawing, MapRow, Mark, TimeSpan, Trace, Track, draw_map
from geo.drawing.elements import shorten_text, width_of
from geo.drawing.map_drawing import WIDTH
from geo.drawing.marks import NUMBERED_AT_MOST, write_numbers
from geo.drawing.projection import fit_points
from geo.outlines import OutlineKind, load_outlines
from geo.outlines.file import OUTLINES_FILE
from geo.outlines.simplify import simplify_line
from tests.geo.svg import (
    NAMESPACE,
    badges_of,
    has_outlines,
    marks_of,
    parse_map,
    size_of,
    tag_of,
    texts_of,
)

DEPOT = Point(31.0, 121.0)
BLANK = MapDrawing(title="Round", language="en", write_km=lambda km: f"{km:g} km")


def draw(*marks: Mark, **further: Any) -> Element:
    return parse_map(draw_map(replace(BLANK, marks=marks, **further)))


def plain(*points: Point) -> list[Mark]:
    return [Mark(point, Look.PLAIN, number) for number, point in enumerate(points, start=1)]


def test_a_map_is_a_title_a_description_a_picture_a_legend_and_a_list() -> None:
    stop = Point(31.1, 121.0)
    root = draw(
        Mark(DEPOT, Look.DEPOT, name="Depot"),
        Mark(stop, Look.FAILED, 1),
        tracks=[Track([DEPOT, stop], Trace.GONE), Track([stop, DEPOT], Trace.AHEAD)],
        facts=["1 of 1"],
        legend=[(Look.DEPOT, "Warehouse"), (Look.FAILED, "Failed")],
        rows=[MapRow(1, Look.FAILED, "10:00", "9:00–11:00", TimeSpan(0.0, 0.5, 1.0))],
        notes=["No more."],
    )

    assert (root.get("role"), root.get("lang"), root.get("viewBox")) == ("img", "en", "0 0 400 524")
    assert [tag_of(each) for each in root] == [
        *("title", "desc", "style", "rect.paper", "text.title", "text.minor", "svg"),
        *(
            "polygon.mark depot",
            "text.minor",
            "rect.mark failed",
            "text.number",
            "text.minor",
            "g",
            "text.minor",
        ),
    ]
    assert root.findtext(f"{NAMESPACE}desc") == "1 of 1; 1 10:00, 9:00–11:00; No more."
    frame, row = root.find(f"{NAMESPACE}svg"), root.find(f"{NAMESPACE}g")
    assert frame is not None
    assert row is not None
    assert [tag_of(each) for each in frame] == [
        *("rect.land", "path.grid", "polyline.gone", "polyline.ahead", "path.scale", "text.name"),
        *("rect.mark failed", "text.number", "polygon.mark depot", "text.name"),
    ]
    assert [tag_of(each) for each in row] == [
        *(
            "rect.mark failed",
            "text.number",
            "text",
            "text.minor",
            "line.axis",
            "rect.span",
            "line.tick late",
        ),
    ]
    assert texts_of(root) == [
        *("Round", "1 of 1", "2 km", "1", "Depot", "Warehouse", "1", "Failed"),
        *("1", "10:00", "9:00–11:00", "No more."),
    ]


def test_no_text_is_ever_markup() -> None:
    hostile = "</text><script>alert(1)</script>\"'&\x00\x1b[31m\u202e\ud800"
    root = draw(
        Mark(DEPOT, Look.DEPOT, name=hostile),
        title=hostile,
        language='"><script>',
        facts=[hostile],
        legend=[(Look.DEPOT, hostile)],
        rows=[MapRow(0, Look.PLAIN, hostile, hostile)],
        notes=[hostile],
    )

    shown = "</text><script>alert(1)</script>\"'&[31m"
    assert set(texts_of(root)) == {shown, "0.2 km"}
    assert root.get("lang") == '"><script>'


def test_places_at_one_point_share_a_number() -> None:
    here, there = Point(31.2, 121.4), Point(31.3, 121.5)
    marks = plain(here, here, here, there, here)
    marks[4] = replace(marks[4], look=Look.FAILED)

    assert marks_of(draw(*marks)) == [("1–3, 5", "failed"), ("4", "plain")]
    assert [write_numbers(each) for each in ([7], [1, 3, 5], [1, 3, 5, 7], [2, 3, 4, 9])] == [
        *("7", "1, 3, 5", "1 +3", "2–4, 9"),
    ]


@pytest.mark.parametrize("count", [1, 2, 60, 300])
def test_numbers_never_cover_each_other_and_every_place_is_drawn(count: int) -> None:
    chance = random.Random(count)
    points = [Point(31 + chance.gauss(0, 0.05), 121 + chance.gauss(0, 0.05)) for _ in range(count)]

    root = draw(Mark(DEPOT, Look.DEPOT, name="Depot"), *plain(*points))

    badges = badges_of(root)
    assert 1 <= len(badges) <= NUMBERED_AT_MOST + 1
    for one, other in combinations(badges, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    width, height = size_of(root)
    assert all(x >= 0 and right <= width and y >= 0 and bottom <= height for x, y, right, bottom in badges)
    frame = root.find(f"{NAMESPACE}svg")
    assert frame is not None
    dots = sum(tag_of(each).startswith("circle.mark") for each in frame)
    moved = sum(tag_of(each) == "line.leader" for each in frame)
    assert len(badges) + dots - moved == count


@pytest.mark.parametrize(
    "points",
    [
        [Point(0.0, 179.9), Point(0.0, -179.9)],
        [Point(90.0, 0.0), Point(89.9, 120.0), Point(89.8, -120.0)],
        [Point(-90.0, 10.0)],
        [Point(90.0, 0.0), Point(-90.0, 180.0)],
        [Point(20.0, -170.0), Point(20.0, 10.0), Point(20.0, 170.0), Point(-20.0, -100.0)],
        [Point(31.0, 121.0)] * 5,
    ],
    ids=["across 180", "north pole", "south pole", "both poles", "around the world", "one place"],
)
def test_places_anywhere_in_the_world_lie_within_their_map(points: list[Point]) -> None:
    projection = fit_points(points, 376.0, 26.0)

    for x, y in map(projection.place, points):
        assert math.isfinite(x)
        assert math.isfinite(y)
        assert -0.1 <= x <= projection.width + 0.1
        assert -0.1 <= y <= projection.height + 0.1
    draw(*plain(*points), tracks=[Track(points, Trace.GONE)])


def test_a_map_across_180_degrees_is_as_narrow_as_its_places_lie_apart() -> None:
    projection = fit_points([Point(0.0, 179.9), Point(0.0, -179.9)], 376.0, 26.0)

    assert projection.width_km == pytest.approx(22.2 * 376 / 324, rel=0.01)


@pytest.mark.parametrize("latitude", [0.0, 31.0, 55.0])
def test_a_map_is_true_to_scale_in_both_directions(latitude: float) -> None:
    middle, north, east = Point(latitude, 121.0), Point(latitude + 0.02, 121.0), Point(latitude, 121.02)
    projection = fit_points([middle, north, east], 376.0, 26.0)
    (x, y), (_, up), (right, _) = map(projection.place, (middle, north, east))

    assert (y - up) / projection.units_per_km == pytest.approx(distance_km(middle, north), rel=0.001)
    assert (right - x) / projection.units_per_km == pytest.approx(distance_km(middle, east), rel=0.001)


def test_a_town_has_a_grid_and_a_country_its_coasts_and_provinces() -> None:
    town = draw(*plain(Point(31.2, 121.4), Point(31.3, 121.5)))
    country = draw(*plain(Point(31.2, 121.4), Point(22.6, 114.0)))
    ocean = draw(*plain(Point(20.0, -160.0), Point(35.0, -140.0)))

    assert not has_outlines(town)
    assert {tag_of(each) for each in country.iter()} >= {"path.coast", "path.province", "path.grid"}
    assert "path.province" not in {tag_of(each) for each in ocean.iter()}


def test_the_outlines_are_few_and_those_of_the_whole_world() -> None:
    outlines = load_outlines()

    assert OUTLINES_FILE.stat().st_size < 150_000
    coasts = [each for each in outlines if each.kind is OutlineKind.COAST]
    assert min(each.west for each in coasts) < -179
    assert max(each.east for each in coasts) > 179
    borders = [each for each in outlines if each.kind is OutlineKind.PROVINCE]
    assert all(each.west > 73 and each.east < 136 and each.south > 17 and each.north < 54 for each in borders)


def test_a_simplified_line_keeps_its_ends_and_its_corners() -> None:
    assert simplify_line([(0, 0), (1, 0.01), (2, 0), (2, 2)], 0.1) == [(0, 0), (2, 0), (2, 2)]
    assert simplify_line([(0, 0), (1, 5), (0, 0)], 0.1) == [(0, 0), (1, 5), (0, 0)]
    assert simplify_line([(1, 1)], 0.1) == [(1, 1)]


def test_a_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    for text in ("中文地名" * 30, "Llanfairpwllgwyngyll " * 10):
        short = shorten_text(text, 12.0, 100.0)
        assert short.endswith("…")
        assert width_of(short, 12.0) <= 100.0
    root = draw(*plain(DEPOT), title="x" * 500, facts=["y" * 500], rows=[MapRow(1, Look.PLAIN, "z" * 500)])
    assert all(width_of(text, 11.0) <= WIDTH for text in texts_of(root))


def test_a_drawing_without_places_has_no_map() -> None:
    root = draw(rows=[MapRow(0, Look.PLAIN, "10:00", "Packed.")])

    assert root.find(f"{NAMESPACE}svg") is None
    assert texts_of(root) == ["Round", "10:00", "Packed."]
