"""The table of rules that choose carriers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Minor
from models.money import CurrencyCode, Money


class CarrierPreference(StrEnum):
    """Which carrier of a rule comes first."""

    ORDER = "ORDER"
    """The first one in the list."""
    SHARE = "SHARE"
    """The one that is furthest behind its share of the parcels."""
    CHEAPEST = "CHEAPEST"
    """The one that asks least."""
    FASTEST = "FASTEST"
    """The one that promises the earliest arrival."""


class CarrierRule(Base):
    """Which carriers are asked for which parcels; the rule with the lowest position that fits decides."""

    __tablename__ = "carrier_rules"
    __table_args__ = (Index("ix_carrier_rules_position", "position"),)

    id: Mapped[Id]
    name: Mapped[str]
    position: Mapped[int]
    regions: Mapped[list[str]]
    """Keys such as "CN/浙江省"; empty for parcels to anywhere."""
    grams_from: Mapped[int | None]
    grams_below: Mapped[int | None]
    currency: Mapped[CurrencyCode | None]
    """Of all amounts here; None where there is none."""
    goods_from_amount: Mapped[Minor | None]
    goods_below_amount: Mapped[Minor | None]
    is_cash: Mapped[bool | None]
    """Whether cash is to be collected; None for parcels with and without."""
    price_limit_amount: Mapped[Minor | None]
    """What carrying may cost at most, as its carriers quote it."""
    promised_within_hours: Mapped[int | None]
    """By when parcels have to arrive, as its carriers promise it."""
    preference: Mapped[CarrierPreference]
    carriers: Mapped[list[str]]
    """The codes of its carriers."""
    shares: Mapped[dict[str, int]]
    """Code of a carrier -> its share of the parcels, in percent; empty where shares do not decide."""
    chosen: Mapped[dict[str, int]]
    """Code of a carrier -> how many parcels it was chosen for since the shares were last changed.

    The rest up to 100 percent, which is left to the next rule, is counted under "".
    """
    version: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    archived_at: Mapped[datetime | None]

    def money(self, minor: int | None) -> Money | None:
        return None if minor is None or self.currency is None else Money(minor, self.currency)

    @property
    def goods_from(self) -> Money | None:
        return self.money(self.goods_from_amount)

    @property
    def goods_below(self) -> Money | None:
        return self.money(self.goods_below_amount)

    @property
    def price_limit(self) -> Money | None:
        return self.money(self.price_limit_amount)

    @property
    def needs_quotes(self) -> bool:
        """Whether its carriers are asked for prices and times before one is chosen."""
        by_quote = self.preference in {CarrierPreference.CHEAPEST, CarrierPreference.FASTEST}
        return by_quote or self.price_limit_amount is not None or self.promised_within_hours is not None
