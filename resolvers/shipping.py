from collections.abc import Sequence

import strawberry

from domain.shipping import ANYWHERE, Region, ZoneTerms, remove_zone, save_zone
from loaders.shipping import every_zone
from models import ShippingZone
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.shipping import ShippingRateInput, ShippingRegionInput


async def shipping_zones(info: Info) -> Sequence[ShippingZone]:
    """What sending costs, zone by zone."""
    return await every_zone(info.context.shop.database.reads)


async def shipping_zone_save(
    info: Info,
    name: str,
    regions: list[ShippingRegionInput],
    rates: list[ShippingRateInput],
    id: strawberry.ID | None = None,
    version: int | None = None,
) -> ShippingZone:
    """Make a zone, or write one anew: regions and rates that are left out are no longer part of it.

    name: what clerks call it
    regions: what belongs to it; no region may belong to two zones
    rates: what sending there costs; a method that is missing is not offered there
    id: the one to write anew; a new one without it
    version: the version that was read; required with `id`
    """
    terms = ZoneTerms(
        name=name,
        regions=[region.region() for region in regions],
        rates=[rate.terms(index) for index, rate in enumerate(rates)],
    )
    zone_id = None if id is None else row_id(id, "ShippingZone")
    async with info.context.transaction() as session:
        return await save_zone(session, terms, zone_id=zone_id, version=version)


async def shipping_zone_remove(info: Info, id: strawberry.ID, version: int) -> Sequence[ShippingZone]:
    """Take a zone away: what no other zone names is sent to no more. Orders keep what they were charged.

    id: the zone
    version: the version that was read
    """
    async with info.context.transaction() as session:
        await remove_zone(session, row_id(id, "ShippingZone"), version=version)
    return await shipping_zones(info)


def regions(root: ShippingZone) -> list[Region]:
    """What belongs to it."""
    return [region_of(region) for region in root.regions]


def region_of(region: str) -> Region:
    country, _, province = region.partition("/")
    return Region(None if country == ANYWHERE else country, province or None)


async def find_zone(info: Info, zone_id: int) -> ShippingZone | None:
    return await info.context.load.shipping_zone.load(zone_id) if info.context.viewer.is_staff else None
