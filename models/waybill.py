from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, Minor, partial_index
from models.carrier import CARRIER_CODE_LENGTH, CarrierCode
from models.money import CurrencyCode, Money


class WaybillStatus(StrEnum):
    """How the booking of a waybill stands."""

    REQUESTED = "REQUESTED"
    """The carrier was asked for it; as long as it has not answered, it is asked what became of it."""
    BOOKED = "BOOKED"
    """The carrier has given a number."""
    REFUSED = "REFUSED"
    """The carrier has not booked it: it refused, or was not reached."""
    CANCELLING = "CANCELLING"
    """It is not needed any more; the carrier is asked to cancel it."""
    CANCELLED = "CANCELLED"
    """The carrier has cancelled it, or never had it."""
    CANCEL_REFUSED = "CANCEL_REFUSED"
    """The carrier does not cancel it, or does not say whether it has it: somebody has to settle that with the
    carrier."""


class CarrierChoice(StrEnum):
    """Why a carrier was asked."""

    STAFF = "STAFF"
    """Somebody chose it."""
    RULE = "RULE"
    """A rule says so."""
    TURN = "TURN"
    """It is the first of all that take such a parcel."""
    NEXT = "NEXT"
    """The one before it did not take the parcel."""


class LabelFormat(StrEnum):
    """What the label of a carrier is."""

    PDF = "PDF"
    """A document to print."""
    HTML = "HTML"
    """A page to print."""
    PNG = "PNG"
    """A picture to print."""
    PRINT_JOB = "PRINT_JOB"
    """Data that only the carrier's own printing program can read."""


class Waybill(Base):
    """What a carrier was asked to carry, and the number and the label it gave."""

    __tablename__ = "waybills"
    __table_args__ = (
        Index("ix_waybills_shipment_id", "shipment_id"),
        partial_index("waybills", "return_collection_id"),
        Index("ix_waybills_carrier_call_at", "carrier", "call_at"),
        Index("ix_waybills_number", "number"),
        Index(
            "ix_waybills_unsettled",
            "id",
            postgresql_where=text("status = 'CANCEL_REFUSED' AND settled_at IS NULL"),
            sqlite_where=text("status = 'CANCEL_REFUSED' AND settled_at IS NULL"),
        ),
        Index(
            "ix_waybills_one_booked",
            "shipment_id",
            unique=True,
            postgresql_where=text("status = 'BOOKED'"),
            sqlite_where=text("status = 'BOOKED'"),
        ),
    )

    id: Mapped[Id]
    shipment_id: Mapped[int | None] = mapped_column(ForeignKey("shipments.id"))
    """Its parcel; None when that was unpacked again."""
    mother_id: Mapped[int | None] = mapped_column(ForeignKey("waybills.id"), index=True)
    """The waybill on which its parcel goes along with another one; None for that one itself.

    The carrier is only called about the mother; her children have what she has.
    """
    unpacked_id: Mapped[int | None] = mapped_column(BigId, index=True)
    """Its parcel, where that was unpacked again."""
    return_collection_id: Mapped[int | None] = mapped_column(BigId)
    """What it brings back from a customer; None where it is of a parcel that leaves."""
    carrier: Mapped[CarrierCode] = mapped_column(String(CARRIER_CODE_LENGTH))
    reference: Mapped[str] = mapped_column(unique=True)
    """The shop's own name for it: a booking that is repeated with it books nothing more."""
    choice: Mapped[CarrierChoice]
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("carrier_rules.id"), index=True)
    """The rule that chose the carrier; None where none did."""
    rule_version: Mapped[int | None]
    """As it was then."""
    quoted_amount: Mapped[Minor | None]
    """What the carrier had quoted, where it was asked before it was chosen."""
    quoted_currency: Mapped[CurrencyCode | None]
    promised_at: Mapped[datetime | None]
    """When it had promised to arrive."""
    status: Mapped[WaybillStatus]
    number: Mapped[str | None]
    children: Mapped[list[str]]
    """The numbers of further parcels on the same waybill."""
    label_format: Mapped[LabelFormat | None]
    label_kind: Mapped[str | None]
    """Which program prints it, where its format is a print job."""
    label: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    reason: Mapped[str | None]
    """What the carrier said last, or why it said nothing."""
    estimated_at: Mapped[datetime | None]
    requested_at: Mapped[datetime]
    booked_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When it was refused or cancelled."""
    call_at: Mapped[datetime | None]
    """When the carrier is to be called about it; None when it need not be."""
    pickup_from: Mapped[datetime | None]
    """From when on the carrier is to collect it; None where it is not asked to."""
    pickup_until: Mapped[datetime | None]
    calls: Mapped[int]
    """How often the carrier was called about it without an answer."""
    settled_at: Mapped[datetime | None]
    """When somebody of the staff has settled with the carrier what it does not cancel."""
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    settlement: Mapped[str | None]
    """What was settled."""
    asked_at: Mapped[datetime | None]
    """Since when its carrier is being called about it; None while nobody calls."""
    cash_amount: Mapped[Minor | None]
    """What the carrier was asked to collect for all parcels on it: whenever it is asked again, the same.

    None where it was never asked.
    """

    @property
    def quoted_price(self) -> Money | None:
        if self.quoted_amount is None or self.quoted_currency is None:
            return None
        return Money(self.quoted_amount, self.quoted_currency)
