"""The table of registered operations."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class RegisteredOperation(Base):
    """A document of a client application that the operator has registered; clients name it by its hash."""

    __tablename__ = "registered_operations"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    """query, mutation or subscription."""
    text: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime]
