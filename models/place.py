"""Where something is on the map, and from whom that is known."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column


class CoordinateSource(StrEnum):
    """From whom the coordinates of a place are known."""

    CLIENT = "CLIENT"
    """They were given with the address, such as by a pin on a map."""
    GEOCODER = "GEOCODER"
    """A geocoder found the street, or the house itself."""
    DISTRICT = "DISTRICT"
    """They are the centre of its district, or of its city where it has no district."""


class PlaceColumns:
    """The columns of a place with coordinates (WGS 84, in degrees), for every table that has some."""

    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    coordinate_source: Mapped[CoordinateSource | None]
    """None where there are no coordinates, or from before their source was kept."""
    geocode_at: Mapped[datetime | None]
    """When a geocoder is to be asked; None where it is not, or not any more."""
    geocode_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it was asked and did not answer."""


@dataclass(frozen=True, slots=True)
class DeliveryWindow:
    """A span of time in which something is to come."""

    begins: datetime
    ends: datetime


class WindowColumns:
    """The columns of a wished window, of which both are None or neither."""

    window_from: Mapped[datetime | None]
    """When it may come at the earliest; None where any time will do."""
    window_until: Mapped[datetime | None]

    @property
    def window(self) -> DeliveryWindow | None:
        if self.window_from is None or self.window_until is None:
            return None
        return DeliveryWindow(self.window_from, self.window_until)


def geocoding_index(table: str) -> Index:
    """The few rows of a table about which a geocoder is to be asked."""
    return Index(
        f"ix_{table}_geocode_at",
        "geocode_at",
        sqlite_where=text("geocode_at IS NOT NULL"),
        postgresql_where=text("geocode_at IS NOT NULL"),
    )
