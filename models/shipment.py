from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class ShipmentStatus(StrEnum):
    """Where a parcel is, in the words all carriers' codes are mapped to."""

    PENDING = "PENDING"
    PICKED_UP = "PICKED_UP"
    IN_TRANSIT = "IN_TRANSIT"
    CUSTOMS = "CUSTOMS"
    OUT_FOR_DELIVERY = "OUT_FOR_DELIVERY"
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    DELIVERED = "DELIVERED"
    DELIVERY_FAILED = "DELIVERY_FAILED"
    ON_HOLD = "ON_HOLD"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    EXPIRED = "EXPIRED"


class CarrierCode(StrEnum):
    """Who carries a parcel."""

    SIMULATED = "SIMULATED"
    OWN = "OWN"


class Shipment(Base):
    """One parcel, from the packing table to the door."""

    __tablename__ = "shipments"
    __table_args__ = (
        UniqueConstraint("carrier", "tracking_number"),
        Index("ix_shipments_order_id", "order_id"),
        Index("ix_shipments_poll_at", "poll_at"),
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


class ShipmentLine(Base):
    """Units of an order line inside a parcel."""

    __tablename__ = "shipment_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    delivery_line_id: Mapped[int] = mapped_column(ForeignKey("delivery_lines.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]


class TrackingEvent(Base):
    """Something a carrier said about a parcel; each is kept once, however often it is said."""

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
