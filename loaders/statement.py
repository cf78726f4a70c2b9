"""Loading what statements of providers differ in."""

from sqlalchemy import select

from loaders.base import ByKey, loader
from loaders.page import Key, Sort
from models import StatementDifference
from models.sql.types import AnySelect

OLDEST_DIFFERENCE = Sort("oldest", (Key(StatementDifference.id),))


def select_differences(*, resolved: bool | None = None) -> AnySelect:
    """Select differences: all, those that are resolved, or those that are not."""
    statement = select(StatementDifference)
    if resolved is None:
        return statement
    resolved_at = StatementDifference.resolved_at
    return statement.where(resolved_at.is_not(None) if resolved else resolved_at.is_(None))


class DifferenceById(ByKey[int, StatementDifference]):
    key = StatementDifference.id


class StatementLoaders:
    statement_difference = loader(DifferenceById)
