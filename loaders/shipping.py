from collections.abc import Sequence

from sqlalchemy import select

from loaders.base import ByKey, ManyByKey, loader
from loaders.prepared import Reads
from models import ShippingRate, ShippingZone


async def every_zone(reads: Reads) -> Sequence[ShippingZone]:
    """In the order clerks made them."""
    async with reads() as session:
        return (await session.scalars(select(ShippingZone).order_by(ShippingZone.position))).all()


class ZoneById(ByKey[int, ShippingZone]):
    key = ShippingZone.id


class RatesByZone(ManyByKey[int, ShippingRate]):
    key = ShippingRate.zone_id
    order_by = (ShippingRate.method, ShippingRate.currency)


class ShippingLoaders:
    shipping_zone = loader(ZoneById)
    zone_rates = loader(RatesByZone)
