"""Statements that compare two books."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Subquery, func, select

from models import Event
from models.sql.dialects import epoch_seconds
from models.sql.types import AnyColumn, AnySelect


def select_rows(row: AnyColumn, *, expected: AnyColumn, found: AnyColumn) -> AnySelect:
    """The columns of a disagreement; the rule adds the condition under which a row is wrong."""
    return select(row.label("row"), expected.label("expected"), found.label("found"))


def select_differences(row: AnyColumn, *, expected: AnyColumn, found: AnyColumn) -> AnySelect:
    """The rows whose value differs from the expected one."""
    return select_rows(row, expected=expected, found=found).where(expected != found)


def sum_by(key: AnyColumn, amount: AnyColumn, *conditions: ColumnElement[bool]) -> Subquery:
    """The sum of an amount by a key."""
    return select(key, func.sum(amount).label("total")).where(*conditions).group_by(key).subquery()


def total_of(sums: Subquery) -> ColumnElement[int]:
    """The total of a row outer-joined with sums; 0 where there is none."""
    return func.coalesce(sums.c.total, 0)


def is_long_past(moment: AnyColumn, within: timedelta) -> ColumnElement[bool]:
    """Whether the shop has recorded an event so long after a moment: what fell due then is forgotten."""
    newest = select(epoch_seconds(Event.occurred_at)).order_by(Event.id.desc()).limit(1).scalar_subquery()
    return epoch_seconds(moment) < newest - int(within.total_seconds())
