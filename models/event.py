"""Tables of events and of the reactions to them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id, JsonObject


class Subject(StrEnum):
    """What kind of row an event happened to."""

    ORDER = "ORDER"
    SHIPMENT = "SHIPMENT"
    TICKET = "TICKET"
    CART = "CART"
    PRODUCT = "PRODUCT"
    DELIVERY_RUN = "DELIVERY_RUN"


class Event(Base):
    """Something that happened, written in the same transaction as the change itself.

    The table is the outbox (rows without `relayed_at` are still to be relayed) and what subscriptions are
    replayed from (by `subject`, `subject_id` and `version`). domain/events has the classes, by `name`.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("subject", "subject_id", "version"),
        Index(
            "ix_events_waiting",
            "id",
            sqlite_where=text("relayed_at IS NULL"),
            postgresql_where=text("relayed_at IS NULL"),
        ),
        Index("ix_events_account_id_id", "account_id", "id"),
    )

    id: Mapped[Id]
    name: Mapped[str]
    subject: Mapped[Subject]
    subject_id: Mapped[int] = mapped_column(BigId)
    version: Mapped[int]
    payload: Mapped[JsonObject]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """The customer it concerns, if any."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    occurred_at: Mapped[datetime]
    relayed_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int]
    failure: Mapped[str | None]


class ArchivedEvent(Base):
    """An event of a row that is final, moved here from `events`: nothing has to be done for it any more.

    Those of one row are its lowest versions, without a gap; what happens to it later is in `events`.
    """

    __tablename__ = "archived_events"
    __table_args__ = (
        UniqueConstraint("subject", "subject_id", "version"),
        Index("ix_archived_events_account_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    """The id that it had in `events`."""
    name: Mapped[str]
    subject: Mapped[Subject]
    subject_id: Mapped[int] = mapped_column(BigId)
    version: Mapped[int]
    payload: Mapped[JsonObject]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    occurred_at: Mapped[datetime]
    relayed_at: Mapped[datetime]


class ReactionDone(Base):
    """A reaction that has had its effect on an event; it is not run again."""

    __tablename__ = "reactions_done"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    reaction: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]
