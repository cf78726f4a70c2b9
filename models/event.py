from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Id


class Subject(StrEnum):
    """What kind of thing an event happened to."""

    ORDER = "ORDER"
    SHIPMENT = "SHIPMENT"
    TICKET = "TICKET"
    CART = "CART"
    PRODUCT = "PRODUCT"
    RUN = "RUN"


class Event(Base):
    """Something that happened, written in the same transaction as the change itself.

    It is the outbox (rows without `relayed_at` still have something to cause) and the
    memory that subscriptions are replayed from (`subject`, `subject_id`, `version`).
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
    payload: Mapped[dict[str, Any]]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    """The customer it concerns, if one."""
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    occurred_at: Mapped[datetime]
    relayed_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int]
    failure: Mapped[str | None]


class ReactionDone(Base):
    """A reaction that has had its effect; written with the effect, so it has it once."""

    __tablename__ = "reactions_done"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    reaction: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]
