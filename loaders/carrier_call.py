"""Loading calls to carriers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import Grouped, loader
from models import CarrierCall

CALLS_LIMIT = 200
"""How many calls about the parcels of one order are shown."""


class CarrierCallsByOrder(Grouped[int, Sequence[CarrierCall]]):
    """The newest calls about the parcels of each order, in one statement, the newest first."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[CarrierCall]]:
        place = func.row_number().over(partition_by=CarrierCall.order_id, order_by=CarrierCall.id.desc())
        ranked = select(CarrierCall, place.label("place")).where(CarrierCall.order_id.in_(keys)).subquery()
        row = aliased(CarrierCall, ranked)
        found: defaultdict[int, list[CarrierCall]] = defaultdict(list)
        shown = select(row).where(ranked.c.place <= CALLS_LIMIT).order_by(ranked.c.id.desc())
        for each in await session.scalars(shown):
            found[each.order_id].append(each)
        return found

    def default(self) -> Sequence[CarrierCall]:
        return ()


class CarrierCallLoaders:
    order_carrier_calls = loader(CarrierCallsByOrder)
