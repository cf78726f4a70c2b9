from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class PickupStatus(StrEnum):
    """How far a delivery is that the customer collects."""

    PREPARING = "PREPARING"
    """What is not collected yet is not ready yet."""
    READY = "READY"
    """It waits at the counter, and the customer has the code."""
    COLLECTED = "COLLECTED"
    """All of it was handed over."""
    ENDED = "ENDED"
    """It was not collected: the goods went back to stock, and the money back to the customer."""


class Pickup(Base):
    """The collecting of one delivery at a warehouse or shop, with the code the customer shows there."""

    __tablename__ = "pickups"
    __table_args__ = (
        CheckConstraint("failed_tries >= 0", name="failed_tries"),
        Index("uq_pickups_delivery_id", "delivery_id", unique=True),
        Index("ix_pickups_warehouse_id_status_id", "warehouse_id", "status", "id"),
        Index("ix_pickups_due_at", "due_at"),
    )

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    status: Mapped[PickupStatus]
    nonce: Mapped[str]
    """What the code is derived from, together with a key of the shop; a new one makes a new code."""
    failed_tries: Mapped[int]
    ready_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    """Until when it must be collected; None while nothing waits."""
    collected_at: Mapped[datetime | None]
    """The clerk who handed it over."""
