from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.carrier_connection import CarrierConnection


class IncomingPush(Base):
    """What a carrier has pushed about one parcel: stored before it is answered, deleted when it is folded."""

    __tablename__ = "incoming_pushes"

    id: Mapped[Id]
    connection: Mapped[CarrierConnection]
    tracking_number: Mapped[str]
    content: Mapped[str]
    """The verified push as JSON."""
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When it is folded: at once, or after a pause where that has failed."""
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it could not be folded."""
