"""Counts of uses, and of units at a flash sale's price, added up and as a table for a statement."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import BigInteger, FromClause, Integer

from models.sql.parameters import bound_table, encode_rows
from models.sql.types import ColumnTypes

Key = TypeVar("Key")

PROMOTION_COLUMNS: ColumnTypes = {"promotion_id": BigInteger(), "uses": Integer(), "units": Integer()}
BUYER_COLUMNS: ColumnTypes = {"account_id": BigInteger(), **PROMOTION_COLUMNS}


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


def counts_by_promotion(counts: Mapping[int, UsageCount], dialect: str) -> FromClause:
    """Counts by promotion id as a table `counts(promotion_id, uses, units)`."""
    rows = [
        {"promotion_id": promotion_id, "uses": count.uses, "units": count.units}
        for promotion_id, count in counts.items()
    ]
    return bound_table("counts", PROMOTION_COLUMNS, dialect, encode_rows(rows, dialect))


def counts_by_buyer(counts: Mapping[tuple[int, int], UsageCount], dialect: str) -> FromClause:
    """Counts by promotion and account id as a table `counts(promotion_id, account_id, uses, units)`."""
    rows = [
        {"promotion_id": promotion_id, "account_id": account_id, "uses": count.uses, "units": count.units}
        for (promotion_id, account_id), count in counts.items()
    ]
    return bound_table("counts", BUYER_COLUMNS, dialect, encode_rows(rows, dialect))
