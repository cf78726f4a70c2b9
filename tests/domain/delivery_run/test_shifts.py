"""Whether a courier works at the time of a run."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.delivery_run.shifts import WEEKDAYS, is_on_shift

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 30, tzinfo=ZONE)
ALL_WEEK = [{"weekday": day.value, "begins": "00:00", "ends": "23:59"} for day in WEEKDAYS]
MONDAY_AND_TUESDAY = [
    {"weekday": "MONDAY", "begins": "08:00", "ends": "12:00"},
    {"weekday": "MONDAY", "begins": "12:00", "ends": "23:30"},
    {"weekday": "TUESDAY", "begins": "00:00", "ends": "06:00"},
]


@pytest.mark.parametrize(
    ("shifts", "begins", "hours", "is_on"),
    [
        (ALL_WEEK, 23, 2, True),
        (ALL_WEEK, 0, 1, True),
        (ALL_WEEK, 23, 24, True),
        (MONDAY_AND_TUESDAY, 8, 4, True),
        (MONDAY_AND_TUESDAY, 11, 12, True),
        (MONDAY_AND_TUESDAY, 22, 3, False),
        (MONDAY_AND_TUESDAY, 7, 2, False),
        (MONDAY_AND_TUESDAY, 24, 6, True),
        (MONDAY_AND_TUESDAY, 24, 7, False),
        ([], 9, 1, False),
    ],
)
def test_shifts_that_follow_each_other_are_one(
    shifts: list[dict[str, str]], begins: int, hours: int, is_on: bool
) -> None:
    moment = MONDAY + timedelta(hours=begins)

    assert is_on_shift(shifts, moment, moment + timedelta(hours=hours), ZONE) is is_on


def test_a_plan_may_begin_and_end_a_little_outside_of_a_shift() -> None:
    begins, ends = MONDAY + timedelta(hours=7.75), MONDAY + timedelta(hours=23.75)

    assert is_on_shift(MONDAY_AND_TUESDAY, begins, ends, ZONE, tolerance=timedelta(minutes=15))
    assert not is_on_shift(MONDAY_AND_TUESDAY, begins, ends, ZONE, tolerance=timedelta(minutes=14))
