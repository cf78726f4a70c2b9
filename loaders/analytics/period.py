"""The days and products of a report, and its intervals of time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


class ReportInterval(StrEnum):
    """The intervals in which a report shows figures over time."""

    DAY = "DAY"
    """Days."""
    WEEK = "WEEK"
    """Weeks from Monday to Sunday."""
    MONTH = "MONTH"
    """Calendar months."""


@dataclass(frozen=True, slots=True)
class DateRange:
    """Consecutive days, both ends included."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class ReportSelection:
    """The days of a report, in the shop's time zone, and its products: all, unless limited."""

    days: DateRange
    zone: ZoneInfo
    category_path: str | None = None
    category_id: int | None = None
    product_ids: tuple[int, ...] | None = None

    def start_of(self, day: date) -> datetime:
        """The moment a day begins, in UTC."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        return self.start_of(day + DAY)

    def offsets(self) -> list[tuple[datetime, int]]:
        """The offsets from UTC within the days: pairs (until when, seconds), several where clocks change."""
        found: list[tuple[datetime, int]] = []
        first, last = self.start_of(self.days.first), self.end_of(self.days.last)
        hours = int((last - first) / HOUR)
        for hour in (*range(0, hours, 24), hours):
            at = first + hour * HOUR
            seconds = self.offset_at(at)
            if found and found[-1][1] != seconds:
                found[-1] = (self.find_change(found[-1][0], at, found[-1][1]), found[-1][1])
                found.append((at, seconds))
            elif found:
                found[-1] = (at, seconds)
            else:
                found.append((at, seconds))
        return found

    def find_change(self, before: datetime, after: datetime, seconds: int) -> datetime:
        """The moment between two at which the offset stops to be `seconds`, to the second."""
        while after - before > SECOND:
            middle = before + (after - before) // 2
            before, after = (middle, after) if self.offset_at(middle) == seconds else (before, middle)
        return after.replace(microsecond=0)

    def offset_at(self, moment: datetime) -> int:
        return int((moment.astimezone(self.zone).utcoffset() or timedelta()).total_seconds())


def split_days(days: DateRange, interval: ReportInterval) -> list[DateRange]:
    """The intervals that the days consist of; the first and the last may be shorter."""
    intervals = []
    first = days.first
    while first <= days.last:
        following = min(next_interval_start(first, interval), days.last + DAY)
        intervals.append(DateRange(first, following - DAY))
        first = following
    return intervals


def next_interval_start(day: date, interval: ReportInterval) -> date:
    """The first day after the interval that a day belongs to."""
    match interval:
        case ReportInterval.DAY:
            return day + DAY
        case ReportInterval.WEEK:
            return day + timedelta(days=7 - day.weekday())
        case ReportInterval.MONTH:
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
