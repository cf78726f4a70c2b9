from collections.abc import Sequence

import strawberry

from domain.shipping import ANYWHERE, ShippingZoneDraft, remove_zone, save_zone
from domain.shipping import ShippingOption as ShippingOption
from domain.shipping import ShippingRegion as ShippingRegion
from loaders.shipping import load_zones
from models import ShippingZone
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.shipping import ShippingRateInput, ShippingRegionInput


async def shipping_zones(info: Info) -> Sequence[ShippingZone]:
    """All shipping zones with their rates."""
    return await load_zones(info.context.shop.database.reads)


async def shipping_zone_save(
    info: Info,
    name: str,
    regions: list[ShippingRegionInput],
    rates: list[ShippingRateInput],
    id: strawberry.ID | None = None,
    version: int | None = None,
) -> ShippingZone:
    """Adds a shipping zone, or replaces one: regions and rates that are left out are no longer part of it.

    name: what the staff calls it
    regions: what belongs to it; no region may belong to two zones
    rates: what sending there costs; a method that is missing is not offered there
    id: the zone to replace; a new one is added without it
    version: the version that was read; required with `id`
    """
    draft = ShippingZoneDraft(
        name=name,
        regions=[region.draft() for region in regions],
        rates=[rate.draft(index) for index, rate in enumerate(rates)],
    )
    zone_id = None if id is None else row_id(id, "ShippingZone")
    async with info.context.transaction() as session:
        return await save_zone(session, draft, zone_id=zone_id, version=version)


async def shipping_zone_remove(info: Info, id: strawberry.ID, version: int) -> Sequence[ShippingZone]:
    """Removes a shipping zone: nothing is sent any more to what no other zone names. Placed orders keep their
    fees.

    id: the zone
    version: the version that was read
    """
    async with info.context.transaction() as session:
        await remove_zone(session, row_id(id, "ShippingZone"), version=version)
    return await shipping_zones(info)


def regions(root: ShippingZone) -> list[ShippingRegion]:
    """What belongs to it."""
    return [parse_region(key) for key in root.regions]


def parse_region(key: str) -> ShippingRegion:
    country, _, province = key.partition("/")
    return ShippingRegion(None if country == ANYWHERE else country, province or None)


async def find_shipping_zone(info: Info, zone_id: int) -> ShippingZone | None:
    return (
        await info.context.load.shipping_zone.load(zone_id)
        if info.context.viewer.may(Permission.LOGISTICS_VIEW)
        else None
    )
