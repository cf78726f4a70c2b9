"""Which tickets the shop gives to whom by itself."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.aftersales import TicketType
from models.base import Base


class TicketAgent(Base):
    """A member of the staff to whom the shop gives tickets by itself, and how many at once."""

    __tablename__ = "ticket_agents"
    __table_args__ = (CheckConstraint("open_limit >= 0", name="open_limit"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    open_limit: Mapped[int]
    """Tickets that wait for the shop which they have at once; they may take more themselves."""
    away_since: Mapped[datetime | None]
    """Since when they are away; None while they are there."""
    version: Mapped[int]
    updated_at: Mapped[datetime]


class TicketSkill(Base):
    """A type of ticket that an agent handles in one language."""

    __tablename__ = "ticket_skills"
    __table_args__ = (Index("ix_ticket_skills_ticket_type", "ticket_type", "language"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("ticket_agents.account_id"), primary_key=True)
    ticket_type: Mapped[TicketType] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)


class TicketRelease(Base):
    """A ticket that somebody gave back, or that was taken from them: the shop gives it to them no more."""

    __tablename__ = "ticket_releases"
    __table_args__ = (Index("ix_ticket_releases_account_id", "account_id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    released_at: Mapped[datetime]
