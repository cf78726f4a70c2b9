"""Carriers: one Protocol, one module per carrier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models import CarrierCode, ShipmentStatus


class CarrierError(Exception):
    """The carrier cannot be reached, or its answer cannot be read: try again."""


@dataclass(frozen=True, slots=True)
class CarrierAddress:
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
    """What is to be carried. `number` is our own and unique: a repeated booking returns the same waybill."""

    number: str
    weight_grams: int
    sender: CarrierAddress
    receiver: CarrierAddress


@dataclass(frozen=True, slots=True)
class Waybill:
    """What a carrier returns for a booked parcel."""

    tracking_number: str
    estimated_at: datetime | None


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One thing a carrier reports about a parcel, with its status mapped to the shop's."""

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
        """Book a parcel and return its waybill."""

    async def track(
        self, parcel: Parcel, *, tracking_number: str, dispatched_at: datetime, now: datetime
    ) -> Sequence[CarrierEvent]:
        """Everything that has happened to a parcel so far, oldest first."""
