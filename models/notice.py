"""The table of notices: messages that the shop sends to people by e-mail, SMS and push."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class NoticeChannel(StrEnum):
    """How a notice reaches a person."""

    EMAIL = "EMAIL"
    """By e-mail."""
    SMS = "SMS"
    """By text message to a phone number."""
    PUSH = "PUSH"
    """To an app that has registered its device token."""


class NoticeKind(StrEnum):
    """What a notice is about; the messages of each kind are in `events/notices/messages/`."""

    REGISTRATION = "REGISTRATION"
    """Somebody registers: the one-time code, or that there is an account already."""
    CONTACT_CHANGE = "CONTACT_CHANGE"
    """The one-time code for a new e-mail address or phone number."""
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - no password
    """The one-time code for a new password; nothing is sent where there is no account."""
    CONTACT_CHANGED = "CONTACT_CHANGED"
    """To the former address or number: the account has another one."""
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - no password
    """The password was changed."""
    SECOND_FACTOR_CHANGED = "SECOND_FACTOR_CHANGED"
    """The second factor was set up, removed, or its recovery codes renewed."""
    ERASURE_REQUESTED = "ERASURE_REQUESTED"
    """The account is being erased."""
    ORDER_SECRET = "ORDER_SECRET"  # noqa: S105 - no password
    """The secret that opens a guest's order; nothing is sent where the guest has no such order."""
    ORDER_CONFIRMED = "ORDER_CONFIRMED"
    """An order is confirmed."""
    ORDER_CANCELLED = "ORDER_CANCELLED"
    """An order is cancelled."""
    ORDER_COMPLETED = "ORDER_COMPLETED"
    """The receipt of an order is confirmed."""
    SHIPMENT_DISPATCHED = "SHIPMENT_DISPATCHED"
    """A parcel is on its way."""
    SHIPMENT_DELIVERED = "SHIPMENT_DELIVERED"
    """A parcel was delivered."""
    PICKUP_READY = "PICKUP_READY"
    """A delivery can be collected: the code to show."""
    PICKUP_ENDED = "PICKUP_ENDED"
    """A delivery is not to be collected any more: nobody came in time, or it was cancelled."""
    REFUND_SUCCEEDED = "REFUND_SUCCEEDED"
    """Money was refunded."""
    TICKET_OPENED = "TICKET_OPENED"
    """A ticket was received."""
    TICKET_AGREED = "TICKET_AGREED"
    """The shop agrees to a ticket."""
    TICKET_REFUSED = "TICKET_REFUSED"
    """The shop refuses a ticket, or what came back."""
    TICKET_ANSWERED = "TICKET_ANSWERED"
    """The staff wrote a message."""
    TICKET_MENTIONED = "TICKET_MENTIONED"
    """To somebody of the staff: a note about a ticket asks them to look."""
    TICKET_MERGED = "TICKET_MERGED"
    """A ticket goes on as another one, of which it was a duplicate."""
    TICKET_CHOICE = "TICKET_CHOICE"
    """A replacement cannot be sent: the customer chooses what to get instead."""
    TICKET_REPAIRED = "TICKET_REPAIRED"
    """What was sent in was repaired and goes back."""
    TICKET_UNREPAIRED = "TICKET_UNREPAIRED"
    """What was sent in cannot be repaired: the customer chooses what to get instead."""
    TICKET_DIFFERENCE = "TICKET_DIFFERENCE"
    """A replacement costs more: it is sent when the customer has paid that."""
    TICKET_UNPAID = "TICKET_UNPAID"
    """That was not paid in time: the customer chooses what to get instead."""
    RETURN_ARRIVED = "RETURN_ARRIVED"
    """The warehouse has what the customer has sent back."""
    RETURN_UNSEEN = "RETURN_UNSEEN"
    """A carrier has not had what the customer sends back, long after they gave its number."""
    TICKET_COMPLETED = "TICKET_COMPLETED"
    """What was agreed is done."""
    TICKET_RATING = "TICKET_RATING"
    """A ticket has ended: the shop asks how it went."""
    CERTIFICATE_EXPIRES = "CERTIFICATE_EXPIRES"
    """To somebody of the staff: the certificate of a course expires soon."""
    CERTIFICATE_RENEWAL = "CERTIFICATE_RENEWAL"
    """To somebody of the staff: what they learned has changed, and they are to pass the quiz again."""
    CERTIFICATE_ENDED = "CERTIFICATE_ENDED"
    """To somebody of the staff: the certificate of a course does not count any more."""


class NoticeStatus(StrEnum):
    """Where a notice stands."""

    PENDING = "PENDING"
    """To be sent, or to be tried again."""
    SENT = "SENT"
    """The mail server or the webhook has taken it; final."""
    FAILED = "FAILED"
    """Refused, or not taken after all attempts; final."""
    DISCARDED = "DISCARDED"
    """Not to be sent any more: nobody is there to read it, or its code has expired; final."""


class Notice(Base):
    """One message to one person by one channel; `key` makes it one, however often its cause is seen."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_due_at", "due_at"), Index("ix_notices_recipient", "recipient"))

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[NoticeKind]
    channel: Mapped[NoticeChannel]
    status: Mapped[NoticeStatus]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    recipient: Mapped[str]
    """An e-mail address, a phone number in E.164 or a device token; empty once it was erased."""
    language: Mapped[str | None]
    facts: Mapped[dict[str, str]]
    """What the placeholders of the message stand for."""
    verification_id: Mapped[int | None] = mapped_column(ForeignKey("verifications.id"), index=True)
    """The verification whose one-time code it brings."""
    attempts: Mapped[int]
    due_at: Mapped[datetime | None]
    """When it is sent or tried again; None when nothing is to be done any more."""
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
