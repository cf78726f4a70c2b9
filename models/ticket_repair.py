"""What has become of goods that were sent in for a repair."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class RepairOutcome(StrEnum):
    """How a repair has ended."""

    REPAIRED = "REPAIRED"
    """It works again, and goes back to its customer."""
    UNREPAIRABLE = "UNREPAIRABLE"
    """It cannot be repaired: the customer chooses what to get instead."""


class TicketRepair(Base):
    """How the repair has ended that a ticket is about; none while it has not."""

    __tablename__ = "ticket_repairs"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    outcome: Mapped[RepairOutcome]
    note: Mapped[str]
    """What the customer reads about it."""
    finished_at: Mapped[datetime]
