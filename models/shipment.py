from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class ShipmentStatus(StrEnum):
    """Where a parcel is; the codes of all carriers are mapped to these."""

    PENDING = "PENDING"
    """Packed; no carrier has it yet."""
    PICKED_UP = "PICKED_UP"
    """The carrier has it."""
    IN_TRANSIT = "IN_TRANSIT"
    """Between two places of the carrier."""
    CUSTOMS = "CUSTOMS"
    """Being cleared through customs."""
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    """With the courier who brings it to the door."""
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    """Waiting in a locker or a shop for the customer."""
    DELIVERED = "DELIVERED"
    """The customer has it; final."""
    DELIVERY_FAILED = "DELIVERY_FAILED"
    """The courier was there and could not hand it over."""
    ON_HOLD = "ON_HOLD"
    """There is a problem; the carrier is dealing with it."""
    RETURNING = "RETURNING"
    """On its way back to the shop."""
    RETURNED = "RETURNED"
    """Back at the shop; final."""
    EXPIRED = "EXPIRED"
    """The carrier has stopped reporting on it."""


class CarrierCode(StrEnum):
    """Who carries a parcel."""

    SIMULATED = "SIMULATED"
    """The built-in carrier, which delivers every parcel by itself."""
    OWN = "OWN"
    """The shop's own couriers."""


@dataclass(frozen=True, slots=True)
class ParcelSize:
    """The outer dimensions of a parcel."""

    length_mm: int
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where something was, and when, in degrees (WGS 84)."""

    latitude: float
    longitude: float
    at: datetime


class Shipment(Base):
    """One parcel, from packing to delivery."""

    __tablename__ = "shipments"
    __table_args__ = (
        UniqueConstraint("carrier", "tracking_number"),
        Index("ix_shipments_order_id", "order_id"),
        Index("ix_shipments_status_id", "status", "id"),
        Index("ix_shipments_poll_at", "poll_at"),
        {"sqlite_autoincrement": True},  # an unpacked parcel's id, and its events, are never used again
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    status: Mapped[ShipmentStatus]
    carrier: Mapped[CarrierCode | None]
    tracking_number: Mapped[str | None]
    weight_grams: Mapped[int]
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    version: Mapped[int]
    packed_at: Mapped[datetime]
    packed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    dispatched_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    estimated_at: Mapped[datetime | None]
    last_event_at: Mapped[datetime | None]
    poll_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """Since when its units are no part of the order any more, without having been kept."""

    @property
    def size(self) -> ParcelSize | None:
        if self.length_mm is None or self.width_mm is None or self.height_mm is None:
            return None
        return ParcelSize(self.length_mm, self.width_mm, self.height_mm)


class ShipmentLine(Base):
    """Units of an order line inside a parcel."""

    __tablename__ = "shipment_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    delivery_line_id: Mapped[int] = mapped_column(ForeignKey("delivery_lines.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]


class TrackingEvent(Base):
    """Something a carrier reported about a parcel; each is stored once, however often it is reported."""

    __tablename__ = "tracking_events"
    __table_args__ = (UniqueConstraint("shipment_id", "occurred_at", "code"),)

    id: Mapped[Id]
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"))
    status: Mapped[ShipmentStatus]
    code: Mapped[str]
    description: Mapped[str]
    location: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]

    @property
    def position(self) -> Position | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Position(self.latitude, self.longitude, self.occurred_at)
