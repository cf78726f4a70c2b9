"""Those who carry parcels: one Protocol, one module per carrier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models import CarrierCode, ShipmentStatus


class CarrierError(Exception):
    """The carrier cannot be reached or answered nonsense: try again."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parcel starts or ends."""

    name: str
    phone: str
    province: str
    city: str
    district: str
    line1: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be carried: `number` is our own, unique for ever; a repeated booking is the same one."""

    number: str
    weight_grams: int
    sender: Place
    receiver: Place


@dataclass(frozen=True, slots=True)
class Waybill:
    tracking_number: str
    estimated_at: datetime | None


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One thing a carrier says about a parcel, in the shop's words."""

    status: ShipmentStatus
    code: str
    description: str
    occurred_at: datetime
    location: str = ""
    latitude: float | None = None
    longitude: float | None = None


class Carrier(Protocol):
    """A carrier. Calls may raise CarrierError."""

    @property
    def code(self) -> CarrierCode:
        """Which carrier this is."""

    async def book(self, parcel: Parcel, *, now: datetime) -> Waybill:
        """Get a waybill for a parcel."""

    async def track(
        self, parcel: Parcel, *, tracking_number: str, dispatched_at: datetime, now: datetime
    ) -> Sequence[CarrierEvent]:
        """Everything that has happened to a parcel so far, oldest first."""
