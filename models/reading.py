"""The table of readings: who of the staff has read whose personal data."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class Reading(Base):
    """One operation by which a member of the staff read what is personal of a customer."""

    __tablename__ = "readings"
    __table_args__ = (
        Index("ix_readings_account_id_id", "account_id", "id"),
        Index("ix_readings_reader_id_id", "reader_id", "id"),
    )

    id: Mapped[Id]
    reader_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    """Whose data was read."""
    operation: Mapped[str]
    """The name that the client gave the operation; empty where it gave none."""
    fields: Mapped[list[str]]
    """The fields of the schema that were read, such as "Account.email"."""
    read_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """From when on it is deleted."""
