"""Figures that are counted day by day: views, cart additions and sales of products."""

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class ProductDay(Base):
    """How often a product was viewed and added to a cart on one day, in the shop's time zone."""

    __tablename__ = "product_days"
    __table_args__ = (Index("ix_product_days_day", "day"),)

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    views: Mapped[int]
    cart_additions: Mapped[int]


class ProductSales(Base):
    """How many units of a product were sold recently, as last counted."""

    __tablename__ = "product_sales"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    units: Mapped[int] = mapped_column(BigInteger)
    interest: Mapped[int] = mapped_column(default=0, server_default="0")
    """What buyers clicked and bought, on a scale on which each level is twice the one before."""
