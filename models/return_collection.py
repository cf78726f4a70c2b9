"""Goods that a carrier is to collect from a customer who sends them back."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.account import AddressColumns
from models.base import Base, Id


class ReturnCollection(AddressColumns, Base):
    """What a customer wants collected, where from and where to; its waybill says how the booking stands."""

    __tablename__ = "return_collections"

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    """Where it goes."""
    weight_grams: Mapped[int]
    requested_at: Mapped[datetime]

    @property
    def address(self) -> AddressColumns:
        return self
