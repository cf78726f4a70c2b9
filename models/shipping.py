from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money


class ShippingMethod(StrEnum):
    """How a delivery comes to the customer."""

    STANDARD = "STANDARD"
    """At the ordinary speed."""
    EXPRESS = "EXPRESS"
    """As fast as possible."""
    PICKUP = "PICKUP"
    """Collected by the customer at a warehouse or shop."""
    NONE = "NONE"
    """Nothing is sent: for what needs no shipping and is delivered when it is paid."""

    @property
    def has_rates(self) -> bool:
        """Whether it goes to an address, for a fee by weight and zone."""
        return self not in {ShippingMethod.PICKUP, ShippingMethod.NONE}


class ShippingZone(Base):
    """Regions to which sending costs the same.

    A region is a country ("CN"), a province of it ("CN/浙江省"), or everything no other zone names ("*").
    """

    __tablename__ = "shipping_zones"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    regions: Mapped[list[str]]
    version: Mapped[int]


class ShippingRate(HasCurrency, Base):
    """What sending one delivery to a zone costs by one method, in one currency."""

    __tablename__ = "shipping_rates"
    __table_args__ = (
        CheckConstraint("first_grams > 0 AND further_grams > 0", name="grams"),
        CheckConstraint("first_amount >= 0 AND further_amount >= 0", name="amounts"),
        Index("uq_shipping_rates_zone_id_method_currency", "zone_id", "method", "currency", unique=True),
    )

    id: Mapped[Id]
    zone_id: Mapped[int] = mapped_column(ForeignKey("shipping_zones.id"))
    method: Mapped[ShippingMethod]
    currency: Mapped[CurrencyCode]
    first_grams: Mapped[int]
    first_amount: Mapped[Minor]
    further_grams: Mapped[int]
    further_amount: Mapped[Minor]
    free_from_amount: Mapped[Minor | None]
    """Sending is free for goods of this price and more; None where it never is."""
    limit_grams: Mapped[int | None]
    """The heaviest delivery that is sent so; None for any."""

    @property
    def first(self) -> Money:
        return self.money(self.first_amount)

    @property
    def further(self) -> Money:
        return self.money(self.further_amount)

    @property
    def free_from(self) -> Money | None:
        return None if self.free_from_amount is None else self.money(self.free_from_amount)
