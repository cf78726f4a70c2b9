"""The table of calls to carriers: a record, not a state."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id
from models.carrier import CARRIER_CODE_LENGTH, CarrierCode


class CarrierCallKind(StrEnum):
    """What a carrier was asked."""

    QUOTE = "QUOTE"
    """It was asked what carrying would cost."""
    BOOK = "BOOK"
    """It was asked for a waybill."""
    FIND_BOOKING = "FIND_BOOKING"
    """It was asked what became of a booking."""
    CANCEL = "CANCEL"
    """It was asked to cancel a waybill."""
    SUBSCRIBE = "SUBSCRIBE"
    """It was asked to report by itself."""
    TRACK = "TRACK"
    """It was asked where a parcel is."""


class CarrierCallOutcome(StrEnum):
    """How a call to a carrier ended."""

    ANSWERED = "ANSWERED"
    """It answered."""
    REFUSED = "REFUSED"
    """It refused."""
    NOT_REACHED = "NOT_REACHED"
    """It was not reached, or certainly did nothing."""
    NO_ANSWER = "NO_ANSWER"
    """It did not answer, or nothing that can be read: what it has done is not known."""


class CarrierCall(Base):
    """A call to a carrier about a waybill or a parcel, or several alike in a row.

    Written once and changed only by those that follow and are alike: they are counted, and the answer is
    that of the last.
    """

    __tablename__ = "carrier_calls"
    __table_args__ = (
        CheckConstraint("(waybill_id IS NULL) <> (shipment_id IS NULL)", name="about"),
        CheckConstraint("times > 0", name="times"),
        Index("ix_carrier_calls_waybill_id_kind", "waybill_id", "kind"),
        Index("ix_carrier_calls_shipment_id_kind", "shipment_id", "kind"),
        Index("ix_carrier_calls_last_called_at", "last_called_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    waybill_id: Mapped[int | None] = mapped_column(ForeignKey("waybills.id"))
    """Null where it was about a parcel."""
    shipment_id: Mapped[int | None] = mapped_column(BigId)
    """Null where it was about a waybill; it may have been unpacked since."""
    carrier: Mapped[CarrierCode] = mapped_column(String(CARRIER_CODE_LENGTH))
    kind: Mapped[CarrierCallKind]
    outcome: Mapped[CarrierCallOutcome]
    status_code: Mapped[int | None]
    """Of HTTP; null without an answer, and where the connection does not say it."""
    answer: Mapped[str | None]
    """What was answered, in the words of the shop; null without an answer."""
    reason: Mapped[str | None]
    """What the carrier gave as the reason, or why there is no answer."""
    body: Mapped[str | None]
    """The carrier's own answer, of which only codes and states are kept; null where it was none."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """Who started it; null where it fell due."""
    called_at: Mapped[datetime]
    """When the first one ended."""
    last_called_at: Mapped[datetime]
    """When the last one ended that was alike."""
    times: Mapped[int]
    milliseconds: Mapped[int]
    """How long the longest of them took."""
