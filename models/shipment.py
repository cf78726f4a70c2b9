from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, Minor, partial_index
from models.carrier import CARRIER_CODE_LENGTH, CarrierCode


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


class ShipmentEnding(StrEnum):
    """How the life of a parcel ended that was not kept."""

    WITHDRAWN = "WITHDRAWN"
    """Its units were taken off the order: what was paid is refunded, what was not is not due any more."""
    SENT_AGAIN = "SENT_AGAIN"
    """Its units wait to be packed and sent once more."""
    CLAIMED = "CLAIMED"
    """A ticket has settled that it was not received."""
    CANCELLED = "CANCELLED"
    """Its order was cancelled before it left."""


@dataclass(frozen=True, slots=True)
class ArrivalEstimate:
    """When a parcel arrives, with a range."""

    earliest_at: datetime
    expected_at: datetime
    latest_at: datetime


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
        Index("ix_shipments_dispatched_at", "dispatched_at"),
        Index("ix_shipments_carrier_poll_at", "carrier", "poll_at"),
        Index("ix_shipments_waiting_since", "waiting_since"),
        *(
            partial_index("shipments", column)
            for column in ("count_at", "late_at", "silent_at", "signed_after_end_at")
        ),
        {"sqlite_autoincrement": True},  # an unpacked parcel's id, and its events, are never used again
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    status: Mapped[ShipmentStatus]
    carrier: Mapped[CarrierCode | None] = mapped_column(String(CARRIER_CODE_LENGTH))
    """The code of its carrier."""
    tracking_number: Mapped[str | None]
    weight_grams: Mapped[int]
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    box_type_id: Mapped[int | None] = mapped_column(BigId)
    """The kind of box it is packed in, where somebody has said it."""
    version: Mapped[int]
    packed_at: Mapped[datetime]
    packed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    dispatched_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    estimated_at: Mapped[datetime | None]
    """When it arrives, as its carrier promised when it was booked."""
    eta_earliest_at: Mapped[datetime | None]
    eta_at: Mapped[datetime | None]
    """When it arrives, estimated from finished parcels of its lane at its last event."""
    eta_latest_at: Mapped[datetime | None]
    late_at: Mapped[datetime | None]
    """When it would be later than nine of ten parcels of its lane, as it seemed when it left."""
    silent_at: Mapped[datetime | None]
    """When it would be without an event for longer than is usual on its lane."""
    signed_after_end_at: Mapped[datetime | None]
    """When it was reported to have arrived although it had ended: what was refunded or sent again is with the
    customer, too."""
    count_at: Mapped[datetime | None]
    """Since when it has arrived and is to be counted in the statistics of its lane."""
    last_event_at: Mapped[datetime | None]
    poll_at: Mapped[datetime | None]
    """When its carrier is to be asked next."""
    polled_at: Mapped[datetime | None]
    """When its carrier was last asked: not again before its connection allows it."""
    tracking_link: Mapped[str | None]
    """The carrier's page about it, where somebody has entered one."""
    company_code: Mapped[str | None]
    """What the connection calls the carrier that really has it, where that is another one."""
    subscribed_at: Mapped[datetime | None]
    """When its carrier agreed to report by itself."""
    waiting_since: Mapped[datetime | None]
    """Since when it is back or lost, and waits to be inspected and ended; None when it does not."""
    inspected_at: Mapped[datetime | None]
    """When the warehouse booked what came back in it."""
    ended_at: Mapped[datetime | None]
    """When it ended without having been kept."""
    ending: Mapped[ShipmentEnding | None]
    cash_amount: Mapped[Minor | None]
    """What is to be collected for it, fixed when it leaves; None where nothing is."""
    cash_collected_at: Mapped[datetime | None]
    cash_written_off_at: Mapped[datetime | None]
    """When its cash was given up: then nothing is to be collected for it any more."""

    @property
    def eta(self) -> ArrivalEstimate | None:
        if self.eta_earliest_at is None or self.eta_at is None or self.eta_latest_at is None:
            return None
        return ArrivalEstimate(self.eta_earliest_at, self.eta_at, self.eta_latest_at)

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
    restocked: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that came back and can be sold again."""
    damaged: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that came back damaged."""
    claimed: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that a ticket has settled as not received."""

    @property
    def missing(self) -> int:
        """Units that have not come back."""
        return self.quantity - self.restocked - self.damaged


class ReportedEvent:
    """The columns of what is reported about a parcel, whether it leaves or comes back."""

    id: Mapped[Id]
    status: Mapped[ShipmentStatus | None]
    """None where its carrier gave no code, or one that the shop does not know."""
    code: Mapped[str]
    """The carrier's own code, as it came; may be empty."""
    description: Mapped[str]
    location: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    text_hash: Mapped[str | None] = mapped_column(String(64))
    """Of its text: with the time, what it is known by; None in rows of before, where it is derived."""
    revoked_at: Mapped[datetime | None]
    """When staff found that it was never true."""

    @property
    def position(self) -> Position | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Position(self.latitude, self.longitude, self.occurred_at)


class TrackingEvent(ReportedEvent, Base):
    """Something a carrier reported about a parcel; each is stored once, however often it is reported."""

    __tablename__ = "tracking_events"
    __table_args__ = (
        Index("ix_tracking_events_key", "shipment_id", "occurred_at", "text_hash", unique=True),
    )

    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"))
