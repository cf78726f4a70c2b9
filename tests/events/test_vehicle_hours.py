"""From when to when a vehicle may be on the road, between its shifts and its other runs."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from events.delivery_run.problem import FARTHEST, Interval, find_hours
from models import Vehicle

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 30, tzinfo=ZONE)
SHIFTS = [
    {"weekday": "MONDAY", "begins": "08:00", "ends": "12:00"},
    {"weekday": "MONDAY", "begins": "13:00", "ends": "18:00"},
]


def at(hours: float) -> datetime:
    return (MONDAY + timedelta(hours=hours)).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "busy", "expected"),
    [
        (7, [], (8, 12)),
        (11, [], (11, 12)),
        (19, [], None),
        (7, [(9, 10)], (10, 12)),  # an hour before it is too short
        (7, [(10.5, 11)], (8, 10.5)),
        (7, [(8, 12)], (13, 18)),
        (7, [(7, 12), (14, 17.5)], (17.5, 18)),
        (7, [(0, 20)], None),
        (7, [(33, 40)], (8, 12)),  # of tomorrow
        (9, [(8, 9.5), (9, 11)], (11, 12)),
    ],
)
def test_a_vehicle_leaves_in_a_shift_and_between_its_runs(
    start: float, busy: list[tuple[float, float]], expected: tuple[float, float] | None
) -> None:
    runs = [(at(leaves), at(returns)) for leaves, returns in busy]

    found = find_hours(Vehicle(shifts=SHIFTS), at(start), runs, ZONE)

    assert found == (expected and (at(expected[0]), at(expected[1])))


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ([], (at(7), at(7) + FARTHEST)),
        ([(at(31), at(33))], (at(7), at(31))),
        ([(at(8), at(9))], (at(9), at(7) + FARTHEST)),
        ([(at(0), at(1_000))], None),
    ],
)
def test_a_vehicle_without_shifts_leaves_at_any_time(busy: list[Interval], expected: Interval | None) -> None:
    assert find_hours(Vehicle(shifts=[]), at(7), busy, ZONE) == expected
