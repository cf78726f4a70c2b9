"""The tariff: all shipping zones and rates, loaded once for any number of orders."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import HOME_REGION
from domain.errors import DomainError, ErrorCode
from geo import find_foreign_province, find_province
from models import CurrencyCode, Money, ShippingMethod, ShippingRate, ShippingZone

ANYWHERE = "*"
"""The region key of everything that no zone names."""

RateKey = tuple[int, ShippingMethod, CurrencyCode]


class Destination(Protocol):
    """The part of an address that a fee depends on."""

    @property
    def country_code(self) -> str: ...
    @property
    def province(self) -> str: ...


class NotDeliverable(DomainError):
    code = ErrorCode.NOT_DELIVERABLE


@dataclass(frozen=True, slots=True)
class ShippingOption:
    """A shipping method that is offered for a delivery, and its fee."""

    method: ShippingMethod
    fee: Money


@dataclass(frozen=True, slots=True)
class Tariff:
    """Shipping zones by region, and rates by zone, method and currency."""

    zones: Mapping[str, ShippingZone]
    """By region key in case-folded spelling."""
    rates: Mapping[RateKey, ShippingRate]

    def fee(self, method: ShippingMethod, destination: Destination, weight_grams: int, goods: Money) -> Money:
        """The fee of one delivery in the currency of `goods`, their price, which decides whether it is free.

        Raises NotDeliverable when the method is not offered.
        """
        options = self.options(destination, weight_grams, goods)
        for option in options:
            if option.method is method:
                return option.fee
        raise not_deliverable(method, destination, options)

    def options(self, destination: Destination, weight_grams: int, goods: Money) -> list[ShippingOption]:
        """Every method that is offered for such a delivery; none where nothing is sent."""
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
        """The zone that names the narrowest region around a destination: province, country, anywhere."""
        country = destination.country_code.upper()
        narrowest_first = (region_key(country, destination.province), country, ANYWHERE)
        found = (self.zones.get(region.casefold()) for region in narrowest_first)
        return next(filter(None, found), None)


async def load_tariff(session: AsyncSession, currencies: Collection[CurrencyCode]) -> Tariff:
    """All zones, and the rates in these currencies, in one statement.

    Orders placed together load it once, with the currencies of all of them.
    """
    rate_of_zone = and_(ShippingRate.zone_id == ShippingZone.id, ShippingRate.currency.in_(currencies))
    found = await session.execute(select(ShippingZone, ShippingRate).outerjoin(ShippingRate, rate_of_zone))
    rows: Sequence[tuple[ShippingZone, ShippingRate | None]] = [(zone, rate) for zone, rate in found]
    return Tariff(
        zones={spell_region(region).casefold(): zone for zone, _ in rows for region in zone.regions},
        rates={(rate.zone_id, rate.method, rate.currency): rate for _, rate in rows if rate is not None},
    )


def fee_of(rate: ShippingRate, weight_grams: int, goods: Money) -> Money:
    """The first weight and each further step begun; zero from the price on from which sending is free."""
    if rate.free_from is not None and goods >= rate.free_from:
        return Money.zero(rate.currency)
    steps = max(0, -(-(weight_grams - rate.first_grams) // rate.further_grams))
    return rate.first + rate.further * steps


def region_key(country: str, province: str) -> str:
    """How zones name a province, "CN/浙江省" or "BR/SP"; provinces are found in any usual spelling."""
    name = province.strip()
    known = find_province(name) if country == HOME_REGION else find_foreign_province(country, name)
    name = known or name
    return f"{country}/{name}"


def spell_region(region: str) -> str:
    """A region of a zone, whose province may have been saved in another spelling."""
    country, _, province = region.partition("/")
    return region_key(country, province) if province else region


def not_deliverable(
    method: ShippingMethod, destination: Destination, options: list[ShippingOption]
) -> NotDeliverable:
    place = destination.province or destination.country_code.upper()
    if not options:
        return NotDeliverable("We cannot send this to {place}.", place=place)
    others = [option.method.value for option in options]
    return NotDeliverable(
        "{method} is not offered for this to {place}, but {others}.",
        method=method.value,
        place=place,
        others=others,
    )
