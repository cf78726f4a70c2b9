"""Loading calls to payment providers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from loaders.base import Grouped, loader
from models import ProviderCall

CALLS_LIMIT = 200
"""How many calls of one order are shown."""


class ProviderCallsByOrder(Grouped[int, Sequence[ProviderCall]]):
    """The newest calls about each order, in one statement, the newest first."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[ProviderCall]]:
        place = func.row_number().over(partition_by=ProviderCall.order_id, order_by=ProviderCall.id.desc())
        ranked = select(ProviderCall, place.label("place")).where(ProviderCall.order_id.in_(keys)).subquery()
        row = aliased(ProviderCall, ranked)
        found: defaultdict[int, list[ProviderCall]] = defaultdict(list)
        shown = select(row).where(ranked.c.place <= CALLS_LIMIT).order_by(ranked.c.id.desc())
        for each in await session.scalars(shown):
            found[each.order_id].append(each)
        return found

    def default(self) -> Sequence[ProviderCall]:
        return ()


class ProviderCallLoaders:
    order_provider_calls = loader(ProviderCallsByOrder)
