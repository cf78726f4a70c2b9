"""Packing: box types, waves of what is picked together, parcels that are still open, and unpacked ones."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id
from models.carrier import CARRIER_CODE_LENGTH, CarrierCode


class BoxType(Base):
    """A kind of box that parcels are packed into."""

    __tablename__ = "box_types"
    __table_args__ = (
        CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0", name="size"),
        CheckConstraint("0 <= own_weight_grams AND own_weight_grams < max_weight_grams", name="weight"),
    )

    id: Mapped[Id]
    name: Mapped[str]
    warehouse_id: Mapped[int | None] = mapped_column(ForeignKey("warehouses.id"), index=True)
    """Where it is used; None for every warehouse."""
    length_mm: Mapped[int]
    width_mm: Mapped[int]
    height_mm: Mapped[int]
    """The inner dimensions."""
    max_weight_grams: Mapped[int]
    """What it may weigh with all that is in it."""
    own_weight_grams: Mapped[int]
    version: Mapped[int]
    archived_at: Mapped[datetime | None]


class WaveStatus(StrEnum):
    """How a wave stands."""

    OPEN = "OPEN"
    """Its units are picked and packed."""
    COMPLETED = "COMPLETED"
    """Everything of it is packed, or has dropped out."""
    CANCELLED = "CANCELLED"
    """It was given up: what was not packed can go into another wave."""


class WavePartStatus(StrEnum):
    """How what a wave has of one delivery stands."""

    PICKING = "PICKING"
    """It is picked and packed."""
    PACKED = "PACKED"
    """All of it is packed."""
    DROPPED = "DROPPED"
    """It is not packed in this wave any more: its order has changed."""
    FREED = "FREED"
    """The wave was cancelled before it was packed."""


class WaveDropReason(StrEnum):
    """Why something has dropped out of a wave, or out of an open parcel."""

    ORDER_CANCELLED = "ORDER_CANCELLED"
    """The order was cancelled."""
    ORDER_CHANGED = "ORDER_CHANGED"
    """The order was edited, or units of it were taken off."""
    ORDER_HELD = "ORDER_HELD"
    """The order is held."""


class Wave(Base):
    """Deliveries of which one warehouse picks the units together."""

    __tablename__ = "waves"
    __table_args__ = (Index("ix_waves_warehouse_id_id", "warehouse_id", "id"),)

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    status: Mapped[WaveStatus]
    carrier: Mapped[CarrierCode | None] = mapped_column(String(CARRIER_CODE_LENGTH))
    """By whom its parcels are to go, where that was decided."""
    due_at: Mapped[datetime | None]
    """When its carrier takes parcels along."""
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    ended_at: Mapped[datetime | None]


class WavePart(Base):
    """What a wave has of one delivery: all that was there of it and not packed."""

    __tablename__ = "wave_parts"
    __table_args__ = (
        Index("ix_wave_parts_wave_id", "wave_id"),
        Index("ix_wave_parts_order_id", "order_id"),
        Index(
            "ix_wave_parts_one_wave",
            "delivery_id",
            "warehouse_id",
            unique=True,
            postgresql_where=text("status = 'PICKING'"),
            sqlite_where=text("status = 'PICKING'"),
        ),
    )

    id: Mapped[Id]
    wave_id: Mapped[int] = mapped_column(ForeignKey("waves.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    status: Mapped[WavePartStatus]
    reason: Mapped[WaveDropReason | None]
    ended_at: Mapped[datetime | None]


class WaveUnits(Base):
    """Units of one delivery line that a wave picks."""

    __tablename__ = "wave_units"
    __table_args__ = (
        Index("ix_wave_units_delivery_line_id", "delivery_line_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    part_id: Mapped[int] = mapped_column(ForeignKey("wave_parts.id"), primary_key=True)
    delivery_line_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    """No foreign key: an edit of the order may delete the line, and its part drops out."""
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    """What is picked."""
    quantity: Mapped[int]


class OpenParcelStatus(StrEnum):
    """How an open parcel stands."""

    OPEN = "OPEN"
    """Units are scanned into it."""
    PACKED = "PACKED"
    """It was closed, and is a shipment."""
    CANCELLED = "CANCELLED"
    """It was given up: what was in it waits to be packed."""


class OpenParcel(Base):
    """A parcel into which units of a delivery are scanned, until it is packed."""

    __tablename__ = "open_parcels"
    __table_args__ = (
        Index("ix_open_parcels_delivery_id", "delivery_id"),
        Index("ix_open_parcels_order_id", "order_id"),
        Index("ix_open_parcels_touched_at", "status", "touched_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    status: Mapped[OpenParcelStatus]
    reason: Mapped[WaveDropReason | None]
    """Why the shop has given it up; None where somebody did, or nobody went on with it."""
    shipment_id: Mapped[int | None] = mapped_column(BigId)
    """What it became; no foreign key, since that may be unpacked again."""
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    touched_at: Mapped[datetime]
    """When it was opened, or something was scanned last."""
    ended_at: Mapped[datetime | None]


class OpenParcelLine(Base):
    """Units of one delivery line that were scanned into an open parcel."""

    __tablename__ = "open_parcel_lines"
    __table_args__ = (
        Index("ix_open_parcel_lines_delivery_line_id", "delivery_line_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    open_parcel_id: Mapped[int] = mapped_column(ForeignKey("open_parcels.id"), primary_key=True)
    delivery_line_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    """No foreign key: an edit of the order may delete the line, and ends the open parcel."""
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    quantity: Mapped[int]


class UnpackedParcel(Base):
    """A parcel that was unpacked before it left: its number is never used again."""

    __tablename__ = "unpacked_parcels"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """The id it had as a shipment."""
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    unpacked_at: Mapped[datetime]
    unpacked_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
