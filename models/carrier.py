from datetime import date, datetime, timedelta
from typing import NewType

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, JsonObject
from models.carrier_connection import CarrierConnection

CarrierCode = NewType("CarrierCode", str)
"""By what shipments name their carrier; it never changes."""

SIMULATED_CARRIER = CarrierCode("SIMULATED")
OWN_COURIERS = CarrierCode("OWN")
"""The two carriers that every shop has from the beginning."""

CARRIER_CODE_LENGTH = 32


class Carrier(Base):
    """Who carries parcels, and with which account and service."""

    __tablename__ = "carriers"

    id: Mapped[Id]
    code: Mapped[CarrierCode] = mapped_column(String(CARRIER_CODE_LENGTH), unique=True)
    name: Mapped[str]
    connection: Mapped[CarrierConnection]
    account: Mapped[str]
    """The shop's customer number there; its secret is a setting."""
    service: Mapped[str]
    company_code: Mapped[str]
    """What the connection calls the carrier, such as "yuantong"; empty where there is only one."""
    tracking_link: Mapped[str]
    """Address of the carrier's page about a parcel, with {number} in it; empty where there is none."""
    poll_seconds: Mapped[int | None]
    """How often it is asked where a parcel is; None for as often as the connection usually is."""
    cut_offs: Mapped[dict[str, int]]
    """Weekday -> minute of the day until which it takes parcels along; a missing day has no collection."""
    takes_cash: Mapped[bool]
    rates: Mapped[list[JsonObject]] = mapped_column(default=list, server_default="[]")
    """What it asks, where its connection does not say it; a `CarrierRate` each."""
    position: Mapped[int]
    """Its turn where several could carry a parcel: the lowest first."""
    version: Mapped[int]
    archived_at: Mapped[datetime | None]

    @property
    def poll_interval(self) -> timedelta | None:
        return None if self.poll_seconds is None else timedelta(seconds=self.poll_seconds)


class CarrierPolls(Base):
    """How many questions about parcels a carrier was asked in a day (UTC), where that is limited."""

    __tablename__ = "carrier_polls"

    carrier: Mapped[CarrierCode] = mapped_column(String(CARRIER_CODE_LENGTH), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    polls: Mapped[int]
