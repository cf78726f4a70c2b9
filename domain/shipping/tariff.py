"""The tariff as an order reads it: loaded once for any number of orders, then only looked up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from atlas import province_called
from domain.contact import HOME_REGION
from domain.errors import DomainError, ErrorCode
from models import CurrencyCode, Money, ShippingMethod, ShippingRate, ShippingZone

ANYWHERE = "*"
"""The region of all that no zone names."""

RateKey = tuple[int, ShippingMethod, CurrencyCode]


class Destination(Protocol):
    """As much of an address as a fee depends on."""

    @property
    def country_code(self) -> str: ...
    @property
    def province(self) -> str: ...


class NotDeliverable(DomainError):
    code = ErrorCode.NOT_DELIVERABLE


@dataclass(frozen=True, slots=True)
class ShippingOption:
    """A way a delivery could travel, and what it would cost."""

    method: ShippingMethod
    fee: Money


@dataclass(frozen=True, slots=True)
class Tariff:
    """What sending costs, by region, method and currency."""

    zones: Mapping[str, ShippingZone]
    """By region: the narrowest that names a destination is its own."""
    rates: Mapping[RateKey, ShippingRate]

    def fee(self, method: ShippingMethod, destination: Destination, weight_grams: int, goods: Money) -> Money:
        """The fee of one delivery, in the currency of its goods, whose price decides whether it is free."""
        options = self.options(destination, weight_grams, goods)
        for option in options:
            if option.method is method:
                return option.fee
        raise refusal(method, destination, options)

    def options(self, destination: Destination, weight_grams: int, goods: Money) -> list[ShippingOption]:
        """Every way such a delivery could travel; none where nothing is sent."""
        zone = self.zone_of(destination)
        if zone is None:
            return []
        rates = (self.rates.get((zone.id, method, goods.currency)) for method in ShippingMethod)
        return [
            ShippingOption(rate.method, fee_of(rate, weight_grams, goods))
            for rate in rates
            if rate and (rate.limit_grams is None or weight_grams <= rate.limit_grams)
        ]

    def zone_of(self, destination: Destination) -> ShippingZone | None:
        country = destination.country_code.upper()
        narrowest_first = (region_of(country, destination.province), country, ANYWHERE)
        found = (self.zones.get(region.casefold()) for region in narrowest_first)
        return next(filter(None, found), None)


async def load_tariff(session: AsyncSession, currencies: Collection[CurrencyCode]) -> Tariff:
    """All zones, and the rates in these currencies: one statement, however many orders will read it.

    Orders placed together load it once with the currencies of all of them; `fee` and `options` ask nobody.
    """
    own = and_(ShippingRate.zone_id == ShippingZone.id, ShippingRate.currency.in_(currencies))
    found = await session.execute(select(ShippingZone, ShippingRate).outerjoin(ShippingRate, own))
    rows: Sequence[tuple[ShippingZone, ShippingRate | None]] = [(zone, rate) for zone, rate in found]
    return Tariff(
        zones={region.casefold(): zone for zone, _ in rows for region in zone.regions},
        rates={(rate.zone_id, rate.method, rate.currency): rate for _, rate in rows if rate is not None},
    )


def fee_of(rate: ShippingRate, weight_grams: int, goods: Money) -> Money:
    """The first weight, and every step begun after it; nothing for goods that are dear enough."""
    if rate.free_from is not None and goods >= rate.free_from:
        return Money.zero(rate.currency)
    steps = max(0, -(-(weight_grams - rate.first_grams) // rate.further_grams))
    return rate.first + rate.further * steps


def region_of(country: str, province: str) -> str:
    """A province as zones name it; ours are found however they are written."""
    name = province.strip()
    if country == HOME_REGION:
        name = province_called(name) or name
    return f"{country}/{name}"


def refusal(
    method: ShippingMethod, destination: Destination, options: list[ShippingOption]
) -> NotDeliverable:
    place = destination.province or destination.country_code.upper()
    if not options:
        return NotDeliverable(f"We cannot send this to {place}.")
    others = " and ".join(option.method.value for option in options)
    return NotDeliverable(f"{method.value} is not offered for this to {place}, but {others}.")
