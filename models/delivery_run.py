"""Delivery runs of the shop's own couriers, and their stops."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.shipment import Position


class DeliveryRunStatus(StrEnum):
    """Where a delivery run stands."""

    DRAFT = "DRAFT"
    """Planned for a vehicle; it waits for a courier, and ends when none is found in time."""
    PLANNED = "PLANNED"
    """Its stops are in order and it has a courier, who has not left yet."""
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


class RouteSolver(StrEnum):
    """Who found the order of stops."""

    PYVRP = "PYVRP"
    """PyVRP."""
    BUILT_IN = "BUILT_IN"
    """The shop itself: cheapest insertion, improved."""


class DistanceSource(StrEnum):
    """Where the distances of a plan come from."""

    ROADS = "ROADS"
    """From the road service."""
    STRAIGHT_LINES = "STRAIGHT_LINES"
    """Straight lines, longer by a factor."""


class UnplannedReason(StrEnum):
    """Why a parcel is on no run of a plan."""

    NO_COORDINATES = "NO_COORDINATES"
    """Nobody knows where its door is."""
    NO_VEHICLE = "NO_VEHICLE"
    """No vehicle of the plan starts at its warehouse."""
    NO_SKILL = "NO_SKILL"
    """No vehicle has the skills it needs."""
    TOO_HEAVY = "TOO_HEAVY"
    """It is heavier than any vehicle carries."""
    TOO_LARGE = "TOO_LARGE"
    """It is larger than any vehicle."""
    WINDOW_UNREACHABLE = "WINDOW_UNREACHABLE"
    """No vehicle can be there in its window and back in its shift."""
    NO_CAPACITY_LEFT = "NO_CAPACITY_LEFT"
    """The vehicles are full."""
    NO_TIME_LEFT = "NO_TIME_LEFT"
    """The shifts of the vehicles are full."""
    ALREADY_PLANNED = "ALREADY_PLANNED"
    """It is on another run already."""
    OTHER_CARRIER = "OTHER_CARRIER"
    """It goes by another carrier."""
    NOT_TO_BE_SENT = "NOT_TO_BE_SENT"
    """It has arrived, ended, is held or cancelled, or its customer collects it."""
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE"
    """Something happened to it while the plan was made: plan it again."""


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
        Index("ix_delivery_runs_vehicle_id_id", "vehicle_id", "id"),
        Index(
            "uq_delivery_runs_vehicle_active",
            "vehicle_id",
            unique=True,
            sqlite_where=text("status = 'ACTIVE'"),
            postgresql_where=text("status = 'ACTIVE'"),
        ),
        Index(
            "ix_delivery_runs_draft_until",
            "draft_until",
            sqlite_where=text("status = 'DRAFT'"),
            postgresql_where=text("status = 'DRAFT'"),
        ),
        Index(
            "ix_delivery_runs_replan_due_at",
            "replan_due_at",
            sqlite_where=text("replan_due_at IS NOT NULL"),
            postgresql_where=text("replan_due_at IS NOT NULL"),
        ),
        Index(
            "ix_delivery_runs_stalled_at",
            "stalled_at",
            sqlite_where=text("stalled_at IS NOT NULL"),
            postgresql_where=text("stalled_at IS NOT NULL"),
        ),
        Index(
            "ix_delivery_runs_position_at",
            "position_at",
            sqlite_where=text("position_at IS NOT NULL"),
            postgresql_where=text("position_at IS NOT NULL"),
        ),
        Index(
            "ix_delivery_runs_doubted_at",
            "doubted_at",
            sqlite_where=text("doubted_at IS NOT NULL"),
            postgresql_where=text("doubted_at IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """Who drives; None for a draft that nobody has taken."""
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    vehicle: Mapped[str]
    """What is driven, as it was called."""
    vehicle_id: Mapped[int | None] = mapped_column(ForeignKey("vehicles.id"))
    """The vehicle it was planned for; None where only its name was given."""
    solver: Mapped[RouteSolver | None]
    distance_source: Mapped[DistanceSource | None]
    plan_note: Mapped[str] = mapped_column(default="", server_default="")
    """Why another solver or other distances were used than could have been."""
    departs_at: Mapped[datetime | None]
    """When it should leave, as planned."""
    returns_at: Mapped[datetime | None]
    """When it should be back, as planned."""
    distance_metres: Mapped[int | None]
    draft_until: Mapped[datetime | None]
    """Until when a draft waits for a courier."""
    replan_due_at: Mapped[datetime | None]
    """Since when the stops that are left are to be planned anew; None when they are not."""
    stalled_at: Mapped[datetime | None]
    """When the staff were told that it does not go on; None while it does."""
    status: Mapped[DeliveryRunStatus]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    position_at: Mapped[datetime | None]
    doubted_latitude: Mapped[float | None]
    doubted_longitude: Mapped[float | None]
    doubted_at: Mapped[datetime | None]
    """Of a first position that is far from everywhere the run goes: nobody is shown it."""
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
    def doubted_position(self) -> Position | None:
        if self.doubted_latitude is None or self.doubted_longitude is None or self.doubted_at is None:
            return None
        return Position(self.doubted_latitude, self.doubted_longitude, self.doubted_at)

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
    distance_metres: Mapped[int | None]
    """From the stop before."""
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    window_from: Mapped[datetime | None]
    window_until: Mapped[datetime | None]
    """Between which moments the service should begin."""
    service_seconds: Mapped[int] = mapped_column(default=0, server_default="0")
    """How long it takes at the door; part of the travel time."""
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    skills: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    """What its courier and vehicle need."""
    locked: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it stays where it is when the rest is planned anew."""
    estimated_at: Mapped[datetime]
    outcome: Mapped[StopOutcome | None]
    skipped: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the parcel was not taken along; then its outcome is FAILED, and the note says why."""
    note: Mapped[str]
    proof: Mapped[str]
    completed_at: Mapped[datetime | None]


class DeliveryProof(Base):
    """Pictures that prove that a parcel was handed over: a signature, or where it was left."""

    __tablename__ = "delivery_proofs"
    __table_args__ = (
        Index("uq_delivery_proofs_signature_id", "signature_id", unique=True),
        Index("uq_delivery_proofs_photo_id", "photo_id", unique=True),
    )

    delivery_run_stop_id: Mapped[int] = mapped_column(ForeignKey("delivery_run_stops.id"), primary_key=True)
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("media.id"))
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("media.id"))
