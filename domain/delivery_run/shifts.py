"""Shifts of vehicles and couriers: hours of weekdays in the shop's time zone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from domain.errors import Invalid, LimitReached
from domain.stock import Weekday

SHIFTS_LIMIT = 28
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
WEEKDAYS = tuple(Weekday)
SHIFTS_APART = timedelta(minutes=1)
"""Between two shifts that follow each other: the last minute of a day is the latest that can be given."""


@dataclass(frozen=True, slots=True)
class WorkShift:
    """From when to when somebody works on a weekday, such as "08:00" to "18:00"."""

    weekday: Weekday
    begins: str
    ends: str


def normalize_shifts(shifts: Sequence[WorkShift]) -> list[dict[str, str]]:
    """The shifts as they are stored, in the order of the week; Invalid for any that is upside down."""
    if len(shifts) > SHIFTS_LIMIT:
        raise LimitReached("A week has at most {limit} shifts.", limit=SHIFTS_LIMIT, field=("shifts",))
    for index, shift in enumerate(shifts):
        if not (TIME.fullmatch(shift.begins) and TIME.fullmatch(shift.ends)):
            raise Invalid('Give a time such as "17:30".', field=("shifts", index))
        if shift.ends <= shift.begins:
            raise Invalid("A shift ends after it begins.", field=("shifts", index))
    ordered = sorted(shifts, key=lambda each: (WEEKDAYS.index(each.weekday), each.begins))
    for before, after in pairwise(ordered):
        if before.weekday is after.weekday and after.begins < before.ends:
            raise Invalid("These shifts overlap.", field=("shifts", shifts.index(after)))
    return [{"weekday": each.weekday.value, "begins": each.begins, "ends": each.ends} for each in ordered]


def read_shifts(stored: Iterable[Mapping[str, str]]) -> list[WorkShift]:
    return [WorkShift(Weekday(each["weekday"]), each["begins"], each["ends"]) for each in stored]


def hours_on(
    stored: Iterable[Mapping[str, str]], day: date, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """When the shifts of one day begin and end."""
    weekday = WEEKDAYS[day.weekday()]
    return [
        (moment_of(day, each.begins, zone), moment_of(day, each.ends, zone))
        for each in read_shifts(stored)
        if each.weekday is weekday
    ]


def moment_of(day: date, clock: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)


def shifts_of_day(
    stored: Iterable[Mapping[str, str]], moment: datetime, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """The shifts of the day of a moment that are not over then, in their order."""
    hours = hours_on(stored, moment.astimezone(zone).date(), zone)
    return [(begins, ends) for begins, ends in hours if moment < ends]


def is_on_shift(
    stored: Iterable[Mapping[str, str]],
    begins: datetime,
    ends: datetime,
    zone: ZoneInfo,
    *,
    tolerance: timedelta = timedelta(),
) -> bool:
    """Whether one shift covers the time from one moment to another, but for the tolerance at both ends.

    Shifts that follow each other are one: who works until 23:59 and from 00:00 on works over midnight.
    """
    hours = join_hours(stored, begins.astimezone(zone).date(), zone)
    return any(first - tolerance <= begins and ends <= last + tolerance for first, last in hours)


def join_hours(
    stored: Iterable[Mapping[str, str]], day: date, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """The shifts of a day and of those before and after it, as one where they follow each other."""
    shifts = list(stored)
    joined: list[tuple[datetime, datetime]] = []
    for away in (-1, 0, 1):
        for begins, ends in hours_on(shifts, day + timedelta(days=away), zone):
            if joined and begins - joined[-1][1] <= SHIFTS_APART:
                joined[-1] = (joined[-1][0], ends)
            else:
                joined.append((begins, ends))
    return joined
