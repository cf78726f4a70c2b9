from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id

IS_OPEN = text("ended_at IS NULL")


class ShipmentTaskKind(StrEnum):
    """Why somebody of the staff should look after a parcel."""

    LATE = "LATE"
    """It is later than nine of ten parcels of its lane."""
    SILENT = "SILENT"
    """Nothing has been reported of it for longer than is usual on its lane."""
    SIGNED_AFTER_END = "SIGNED_AFTER_END"
    """It has arrived although it had ended: what was refunded or sent again is with the customer, too."""


class ShipmentTask(Base):
    """A parcel that somebody of the staff should look after, until it moves or somebody has."""

    __tablename__ = "shipment_tasks"
    __table_args__ = (
        UniqueConstraint("shipment_id", "kind", "due_at"),
        Index(
            "ix_shipment_tasks_open",
            "shipment_id",
            "kind",
            unique=True,
            sqlite_where=IS_OPEN,
            postgresql_where=IS_OPEN,
        ),
    )

    id: Mapped[Id]
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"))
    kind: Mapped[ShipmentTaskKind]
    due_at: Mapped[datetime]
    """Since when it is late or silent: with the parcel and the kind, what the task is known by."""
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """Who of the staff resolved it; None where it ended by itself."""
    note: Mapped[str | None]
    """What they found."""
