"""Texts on maps, in the language of the reader and by the clocks of their time zone."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from resolvers.context import Viewer
from text.messages import Message
from text.messages.facts import Fact, format_day_of_year, format_fact, format_units

CLOCK = "%H:%M"
SEPARATOR = " · "
METRES_PER_KM = 1_000


@dataclass(frozen=True, slots=True)
class MapReader:
    """Who reads a map."""

    language: str
    zone: tzinfo

    @classmethod
    def of(cls, viewer: Viewer) -> "MapReader":
        return cls(viewer.language, viewer.zone)

    def text(self, message: Message) -> str:
        return message.text(self.language, self.zone)

    def fact(self, fact: Fact) -> str:
        return format_fact(fact, self.language, self.zone)

    def clock(self, moment: datetime, day_of: datetime | None = None) -> str:
        """The time of day, with the day before it unless it is that of another moment."""
        local = moment.astimezone(self.zone)
        clock = local.strftime(CLOCK)
        if day_of is not None and day_of.astimezone(self.zone).date() == local.date():
            return clock
        return f"{self.fact(local.date())} {clock}"

    def day_of_year(self, day: date) -> str:
        return format_day_of_year(day, self.language)

    def units(self, count: int, unit: str) -> str:
        return format_units(count, unit, self.language)

    def length(self, km: float) -> str:
        if km < 1:
            return self.text(Message("{length} m", length=round(km * METRES_PER_KM)))
        return self.text(Message("{length} km", length=round(km)))


def join_texts(*texts: str) -> str:
    """Those of the texts that say something, as one line."""
    return SEPARATOR.join(text for text in texts if text)
