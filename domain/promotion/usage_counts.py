"""Counts of uses, and of units at a flash sale's price, added up and as a table for a statement."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeVar

from sqlalchemy import CTE, BigInteger, Integer, column, values

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class UsageCount:
    """Uses by orders, and units at the price of a flash sale."""

    uses: int = 0
    units: int = 0

    def __add__(self, other: "UsageCount") -> "UsageCount":
        return UsageCount(self.uses + other.uses, self.units + other.units)

    def __sub__(self, other: "UsageCount") -> "UsageCount":
        return UsageCount(self.uses - other.uses, self.units - other.units)


def sum_by_key(pairs: Iterable[tuple[Key, UsageCount]]) -> dict[Key, UsageCount]:
    """The sum of the counts of each key."""
    sums: defaultdict[Key, UsageCount] = defaultdict(UsageCount)
    for key, count in pairs:
        sums[key] += count
    return dict(sums)


def counts_by_promotion(counts: Mapping[int, UsageCount]) -> CTE:
    """Counts by promotion id as a table `counts(promotion_id, uses, units)`."""
    columns = (column("promotion_id", BigInteger), column("uses", Integer), column("units", Integer))
    data = [
        (promotion_id, count.uses, count.units)
        for promotion_id, count in sorted(counts.items(), key=itemgetter(0))
    ]
    return values(*columns, name="counts").data(data).cte("counts")


def counts_by_buyer(counts: Mapping[tuple[int, int], UsageCount]) -> CTE:
    """Counts by promotion and account id as a table `counts(promotion_id, account_id, uses, units)`."""
    columns = (
        column("promotion_id", BigInteger),
        column("account_id", BigInteger),
        column("uses", Integer),
        column("units", Integer),
    )
    data = [(*buyer, count.uses, count.units) for buyer, count in sorted(counts.items(), key=itemgetter(0))]
    return values(*columns, name="counts").data(data).cte("counts")
