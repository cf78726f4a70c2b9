"""Parcels in which customers send goods back, and what carriers report about them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, partial_index
from models.carrier import CARRIER_CODE_LENGTH, CarrierCode
from models.shipment import ReportedEvent, ShipmentStatus


class ReturnTask(StrEnum):
    """Why somebody of the staff should look after goods that come back."""

    UNSEEN = "UNSEEN"
    """Their carrier has not had the parcel yet, long after its number was given."""
    LOST = "LOST"
    """Their carrier has brought the parcel back to the customer, or reports no more of it."""
    UNINSPECTED = "UNINSPECTED"
    """The warehouse has had the parcel for long, and nobody has inspected it."""
    CONTESTED = "CONTESTED"
    """Another customer has given the same number: say whose it is."""


class ReturnParcel(Base):
    """A parcel that comes back under a number of one of the shop's carriers, followed like any other.

    A customer may send the goods of several tickets in one. A number that two customers give has a row for
    each of them, and is followed for neither until the staff say whose it is.
    """

    __tablename__ = "return_parcels"
    __table_args__ = (
        UniqueConstraint("account_id", "carrier", "tracking_number"),
        Index("ix_return_parcels_carrier_tracking_number", "carrier", "tracking_number"),
        Index("ix_return_parcels_carrier_poll_at", "carrier", "poll_at"),
        partial_index("return_parcels", "attend_at"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    """Where it goes."""
    carrier: Mapped[CarrierCode] = mapped_column(String(CARRIER_CODE_LENGTH))
    tracking_number: Mapped[str]
    status: Mapped[ShipmentStatus]
    sent_after: Mapped[datetime]
    """Nothing that was reported long before can be about it: when its first ticket was opened."""
    given_at: Mapped[datetime]
    """When its number was given, or given again after it had ended."""
    estimated_at: Mapped[datetime | None]
    """When it arrives, as its carrier promised when it was booked; None where nobody has."""
    taken_at: Mapped[datetime | None]
    """When its carrier first had it."""
    delivered_at: Mapped[datetime | None]
    """When the warehouse had it."""
    last_event_at: Mapped[datetime | None]
    contested_at: Mapped[datetime | None]
    """Since when another customer has given the same number, and the staff have not said whose it is."""
    attend_at: Mapped[datetime | None]
    """When the staff are to look after it, unless it moves: it was not seen, not inspected, or is lost."""
    poll_at: Mapped[datetime | None]
    """When its carrier is to be asked next; None where it is not."""
    polled_at: Mapped[datetime | None]
    subscribed_at: Mapped[datetime | None]
    company_code: Mapped[str | None]
    """What the connection calls the carrier that really has it, where that is another one."""
    ended_at: Mapped[datetime | None]
    """Since when no ticket waits for it any more; None while one does."""


class ReturnEvent(ReportedEvent, Base):
    """Something a carrier reported about a parcel that comes back; stored once, like any other."""

    __tablename__ = "return_events"
    __table_args__ = (
        Index("ix_return_events_key", "return_parcel_id", "occurred_at", "text_hash", unique=True),
    )

    return_parcel_id: Mapped[int] = mapped_column(ForeignKey("return_parcels.id"))
