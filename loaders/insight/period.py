"""What a report is about: which days, which products; and how days are put together."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


class ReportInterval(StrEnum):
    """How the days of a report are put together."""

    DAY = "DAY"
    """Each day by itself."""
    WEEK = "WEEK"
    """From Monday to Sunday."""
    MONTH = "MONTH"
    """By months of the calendar."""


@dataclass(frozen=True, slots=True)
class Days:
    """Some days in a row, both ends included."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Selection:
    """The days of a report, in the shop's time zone, and the products it is about: all unless told."""

    days: Days
    zone: ZoneInfo
    category_path: str | None = None
    category_id: int | None = None
    product_ids: tuple[int, ...] | None = None

    def begin(self, day: date) -> datetime:
        """The moment a day begins."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def end(self, day: date) -> datetime:
        return self.begin(day + DAY)

    def offsets(self) -> list[tuple[datetime, int]]:
        """How many seconds the shop's clocks are ahead of UTC, each until a moment; mostly one."""
        found: list[tuple[datetime, int]] = []
        first, last = self.begin(self.days.first), self.end(self.days.last)
        hours = int((last - first) / HOUR)
        for hour in (*range(0, hours, 24), hours):
            at = first + hour * HOUR
            seconds = self.offset(at)
            if found and found[-1][1] != seconds:
                found[-1] = (self.changed(found[-1][0], at, found[-1][1]), found[-1][1])
                found.append((at, seconds))
            elif found:
                found[-1] = (at, seconds)
            else:
                found.append((at, seconds))
        return found

    def changed(self, before: datetime, after: datetime, seconds: int) -> datetime:
        """The moment between two at which the clocks were changed, to the second."""
        while after - before > SECOND:
            middle = before + (after - before) // 2
            before, after = (middle, after) if self.offset(middle) == seconds else (before, middle)
        return after.replace(microsecond=0)

    def offset(self, moment: datetime) -> int:
        return int((moment.astimezone(self.zone).utcoffset() or timedelta()).total_seconds())


def parts(days: Days, interval: ReportInterval) -> list[Days]:
    """The days cut where days, weeks or months end; the first and the last part may be short."""
    found = []
    first = days.first
    while first <= days.last:
        following = min(after(first, interval), days.last + DAY)
        found.append(Days(first, following - DAY))
        first = following
    return found


def after(day: date, interval: ReportInterval) -> date:
    """The first day that does not belong to the same part."""
    match interval:
        case ReportInterval.DAY:
            return day + DAY
        case ReportInterval.WEEK:
            return day + timedelta(days=7 - day.weekday())
        case ReportInterval.MONTH:
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
