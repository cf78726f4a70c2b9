from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id


class TrackingLink(Base):
    """What shows where one parcel is to whoever has its token."""

    __tablename__ = "tracking_links"

    id: Mapped[Id]
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
