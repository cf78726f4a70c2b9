"""What belongs to the messages of tickets: pictures, mentions, read marks and canned answers."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class TicketMessageMedia(Base):
    """A picture attached to a message."""

    __tablename__ = "ticket_message_media"

    message_id: Mapped[int] = mapped_column(ForeignKey("ticket_messages.id"), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media.id"), primary_key=True, index=True)


class TicketMention(Base):
    """Somebody of the staff whom an internal note asks to look."""

    __tablename__ = "ticket_mentions"

    message_id: Mapped[int] = mapped_column(ForeignKey("ticket_messages.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)


class TicketRead(Base):
    """Up to which message somebody has read a ticket."""

    __tablename__ = "ticket_reads"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("ticket_messages.id"))
    read_at: Mapped[datetime]


class CannedAnswer(Base):
    """A text that agents answer with, in one language, with placeholders for facts of the ticket."""

    __tablename__ = "canned_answers"
    __table_args__ = (UniqueConstraint("code", "language"),)

    id: Mapped[Id]
    code: Mapped[str]
    """What it is known by, the same in all languages."""
    language: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    version: Mapped[int]
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    """When it was archived: nobody is offered it any more."""
