"""When customers can collect orders at a place."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise

from domain.errors import Invalid, LimitReached, collect_refusals

TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
HOURS_LIMIT = 21
"""Spans of opening hours in a week."""


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    """The first day of the week."""
    TUESDAY = "TUESDAY"
    """The second day of the week."""
    WEDNESDAY = "WEDNESDAY"
    """The third day of the week."""
    THURSDAY = "THURSDAY"
    """The fourth day of the week."""
    FRIDAY = "FRIDAY"
    """The fifth day of the week."""
    SATURDAY = "SATURDAY"
    """The sixth day of the week."""
    SUNDAY = "SUNDAY"
    """The last day of the week."""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """A span of one day in which a place is open, in the shop's time zone."""

    weekday: Weekday
    opens: str
    closes: str


def normalize_hours(hours: Sequence[OpeningHours]) -> list[dict[str, str]]:
    """The hours of a week as they are stored, sorted; Invalid for malformed and overlapping ones."""
    if len(hours) > HOURS_LIMIT:
        raise LimitReached(
            "A week has at most {limit} spans of hours.", limit=HOURS_LIMIT, field=("pickup_hours",)
        )
    days = list(Weekday)
    ordered = sorted(hours, key=lambda each: (days.index(each.weekday), each.opens))
    with collect_refusals() as check:
        for index, each in enumerate(hours):
            if not is_span(each):
                template = 'Give times such as "09:00" and "18:00", the earlier first.'
                check.add(Invalid(template, field=("pickup_hours", index)))
        for before, after in pairwise(each for each in ordered if is_span(each)):
            if before.weekday is after.weekday and after.opens < before.closes:
                check.add(Invalid("These hours overlap.", field=("pickup_hours", hours.index(after))))
    return [{name: str(value) for name, value in asdict(each).items()} for each in ordered]


def is_span(hours: OpeningHours) -> bool:
    """Whether both times are well-formed, the earlier first."""
    return bool(TIME.fullmatch(hours.opens) and TIME.fullmatch(hours.closes) and hours.opens < hours.closes)
