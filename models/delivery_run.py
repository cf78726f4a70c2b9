"""Delivery runs of the shop's own couriers, and their stops."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.shipment import Position


class DeliveryRunStatus(StrEnum):
    """Where a delivery run stands."""

    PLANNED = "PLANNED"
    """Its stops are in order; the courier has not left yet."""
    ACTIVE = "ACTIVE"
    """The courier is on the road."""
    COMPLETED = "COMPLETED"
    """Every stop is completed."""
    CANCELLED = "CANCELLED"
    """Cancelled before it began; its parcels wait for another run."""


class StopOutcome(StrEnum):
    """How a stop of a delivery run ended."""

    DELIVERED = "DELIVERED"
    """The parcel was handed over."""
    FAILED = "FAILED"
    """Nobody took the parcel; the courier brings it back."""


class DeliveryRun(Base):
    """A courier's round: parcels of one warehouse, in the order of their stops."""

    __tablename__ = "delivery_runs"
    __table_args__ = (
        Index("ix_delivery_runs_courier_id_id", "courier_id", "id"),
        Index("ix_delivery_runs_status_id", "status", "id"),
        Index(
            "uq_delivery_runs_active",
            "courier_id",
            unique=True,
            sqlite_where=text("status = 'ACTIVE'"),
            postgresql_where=text("status = 'ACTIVE'"),
        ),
        Index(
            "ix_delivery_runs_cash_held_since",
            "cash_held_since",
            sqlite_where=text("cash_held_since IS NOT NULL"),
            postgresql_where=text("cash_held_since IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    courier_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    vehicle: Mapped[str]
    status: Mapped[DeliveryRunStatus]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    position_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    """When the position was last recorded as an event."""
    version: Mapped[int]
    planned_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cash_held_since: Mapped[datetime | None]
    """When cash was collected first of what the courier has not handed in; None without any."""
    cash_overdue_at: Mapped[datetime | None]
    """When the staff were reminded of that cash; None while it is in time."""

    @property
    def position(self) -> Position | None:
        if self.latitude is None or self.longitude is None or self.position_at is None:
            return None
        return Position(self.latitude, self.longitude, self.position_at)


class DeliveryRunStop(Base):
    """One parcel's place in a delivery run; a parcel waits on one run at a time."""

    __tablename__ = "delivery_run_stops"
    __table_args__ = (
        UniqueConstraint("delivery_run_id", "position"),
        CheckConstraint("(outcome IS NULL) = (completed_at IS NULL)", name="completed"),
        Index(
            "uq_delivery_run_stops_waiting",
            "shipment_id",
            unique=True,
            sqlite_where=text("outcome IS NULL"),
            postgresql_where=text("outcome IS NULL"),
        ),
    )

    id: Mapped[Id]
    delivery_run_id: Mapped[int] = mapped_column(ForeignKey("delivery_runs.id"))
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), index=True)
    position: Mapped[int]
    travel_seconds: Mapped[int]
    """From the end of the stop before to the end of this one."""
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    estimated_at: Mapped[datetime]
    outcome: Mapped[StopOutcome | None]
    skipped: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the parcel was not taken along; then its outcome is FAILED, and the note says why."""
    note: Mapped[str]
    proof: Mapped[str]
    completed_at: Mapped[datetime | None]
