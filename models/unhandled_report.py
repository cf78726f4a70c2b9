from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.carrier_connection import CarrierConnection


class UnhandledKind(StrEnum):
    """Why the shop could not follow what a carrier reported."""

    UNKNOWN_PARCEL = "UNKNOWN_PARCEL"
    """No parcel has this number."""
    UNKNOWN_CODE = "UNKNOWN_CODE"
    """The code stands in no table: the event is kept, and says nothing of the status."""
    IMPOSSIBLE_TIME = "IMPOSSIBLE_TIME"
    """It is said to have happened before the parcel was packed, or in the future, or at no time that can be
    read."""
    TOO_MANY_EVENTS = "TOO_MANY_EVENTS"
    """The parcel has too many events already: this one is not among them."""
    NOT_FOLDED = "NOT_FOLDED"
    """It could not be stored, whatever was tried: somebody must look."""


class UnhandledReport(Base):
    """Something a carrier reported that the shop could not follow: kept as it came, and counted."""

    __tablename__ = "unhandled_reports"
    __table_args__ = (
        UniqueConstraint("connection", "kind", "tracking_number", "detail_hash"),
        Index("ix_unhandled_reports_last_at", "last_at"),
    )

    id: Mapped[Id]
    connection: Mapped[CarrierConnection]
    kind: Mapped[UnhandledKind]
    tracking_number: Mapped[str]
    """Of the parcel; empty for a code, which is counted over all parcels."""
    detail: Mapped[str]
    detail_hash: Mapped[str] = mapped_column(String(64))
    times: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
