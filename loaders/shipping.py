from collections.abc import Sequence

from sqlalchemy import select

from loaders.base import ByKey, ManyByKey, loader
from models import ShippingRate, ShippingZone
from models.database import Reads


async def load_zones(reads: Reads) -> Sequence[ShippingZone]:
    """All zones, in the order they were added."""
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
