"""Charts: what is beside their lines can be read."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import cast
from xml.etree.ElementTree import Element, fromstring

import pytest

from geo.drawing.chart import Chart, ChartLine, Scale, choose_step, draw_bars_chart, draw_lines_chart
from geo.drawing.elements import width_of
from resolvers.analytics.ticket_files import draw_satisfaction, draw_times
from resolvers.analytics.tickets import TicketReport
from resolvers.map_texts import MapReader
from text.messages import Message

LENGTHS = (1, 2, 5, 12, 26)
LANGUAGES = ("zh-CN", "en")
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def draw_weeks(first: date, times: Sequence[tuple[int | None, int | None]], language: str) -> Element:
    weeks = [SimpleNamespace(first=first + timedelta(weeks=index)) for index in range(len(times))]
    report = cast("TicketReport", SimpleNamespace(weeks=weeks))
    title = Message("Time until the first answer, by week")
    return fromstring(draw_times(report, MapReader(language, UTC), title, times))  # noqa: S314 - drawn by us


def draw_ratings(first: date, averages: Sequence[float | None], language: str) -> Element:
    weeks = [
        SimpleNamespace(
            first=first + timedelta(weeks=index),
            figures=SimpleNamespace(satisfaction=SimpleNamespace(average=average)),
        )
        for index, average in enumerate(averages)
    ]
    report = cast("TicketReport", SimpleNamespace(weeks=weeks))
    return fromstring(draw_satisfaction(report, MapReader(language, UTC)))  # noqa: S314 - drawn by us


def name_of(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def boxes_of(drawn: Element) -> list[tuple[str, float, float, float]]:
    """The texts of a drawing with where they begin and end, by their estimated widths, and their line."""
    found = []
    for element in drawn.iter():
        if name_of(element) != "text":
            continue
        classes, text = (element.get("class") or "").split(), element.text or ""
        width = width_of(text, 15.0 if "title" in classes else 11.0)
        part = 1.0 if "end" in classes else 0.5 if "middle" in classes else 0.0
        start = float(element.get("x") or 0) - part * width
        found.append((text, start, start + width, float(element.get("y") or 0)))
    return found


def labels_of(drawn: Element) -> list[str]:
    boxes = boxes_of(drawn)
    lowest = max(y for *_, y in boxes)
    return [text for text, _, _, y in boxes if y == lowest]


def axis_of(drawn: Element) -> list[str]:
    ends = [each for each in drawn.iter() if (each.get("class") or "") == "minor end"]
    return [each.text or "" for each in ends if each.get("x") == ends[0].get("x")]


def assert_readable(drawn: Element) -> None:
    boxes, (_, _, width, height) = boxes_of(drawn), map(float, (drawn.get("viewBox") or "").split())
    for text, start, end, y in boxes:
        assert start >= 0, text
        assert end <= width, text
        assert 11 <= y <= height, text
    for one in boxes:
        for other in boxes:
            if one[3] == other[3] and one[1] < other[1]:
                assert one[2] < other[1], (one, other)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("first", [date(2026, 1, 5), date(2026, 11, 30)], ids=str)
@pytest.mark.parametrize("count", sorted({*LENGTHS, *range(1, 54)}))
def test_labels_do_not_touch_each_other_and_stay_in_the_picture(
    count: int, first: date, language: str
) -> None:
    drawn = draw_weeks(first, [(HOUR, 2 * HOUR)] * count, language)

    assert_readable(drawn)
    assert_readable(draw_ratings(first, [4.5] * count, language))
    last = first + timedelta(weeks=count - 1)
    assert labels_of(drawn)[-1].startswith(
        (f"{last.year}年{last.month}月{last.day}日", f"{last.month}月{last.day}日")
        if language == "zh-CN"
        else (last.isoformat(), f"{last:%b} {last.day}")
    )


@pytest.mark.parametrize(
    ("language", "one_year", "two_years"),
    [
        ("zh-CN", ["11月2日", "11月9日", "11月16日"], ["2026年12月21日", "2026年12月28日", "2027年1月4日"]),
        ("en", ["Nov 2", "Nov 9", "Nov 16"], ["2026-12-21", "2026-12-28", "2027-01-04"]),
    ],
)
def test_the_year_is_written_only_where_days_of_several_are_shown(
    language: str, one_year: list[str], two_years: list[str]
) -> None:
    times = [(HOUR, HOUR)] * 3

    assert labels_of(draw_weeks(date(2026, 11, 2), times, language)) == one_year
    assert labels_of(draw_weeks(date(2026, 12, 21), times, language)) == two_years


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (0, ["0分钟", "1分钟"], ["0 minutes", "1 minute"]),
        (20 * MINUTE, [f"{each}分钟" for each in (0, 5, 10, 15, 20)], None),
        (25 * HOUR, [f"{each}小时" for each in (0, 6, 12, 18, 24, 30)], None),
        (31 * HOUR, ["0天", "1天", "2天"], ["0 days", "1 day", "2 days"]),
        (24 * DAY, [f"{each}天" for each in (0, 5, 10, 15, 20, 25)], None),
        (400 * DAY, [f"{each}天" for each in (0, 100, 200, 300, 400)], None),
    ],
)
def test_lines_of_times_stand_at_round_numbers(
    seconds: int, chinese: list[str], english: list[str] | None
) -> None:
    times = [(seconds, seconds)] * 2

    assert axis_of(draw_weeks(date(2026, 11, 2), times, "zh-CN")) == chinese
    if english:
        assert axis_of(draw_weeks(date(2026, 11, 2), times, "en")) == english


@pytest.mark.parametrize("averages", [[4.25, 3.5], [1.0], [5.0], [None, 2.5]])
def test_lines_of_ratings_stand_at_whole_numbers_up_to_the_best(averages: Sequence[float | None]) -> None:
    assert axis_of(draw_ratings(date(2026, 11, 2), averages, "en")) == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("seconds", [0, HOUR])
def test_a_single_week_stands_in_the_middle(seconds: int) -> None:
    drawn = draw_weeks(date(2026, 11, 2), [(seconds, seconds)], "zh-CN")
    [dot] = [each for each in drawn.iter() if name_of(each) == "circle"][1:]
    axis = next(each for each in drawn.iter() if each.get("class") == "axis")
    middle = (float(axis.get("x1") or 0) + float(axis.get("x2") or 0)) / 2
    [label] = [each for each in drawn.iter() if each.text == "11月2日"]

    assert float(dot.get("cx") or 0) == float(label.get("x") or 0) == middle
    assert "middle" in (label.get("class") or "")
    assert_readable(drawn)


def draw_bars(labels: Sequence[str], counts: Sequence[int]) -> Element:
    chart = Chart("Refunds", "en", labels, [ChartLine("", counts)], lambda count: f"{count:,.0f}", "Nothing.")
    return fromstring(draw_bars_chart(chart))  # noqa: S314 - drawn by us


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        (["damaged"], [0]),
        (["到货破损", "与描述不符"], [3, 0]),
        (["Heavyweight Cotton T-Shirt, 300 g", "65 W GaN Charger with Three Ports"], [12_345_678, 1]),
        (["Ｗ" * 80, "i" * 300, "8" * 90], [1, 12_345_678, 5]),
    ],
)
def test_bars_begin_beside_the_longest_label_and_their_values_stay_in_the_picture(
    labels: Sequence[str], counts: Sequence[int]
) -> None:
    drawn = draw_bars(labels, counts)
    bars = [each for each in drawn.iter() if name_of(each) == "rect" and each.get("class") == "first"]
    boxes = boxes_of(drawn)
    names = boxes[1::2]

    assert_readable(drawn)
    begins = max(end for *_, end, _ in names) + 8
    assert [float(each.get("x") or 0) for each in bars] == [pytest.approx(begins, abs=0.2)] * len(bars)
    assert min(start for _, start, *_ in names) == pytest.approx(16, abs=0.2)
    assert [float(each.get("width") or 0) > 0 for each in bars] == [count > 0 for count in counts]
    assert [text for text, *_ in boxes[2::2]] == [f"{count:,}" for count in counts]


def test_a_name_of_a_product_is_shown_as_a_whole_where_it_fits() -> None:
    names = ["Heavyweight Cotton T-Shirt, 300 g", "德化白瓷盖碗 薄胎 一碗四杯礼盒装"]

    assert [text for text, *_ in boxes_of(draw_bars(names, [2, 1]))][1::2] == names


@pytest.mark.parametrize("highest", [0, 0.4, 1, 4.9, 5, 6, 25, 26, 99, 101, 12_345])
def test_no_axis_has_more_lines_than_the_limit_and_all_reach_the_highest_value(highest: float) -> None:
    scale, step = choose_step(highest, [Scale(str)])

    assert highest <= 5 * step * scale.unit
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert step == 1 or highest > step


def test_both_marks_are_seen_where_both_values_are_equal() -> None:
    drawn = draw_weeks(date(2026, 11, 2), [(HOUR, HOUR), (HOUR, 2 * HOUR)], "en")
    dots = [each for each in drawn.iter() if name_of(each) == "circle"]
    diamonds = [each for each in drawn.iter() if name_of(each) == "polygon"]
    corners = [tuple(map(float, each.split(","))) for each in (diamonds[1].get("points") or "").split()]
    x, y, radius = (float(dots[1].get(name) or 0) for name in ("cx", "cy", "r"))

    assert len(dots) == len(diamonds) == 1 + 2, "one of each stands beside the name of its line"
    assert sum(across for across, _ in corners) / 4 == pytest.approx(x, abs=0.1)
    assert sum(down for _, down in corners) / 4 == pytest.approx(y, abs=0.1)
    assert max(across for across, _ in corners) - x <= radius - 0.9
    assert [each.get("class") for each in (dots[1], diamonds[1])] == ["first", "second"]


def test_a_label_that_is_too_long_is_shortened() -> None:
    def draw(write: Callable[[float], str]) -> Element:
        chart = Chart("A", "en", ["x" * 500, "y" * 500], [ChartLine("b", [1.0, 2.0])], write, "")
        return fromstring(draw_lines_chart(chart))  # noqa: S314 - drawn by us

    drawn = draw(str)

    assert_readable(drawn)
    [label] = labels_of(drawn)
    assert label.endswith("…")
    assert all(one < other for one, other in pairwise(axis_of(drawn)))
