"""How two books are laid beside each other."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, select


def wrong_rows(row: Any, *, expected: Any, found: Any) -> Select[Any]:
    """What a person reads of a disagreement; which rows are wrong, the rule says."""
    return select(row.label("row"), expected.label("expected"), found.label("found"))


def differing(row: Any, *, expected: Any, found: Any) -> Select[Any]:
    return wrong_rows(row, expected=expected, found=found).where(expected != found)


def summed(key: Any, amount: Any, *which: ColumnElement[bool]) -> Subquery:
    """The sum of an amount by a key."""
    return select(key, func.sum(amount).label("total")).where(*which).group_by(key).subquery()


def total_of(sums: Subquery) -> ColumnElement[int]:
    return func.coalesce(sums.c.total, 0)
