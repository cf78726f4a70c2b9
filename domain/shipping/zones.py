"""Saving and removing shipping zones, each with its regions and rates."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import HOME_REGION, normalize_country
from domain.errors import Conflict, Invalid, LimitReached, NotFound, Path, Taken, collect_refusals
from domain.shipping.tariff import ANYWHERE, region_key
from geo import find_province
from models import CurrencyCode, ShippingMethod, ShippingRate, ShippingZone
from text.messages import Message

ZONES_LIMIT = 100
REGIONS_LIMIT = 500
NAME_LIMIT = 100
GRAMS_LIMIT = 1_000_000
AMOUNT_LIMIT = 10**9
"""Minor units of a fee."""


@dataclass(frozen=True, slots=True)
class ShippingRegion:
    """A country, or one province of it; without a country, everything that no zone names."""

    country_code: str | None
    province: str | None


@dataclass(frozen=True, slots=True)
class ShippingRateDraft:
    """What sending costs by one method in one currency; amounts are minor units."""

    method: ShippingMethod
    currency: CurrencyCode
    first_grams: int
    first_amount: int
    further_grams: int
    further_amount: int
    free_from_amount: int | None
    limit_grams: int | None


@dataclass(frozen=True, slots=True)
class ShippingZoneDraft:
    """All that is saved of a zone."""

    name: str
    regions: Sequence[ShippingRegion]
    rates: Sequence[ShippingRateDraft]


async def save_zone(
    session: AsyncSession, draft: ShippingZoneDraft, *, zone_id: int | None, version: int | None
) -> ShippingZone:
    """Add a zone, or replace one; Conflict unless `version` is its current one."""
    await lock_zones(session)
    others = [zone for zone in await session.scalars(select(ShippingZone)) if zone.id != zone_id]
    with collect_refusals() as check:
        name = check.value(clean_name, "", draft.name)
        regions = check.value(normalize_regions, list[str](), draft.regions)
        with check:
            check_overlap(name, regions, others)
        with check:
            check_rates(draft.rates)
    if zone_id is None:
        if len(others) >= ZONES_LIMIT:
            raise LimitReached("A tariff has at most {limit} zones.", limit=ZONES_LIMIT)
        last = max((zone.position for zone in others), default=0)
        zone = ShippingZone(name=name, regions=regions, position=last + 1, version=0)
        session.add(zone)
        await session.flush()
    else:
        zone = await zone_at_version(session, zone_id, version)
        await session.execute(delete(ShippingRate).where(ShippingRate.zone_id == zone.id))
    zone.name, zone.regions, zone.version = name, regions, zone.version + 1
    session.add_all(ShippingRate(zone_id=zone.id, **asdict(rate)) for rate in draft.rates)
    await session.flush()
    return zone


async def remove_zone(session: AsyncSession, zone_id: int, *, version: int) -> None:
    """Remove a zone: what no other zone names is not sent to. Placed orders keep their fees."""
    await lock_zones(session)
    zone = await zone_at_version(session, zone_id, version)
    await session.execute(delete(ShippingRate).where(ShippingRate.zone_id == zone.id))
    await session.delete(zone)


async def zone_at_version(session: AsyncSession, zone_id: int, version: int | None) -> ShippingZone:
    """A zone; Conflict unless `version` is its current one."""
    zone = await session.get(ShippingZone, zone_id)
    if zone is None:
        raise NotFound("shipping zone", field=("id",))
    if zone.version != version:
        raise Conflict("Somebody has changed this zone meanwhile; read it again.", field=("version",))
    return zone


async def lock_zones(session: AsyncSession) -> None:
    """Lock all zones: no two members of the staff may name a region in two zones at the same moment."""
    await session.execute(select(ShippingZone.id).order_by(ShippingZone.id).with_for_update())


def clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= NAME_LIMIT:
        raise Invalid("A name has 1 to {limit} characters.", limit=NAME_LIMIT, field=("name",))
    return cleaned


def normalize_regions(regions: Sequence[ShippingRegion]) -> list[str]:
    """The region keys of a zone, each once."""
    if not 1 <= len(regions) <= REGIONS_LIMIT:
        raise LimitReached("A zone has 1 to {limit} regions.", limit=REGIONS_LIMIT, field=("regions",))
    with collect_refusals() as check:
        keys = [
            check.value(normalize_region, "", region, ("regions", index))
            for index, region in enumerate(regions)
        ]
    return list(dict.fromkeys(keys))


def normalize_region(region: ShippingRegion, field: Path) -> str:
    """The key of a region: "*", a country such as "CN" or a province such as "CN/浙江省"."""
    if region.country_code is None:
        if region.province:
            raise Invalid("A province lies in a country.", field=(*field, "country_code"))
        return ANYWHERE
    country = normalize_country(region.country_code, field=(*field, "country_code"))
    province = " ".join((region.province or "").split())
    if not province:
        return country
    if country == HOME_REGION and find_province(province) is None:
        raise Invalid("China has no such province.", field=(*field, "province"))
    return region_key(country, province)


def check_overlap(name: str, regions: Sequence[str], others: Sequence[ShippingZone]) -> None:
    """Refuse a name or a region that another zone has."""
    with collect_refusals() as check:
        for zone in others:
            if zone.name == name:
                check.add(Taken("Another zone has this name.", field=("name",)))
            known = {region.casefold() for region in zone.regions}
            for region in regions:
                if region.casefold() in known:
                    rest = Message("all the rest")
                    where = rest if region == ANYWHERE else region.replace("/", ", ")
                    template = "Zone {name} has {where} already."
                    check.add(Taken(template, name=zone.name, where=where, field=("regions",)))


def check_rates(rates: Sequence[ShippingRateDraft]) -> None:
    with collect_refusals() as check:
        seen = set()
        for index, rate in enumerate(rates):
            field = ("rates", index)
            if (rate.method, rate.currency) in seen:
                check.add(Invalid("One rate for each method and currency.", field=field))
            seen.add((rate.method, rate.currency))
            if not rate.method.has_rates:
                method = rate.method.value
                check.add(Invalid("{method} costs nothing.", method=method, field=(*field, "method")))
            for name in ("first_grams", "further_grams", "limit_grams"):
                grams = getattr(rate, name)
                if grams is not None and not 1 <= grams <= GRAMS_LIMIT:
                    path = (*field, name)
                    check.add(Invalid("A weight is 1 to {limit} grams.", limit=GRAMS_LIMIT, field=path))
            for name in ("first_amount", "further_amount", "free_from_amount"):
                amount = getattr(rate, name)
                if amount is not None and not 0 <= amount <= AMOUNT_LIMIT:
                    check.add(
                        Invalid("This fee is out of bounds.", field=(*field, name.removesuffix("_amount")))
                    )
