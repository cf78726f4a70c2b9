from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money


class Vehicle(HasCurrency, Base):
    """What a courier of the shop drives: where it stands, what fits in, when and how fast it drives."""

    __tablename__ = "vehicles"
    __table_args__ = (
        CheckConstraint(
            "capacity_grams IS NOT NULL OR capacity_litres IS NOT NULL OR capacity_parcels IS NOT NULL",
            name="capacity",
        ),
        CheckConstraint("speed_kmh > 0", name="speed"),
        Index("ix_vehicles_warehouse_id", "warehouse_id"),
        Index("uq_vehicles_name", "name", unique=True),
    )

    id: Mapped[Id]
    name: Mapped[str]
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    """Its depot: where its runs begin and end."""
    capacity_grams: Mapped[int | None]
    capacity_litres: Mapped[int | None]
    capacity_parcels: Mapped[int | None]
    """What fits in by weight, by volume and by number; None for what does not limit it."""
    speed_kmh: Mapped[int]
    currency: Mapped[CurrencyCode]
    cost_per_km_amount: Mapped[Minor]
    cost_per_hour_amount: Mapped[Minor]
    shifts: Mapped[list[dict[str, str]]]
    """[{"weekday": "MONDAY", "begins": "08:00", "ends": "18:00"}, ...], in the shop's time zone."""
    skills: Mapped[list[str]]
    version: Mapped[int]
    archived_at: Mapped[datetime | None]

    @property
    def cost_per_km(self) -> Money:
        return self.money(self.cost_per_km_amount)

    @property
    def cost_per_hour(self) -> Money:
        return self.money(self.cost_per_hour_amount)


class CourierProfile(Base):
    """When one of the shop's couriers works, and what they may bring."""

    __tablename__ = "courier_profiles"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    skills: Mapped[list[str]]
    shifts: Mapped[list[dict[str, str]]]
    version: Mapped[int]


class CourierPosition(Base):
    """Where a courier was on a delivery run: thinned, and deleted after a day."""

    __tablename__ = "courier_positions"
    __table_args__ = (
        Index("ix_courier_positions_delivery_run_id_at", "delivery_run_id", "at", unique=True),
        Index("ix_courier_positions_at", "at"),
    )

    id: Mapped[Id]
    delivery_run_id: Mapped[int] = mapped_column(ForeignKey("delivery_runs.id"))
    latitude: Mapped[float]
    longitude: Mapped[float]
    at: Mapped[datetime]
